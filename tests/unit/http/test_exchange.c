/*
 * The life of a request: the order of the service's calls, times and counts, whoever ends it.
 */
#include <string.h>

#include "harness.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void times_and_counts(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send(&harness, R("/"), strlen(R("/")), 5);
    const struct http_exchange *last = &harness.last;
    assert_true(last->start_ns > 0);
    assert_true(last->read_ns > last->start_ns); /* it came in pieces */
    assert_true(last->first_byte_ns > last->read_ns);
    assert_int_equal(last->end_ns, last->first_byte_ns);
    assert_int_equal(last->bytes_sent, harness.raw.length);
    assert_int_equal(last->request.head_bytes, strlen(R("/")));
    assert_false(last->last);
    harness_fini(&harness);
}

/* A request that waited behind another begins when that one has ended. */
static void a_follower_begins_where_its_predecessor_ended(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/later") R("/"));
    assert_int_equal(harness.waiting_count, 1);
    harness_answer(&harness);
    harness_expect_log(&harness, "open handle GET /later 200 ok\nopen handle GET / 200 ok\n");
    const uint64_t follower_start = harness.last.start_ns;
    assert_true(follower_start > 0);
    assert_true(harness.last.end_ns >= follower_start);
    harness_expect_out(&harness, HELLO HELLO);
    harness_fini(&harness);
}

static void pieces_of_nothing_are_no_request(void **state)
{
    static const char *const inputs[] = {"", "\r", "\r\n", "\r\n\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, inputs[i]);
        harness_half_close(&harness);
        harness_turn(&harness);
        assert_true(harness.ended);
        harness_expect_log(&harness, "");
        harness_expect_out(&harness, "");
        assert_int_equal(harness_stats(&harness).without_request, 1);
        assert_int_equal(harness_stats(&harness).closed, 1);
        harness_fini(&harness);
    }
}

/* Cut at every byte: before the first it is no request, before the last one without an answer. */
static void client_gone_at_every_byte(void **state)
{
    static const char input[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    (void)state;
    for (size_t length = 1; length < sizeof input - 1; length++) {
        struct harness harness;
        harness_init(&harness);
        harness_send(&harness, input, length, 0);
        harness_close(&harness);
        harness_turn(&harness);
        assert_int_equal(harness_log_lines(&harness), 1);
        assert_int_equal(harness.last.error, HTTP_ERROR_CLIENT_DISCONNECTED);
        assert_int_equal(harness.last.response.status, 0);
        assert_int_equal(harness.last.bytes_sent, 0);
        assert_int_equal(harness.last.request.method,
                         length > 4 ? HTTP_METHOD_POST : HTTP_METHOD_NONE);
        assert_int_equal(harness_stats(&harness).connections, 0);
        assert_int_equal(harness_stats(&harness).exchanges, 0);
        harness_fini(&harness);
    }
}

static void client_gone_while_the_service_waits(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, R("/later"));
        assert_int_equal(harness.waiting_count, 1);
        if (half) {
            harness_half_close(&harness);
        } else {
            harness_close(&harness);
        }
        harness_turn(&harness);
        harness_expect_log(&harness, "open handle abandoned GET /later - client_disconnected\n");
        harness_expect_out(&harness, "");
        assert_int_equal(harness_stats(&harness).connections, 0);
        harness_fini(&harness);
    }
}

