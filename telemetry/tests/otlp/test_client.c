/*
 * The HTTP client on its own: one POST, one outcome, from the loop.
 */
#include "otlp/client.h"

#include <event2/event.h>

#include "collector.h"

struct bench {
    struct event_base *base;
    struct collector collector;
    struct tel__endpoint endpoint;
    struct tel__headers headers;
    struct tel__client *client;
    size_t answers;
    struct tel__outcome outcome;
    char body[256];
    size_t body_length;
};

static void answered(const struct tel__outcome *outcome, const struct tel__bytes *body,
                     void *argument)
{
    struct bench *bench = argument;
    bench->answers++;
    bench->outcome = *outcome;
    bench->body_length = body->length;
    memcpy(bench->body, body->data != NULL ? body->data : "",
           body->length < sizeof(bench->body) ? body->length : sizeof(bench->body));
}

static void start(struct bench *bench, const char *url)
{
    const char *reason;
    bench->base = event_base_new(); /* not the whole bench: its collector is running */
    bench->headers = (struct tel__headers){0};
    bench->answers = 0;
    assert_int_equal(tel__endpoint_parse(url, &bench->endpoint, &reason), 0);
    bench->client = tel__client_create(&(struct tel__client_options){.base = bench->base,
                                                                     .endpoint = &bench->endpoint,
                                                                     .headers = &bench->headers,
                                                                     .user_agent = "test",
                                                                     .content_type = "text/plain",
                                                                     .answered = answered,
                                                                     .argument = bench});
    assert_non_null(bench->client);
}

static void finish(struct bench *bench)
{
    tel__client_destroy(bench->client);
    event_base_free(bench->base);
}

static void post(struct bench *bench, uint32_t timeout_ms)
{
    static const struct tel__bytes pieces[] = {{"12", 2}, {"345", 3}};
    bench->answers = 0;
    tel__client_post(bench->client, pieces, 2, false, timeout_ms);
    assert_int_equal(bench->answers, 0); /* never from within */
}

static void wait_for_answer(struct bench *bench)
{
    for (int i = 0; i < 10000 && bench->answers == 0; i++) {
        event_base_loop(bench->base, EVLOOP_ONCE);
    }
    assert_int_equal(bench->answers, 1);
}

static void turn(struct bench *bench, int times)
{
    for (int i = 0; i < times; i++) {
        event_base_loop(bench->base, EVLOOP_NONBLOCK);
        pause_ms(1);
    }
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *answer;
        size_t length;
        enum then then;
        enum tel__outcome_kind kind;
        int status;
        const char *body;
        const char *retry_after;
    } cases[] = {
        {"plain", TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), THEN_KEEP,
         TEL__OUTCOME_ANSWER, 200, "hi", ""},
        {"no body", TEXT_OF("HTTP/1.1 204 No\r\n\r\n"), THEN_KEEP, TEL__OUTCOME_ANSWER, 204, "",
         ""},
        {"Retry-After", TEXT_OF("HTTP/1.1 503 X\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n"),
         THEN_KEEP, TEL__OUTCOME_ANSWER, 503, "", "7"},
        {"HTTP/1.0", TEXT_OF("HTTP/1.0 200 OK\r\n\r\nall of it"), THEN_CLOSE, TEL__OUTCOME_ANSWER,
         200, "all of it", ""},
        {"chunked",
         TEXT_OF("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n"
                 "\r\n"),
         THEN_KEEP, TEL__OUTCOME_ANSWER, 200, "hi!", ""},
        {"another protocol", TEXT_OF("220 mail.example ESMTP\r\n"), THEN_KEEP,
         TEL__OUTCOME_MALFORMED, 0, "", ""},
        {"a length that is none", TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
         THEN_KEEP, TEL__OUTCOME_MALFORMED, 0, "", ""},
        {"nothing", TEXT_OF(""), THEN_CLOSE, TEL__OUTCOME_DISCONNECTED, 0, "", ""},
        {"half a line", TEXT_OF("HTTP/1."), THEN_CLOSE, TEL__OUTCOME_DISCONNECTED, 0, "", ""},
        {"half a body", TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"), THEN_CLOSE,
         TEL__OUTCOME_DISCONNECTED, 0, "", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench;
        const struct step script[] = {
            {cases[i].answer, cases[i].length, cases[i].then, true /* the body is no OTLP */}};
        collector_start(&bench.collector, script, 1);
        start(&bench, bench.collector.url);
        post(&bench, 5000);
        wait_for_answer(&bench);
        if (bench.outcome.kind != cases[i].kind || bench.outcome.status != cases[i].status) {
            fail_msg("%s: %d, %d, %s", cases[i].what, (int)bench.outcome.kind, bench.outcome.status,
                     bench.outcome.reason);
        }
        if (cases[i].kind == TEL__OUTCOME_ANSWER) {
            assert_int_equal(bench.body_length, strlen(cases[i].body));
            assert_memory_equal(bench.body, cases[i].body, bench.body_length);
            assert_string_equal(bench.outcome.retry_after, cases[i].retry_after);
        } else {
            assert_string_not_equal(bench.outcome.reason, "");
        }
        finish(&bench);
        collector_stop(&bench.collector);
        collector_fini(&bench.collector);
    }
}