/* A service that does not let go at once keeps the exchange, and its close comes when it does. */
static void an_abandoned_exchange_waits_for_its_service(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.keeps_abandoned = true;
    harness_send_text(&harness, R("/later"));
    harness_close(&harness);
    harness_turn(&harness);
    harness_expect_log(&harness, "");
    assert_int_equal(harness_stats(&harness).exchanges, 1);
    assert_int_equal(harness.waiting[0]->request.path.length, 6); /* still whole */
    harness_answer(&harness);
    harness_expect_log(&harness, "open handle abandoned GET /later - client_disconnected\n");
    assert_int_equal(harness_stats(&harness).exchanges, 0);
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

static void a_service_without_abandoned_answers_nobody(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.service.abandoned = NULL;
    harness_send_text(&harness, R("/later"));
    harness_close(&harness);
    harness_turn(&harness);
    harness_expect_log(&harness, "");
    harness_answer(&harness);
    harness_expect_log(&harness, "open handle GET /later - client_disconnected\n");
    harness_fini(&harness);
}

/* A half-close after requests that are answered at once gets all the answers. */
static void half_close_after_requests(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/a") R("/b"), strlen(R("/a") R("/b")));
    harness_half_close(&harness);
    harness_turn(&harness);
    assert_true(harness.ended);
    harness_expect_out(&harness, HELLO HELLO);
    harness_expect_log(&harness, "open handle GET /a 200 ok\nopen handle GET /b 200 ok\n");
    harness_fini(&harness);
}

static void continue_comes_after_open_and_before_the_body(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                "Content-Length: 2\r\n\r\n");
    harness_expect_out(&harness, "HTTP/1.1 100 Continue\r\n\r\n");
    harness_expect_log(&harness, "");
    harness_send_text(&harness, "ok");
    harness_expect_out(&harness, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                 "Content-Length: 2\r\n\r\nok");
    harness_expect_log(&harness, "open handle POST /echo 200 ok\n");
    /* The interim response is no part of the response. */
    assert_int_equal(harness.last.bytes_sent, 66 + 37);
    harness_fini(&harness);
}

/* Open may want less of the content than the limit lets through: what is declared over it is told
 * before a byte of it was asked for, what comes in chunks at the byte that is too many. */
static void open_may_want_less_of_the_content(void **state)
{
#define LITTLE "POST /little HTTP/1.1\r\nHost: a\r\n"
    static const struct {
        const char *input;
        const char *body; /* NULL: refused */
    } rows[] = {
        {LITTLE "Content-Length: 4\r\n\r\nfour", "four"},
        {LITTLE "Content-Length: 5\r\n\r\n", NULL},
        {LITTLE "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", NULL},
        {LITTLE "Transfer-Encoding: chunked\r\n\r\n1\r\nf\r\n3\r\nour\r\n0\r\n\r\n", "four"},
        {LITTLE "Transfer-Encoding: chunked\r\n\r\n1\r\nf\r\n4\r\nour!", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, rows[i].input);
        if (rows[i].body != NULL) {
            harness_expect_out(&harness, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                         "Content-Length: 4\r\n\r\nfour");
            harness_expect_log(&harness, "open handle POST /little 200 ok\n");
        } else {
            harness_expect_out(&harness, harness_refusal("413 Content Too Large",
                                                         "the request body is over the limit", ""));
            harness_expect_log(&harness, "open POST /little 413 body_too_large\n");
        }
        harness_fini(&harness);
    }
}

static void add_and_replace(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    assert_int_equal(exchange->error, HTTP_ERROR_BAD_HOST);
    assert_int_equal(exchange->response.status, 400);
    exchange->response.content_type = (struct http_slice){"application/problem+json", 24};
    exchange->response.body = (struct http_slice){"{}", 2};
    http_response_add(&exchange->response, "traceresponse", "00", 2);
}

static void no_close(struct http_exchange *exchange, void *argument)
{
    (void)exchange;
    (void)argument;
}

/* The engine's own answer may be dressed by open. */
static void open_may_dress_a_refusal(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.service.open = add_and_replace;
    harness.service.close = no_close;
    harness_send_text(&harness, "GET / HTTP/1.1\r\n\r\n");
    harness_expect_out(&harness,
                       "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
                       "Content-Length: 2\r\ntraceresponse: 00\r\nConnection: close\r\n\r\n{}");
    harness_fini(&harness);
}

static void nonsense_status(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    exchange->response.status = 42;
    http_exchange_respond(exchange);
}

static void a_status_that_is_none_becomes_500(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.service.handle = nonsense_status;
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_and_counts),
        cmocka_unit_test(a_follower_begins_where_its_predecessor_ended),
        cmocka_unit_test(pieces_of_nothing_are_no_request),
        cmocka_unit_test(client_gone_at_every_byte),
        cmocka_unit_test(client_gone_while_the_service_waits),
        cmocka_unit_test(an_abandoned_exchange_waits_for_its_service),
        cmocka_unit_test(a_service_without_abandoned_answers_nobody),
        cmocka_unit_test(half_close_after_requests),
        cmocka_unit_test(continue_comes_after_open_and_before_the_body),
        cmocka_unit_test(open_may_want_less_of_the_content),
        cmocka_unit_test(open_may_dress_a_refusal),
        cmocka_unit_test(a_status_that_is_none_becomes_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