/* Each of a host's addresses is tried: nobody listens on ::1 here. */
static void test_next_address(void **state)
{
    (void)state;
    static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, true}};
    struct bench bench;
    char url[64];
    collector_start(&bench.collector, ok, 1);
    snprintf(url, sizeof(url), "http://localhost%s", strrchr(bench.collector.url, ':'));
    start(&bench, url);
    post(&bench, 5000);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_ANSWER);
    finish(&bench);
    collector_stop(&bench.collector);
    collector_fini(&bench.collector);
}

static void test_refused(void **state)
{
    (void)state;
    struct bench bench;
    char url[64];
    dead_url(url);
    start(&bench, url);
    for (int i = 0; i < 3; i++) { /* and it can be tried again */
        post(&bench, 5000);
        wait_for_answer(&bench);
        assert_int_equal(bench.outcome.kind, TEL__OUTCOME_NO_CONNECTION);
        assert_non_null(strcasestr(bench.outcome.reason, "refused"));
    }
    finish(&bench);
}

static void test_timeout(void **state)
{
    (void)state;
    static const struct step late[] = {{TEXT_OF("HTTP/1.1 200 OK\r\n"), THEN_HANG, true},
                                       {TEXT_OF(ANSWER_OK), THEN_KEEP, true}};
    struct bench bench;
    collector_start(&bench.collector, late, 2);
    start(&bench, bench.collector.url);
    post(&bench, 50);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_TIMEOUT);
    post(&bench, 5000); /* on a new connection: the old one could still answer the first */
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_ANSWER);
    finish(&bench);
    collector_stop(&bench.collector);
    assert_int_equal(bench.collector.connections, 2);
    collector_fini(&bench.collector);
}

/* A peer that takes no connection uses up the time, and is told apart from one that is slow. */
static void test_no_connection_in_time(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    struct bench bench;
    char url[64];
    int fillers[4];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 0), 0);
    getsockname(listener, (struct sockaddr *)&address, &length);
    for (size_t i = 0; i < COUNT(fillers); i++) { /* its queue is full, so it answers no SYN */
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&address, length);
    }
    pause_ms(20);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
    start(&bench, url);
    post(&bench, 100);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_NO_CONNECTION);
    assert_non_null(strstr(bench.outcome.reason, "in time"));
    finish(&bench);
    for (size_t i = 0; i < COUNT(fillers); i++) {
        close(fillers[i]);
    }
    close(listener);
}

/* The peer that closes a kept-alive connection while nobody looks, and then: two ways to notice. */
static void test_kept_alive(void **state)
{
    (void)state;
    static const struct step leave[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, true},
                                        {TEXT_OF(ANSWER_OK), THEN_CLOSE, true},
                                        {TEXT_OF(ANSWER_OK), THEN_CLOSE, true},
                                        {TEXT_OF(ANSWER_OK), THEN_KEEP, true}};
    struct bench bench;
    collector_start(&bench.collector, leave, COUNT(leave));
    start(&bench, bench.collector.url);
    post(&bench, 5000);
    wait_for_answer(&bench);
    post(&bench, 5000);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_ANSWER);
    assert_int_equal(bench.collector.connections, 1);
    turn(&bench, 200); /* the loop sees the end: the next POST makes a new connection */
    post(&bench, 5000);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_ANSWER);
    pause_ms(50); /* the loop does not turn: the next POST runs into the end, and is told so */
    post(&bench, 5000);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_STALE);
    post(&bench, 5000);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_ANSWER);
    finish(&bench);
    collector_stop(&bench.collector);
    assert_int_equal(bench.collector.connections, 3);
    collector_fini(&bench.collector);
}

/* In whatever phase it is given up, there is no answer, and the next POST works. */
static void test_cancel(void **state)
{
    (void)state;
    static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, true}};
    static const struct step hang[] = {{"", 0, THEN_HANG, true},
                                       {"", 0, THEN_HANG, true},
                                       {"", 0, THEN_HANG, true},
                                       {TEXT_OF(ANSWER_OK), THEN_KEEP, true}};
    struct bench bench;
    collector_start(&bench.collector, hang, COUNT(hang));
    start(&bench, bench.collector.url);
    for (int turns = 0; turns < 30; turns += 10) {
        post(&bench, 5000);
        turn(&bench, turns);
        tel__client_cancel(bench.client);
        tel__client_cancel(bench.client);
        turn(&bench, 10);
        assert_int_equal(bench.answers, 0);
    }
    finish(&bench);
    collector_stop(&bench.collector);
    collector_fini(&bench.collector);

    collector_start(&bench.collector, ok, 1);
    start(&bench, bench.collector.url);
    post(&bench, 5000);
    tel__client_cancel(bench.client);
    post(&bench, 5000);
    wait_for_answer(&bench);
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_ANSWER);
    post(&bench, 5000);
    finish(&bench); /* with one under way */
    collector_stop(&bench.collector);
    collector_fini(&bench.collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_next_address),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_no_connection_in_time),
        cmocka_unit_test(test_kept_alive),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
