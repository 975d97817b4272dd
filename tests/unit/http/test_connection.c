/*
 * A connection's states: pipelining, turns, back pressure, half-closes, deadlines.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- pipelining ------------------------------------------------------------------------------ */

#define MANY 5000

/* Thousands in one write are answered in their order, in a loop, not a recursion. */
static void thousands_of_pipelined_requests(void **state)
{
    static char input[MANY * 64];
    struct harness harness;
    size_t length = 0;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        length += (size_t)sprintf(input + length, R("/n%d"), i);
    }
    harness_init(&harness);
    harness_send(&harness, input, length, 0);
    assert_int_equal(harness_log_lines(&harness), MANY);
    const char *line = harness.log.data;
    for (int i = 0; i < MANY; i++) {
        char want[64];
        const int size = sprintf(want, "open handle GET /n%d 200 ok\n", i);
        assert_memory_equal(line, want, (size_t)size);
        line += size;
    }
    assert_int_equal(harness.raw.length, MANY * (sizeof HELLO - 1 + 37));
    harness_fini(&harness);
}

/* Two clients with two hundred requests each: neither waits until the other is done. */
static void others_get_their_turn(void **state)
{
    static char input[200 * sizeof R("/a")];
    struct harness harness;
    size_t length = 0;
    size_t turns = 0;
    int first = -1;
    (void)state;
    harness_init(&harness);
    for (int client = 0; client < 2; client++) {
        length = 0;
        for (int i = 0; i < 200; i++) {
            length += (size_t)sprintf(input + length, R("/%c"), "ab"[client]);
        }
        assert_int_equal(harness_push(&harness, input, length), length);
        if (client == 0) {
            first = dup(harness.client); /* stays open when the next one connects */
            harness_connect(&harness);
        }
    }
    harness_turn(&harness);
    assert_int_equal(harness_log_lines(&harness), 400);
    const size_t line = sizeof "open handle GET /a 200 ok\n" - 1;
    for (size_t at = line; at < harness.log.length; at += line) {
        turns += harness.log.data[at + 17] != harness.log.data[at + 17 - line];
    }
    assert_true(turns >= 2 * (200 / 32));
    close(first);
    harness_fini(&harness);
}

static void a_waiting_handler_holds_what_follows(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/later") R("/a") "GET /b HTTP/1.1\r\nHo");
    harness_send_text(&harness, "st: a\r\n\r\n" R("/later"));
    harness_expect_log(&harness, "");
    harness_expect_out(&harness, "");
    harness_answer(&harness);
    harness_expect_log(&harness, "open handle GET /later 200 ok\nopen handle GET /a 200 ok\n"
                                 "open handle GET /b 200 ok\n");
    harness_answer(&harness);
    harness_expect_log(&harness, "open handle GET /later 200 ok\n");
    harness_fini(&harness);
}

/* A client that floods a waiting handler fills one buffer and the socket, no more; and that it went
 * away is noticed all the same. */
static void back_pressure(void **state)
{
    static char junk[65536];
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        struct harness harness;
        size_t sent = 0;
        harness_init(&harness);
        memset(junk, '\r', sizeof junk);
        harness_send_text(&harness, R("/later"));
        for (int stuck = 0; stuck < 3;) {
            const size_t now = harness_push(&harness, junk, sizeof junk);
            sent += now;
            stuck = now > 0 ? 0 : stuck + 1;
            harness_turn(&harness);
            assert_true(sent < 4000000);
        }
        assert_true(sent >= 65536);
        assert_int_equal(harness_log_lines(&harness), 0);
        if (reset) {
            harness_close(&harness); /* with unread data on the other side */
        } else {
            harness_half_close(&harness);
        }
        harness_turn(&harness);
        harness_expect_log(&harness, "open handle abandoned GET /later - client_disconnected\n");
        assert_int_equal(harness_stats(&harness).connections, 0);
        harness_fini(&harness);
    }
}

/* A TCP connection to the engine in place of the socket pair; small buffers, quickly full. */
static void connect_tcp(struct harness *harness)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int bytes = 65536;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    harness_close(harness);
    harness_turn_unread(harness);
    harness->client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(harness->client, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    assert_int_equal(connect(harness->client, (struct sockaddr *)&address, size), 0);
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_int_equal(http_engine_adopt(harness->engine, fd, (struct sockaddr *)&address, NULL), 0);
    close(listener);
}

/* A reset overtakes the bytes that nobody reads and is seen at once; a FIN stands in line. */
static void the_end_is_seen_behind_unread_bytes(void **state)
{
    static char junk[65536];
    (void)state;
    memset(junk, '\r', sizeof junk);
    for (int resets = 0; resets < 2; resets++) {
        const struct linger reset = {.l_onoff = resets, .l_linger = 0};
        struct harness harness;
        harness_init(&harness);
        connect_tcp(&harness);
        harness_push(&harness, R("/later"), strlen(R("/later")));
        for (int i = 0; i < 1000 && harness.waiting_count == 0; i++) {
            harness_turn(&harness);
        }
        for (int stuck = 0; stuck < 20;) {
            stuck = harness_push(&harness, junk, sizeof junk) > 0 ? 0 : stuck + 1;
            harness_turn(&harness);
        }
        assert_int_equal(harness_log_lines(&harness), 0);
        if (resets) {
            setsockopt(harness.client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            harness_close(&harness);
        } else {
            /* The FIN travels behind what the socket still holds, and cannot arrive before the
             * engine reads: so the answer lets it. */
            harness_half_close(&harness);
            harness_answer(&harness);
        }
        harness_wait_log(&harness, 1);
        harness_expect_log(&harness,
                           resets ? "open handle abandoned GET /later - client_disconnected\n"
                                  : "open handle GET /later 200 ok\n"
                                    "open _OTHER  400 bad_request\n");
        harness_fini(&harness);
    }
}

/* The same flood, but the handler answers: reading goes on and nothing is lost. */
static void back_pressure_ends_with_the_answer(void **state)
{
    struct harness harness;
    size_t sent = 0;
    size_t whole = 0;
    static const char request[] = R("/x");
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/later"));
    for (int stuck = 0; stuck < 3;) {
        const size_t now = harness_push(&harness, request + sent % (sizeof request - 1),
                                        sizeof request - 1 - sent % (sizeof request - 1));
        sent += now;
        stuck = now > 0 ? 0 : stuck + 1;
        if (now == 0) {
            harness_turn(&harness);
        }
    }
    whole = sent / (sizeof request - 1);
    assert_true(whole > 1000);
    harness_answer(&harness);
    assert_int_equal(harness_log_lines(&harness), 1 + whole);
    assert_int_equal(harness.last.response.status, 200);
    harness_fini(&harness);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void after_the_last_response_nothing_is_answered(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/close") R("/never"));
    assert_true(harness.ended); /* a half-close, the answer read before it */
    harness_expect_out(&harness, HELLO_CLOSE);
    harness_expect_log(&harness, "open handle GET /close 200 ok\n");
    assert_int_equal(harness_stats(&harness).connections, 1); /* lingering */
    assert_true(harness_push(&harness, R("/nor this"), sizeof R("/nor this") - 1) > 0);
    harness_turn(&harness);
    harness_expect_log(&harness, "");
    harness_half_close(&harness);
    harness_turn(&harness);
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

/* The drain has an end, in bytes and in time. */
static void lingering_is_bounded_in_bytes(void **state)
{
    static char junk[65536];
    struct harness harness;
    size_t sent = 0;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, "BROKEN\r\n\r\n");
    assert_true(harness.ended);
    while (harness_stats(&harness).connections == 1) {
        sent += harness_push(&harness, junk, sizeof junk);
        harness_turn(&harness);
        assert_true(sent < 10000000);
    }
    assert_true(sent >= 1000000);
    harness_fini(&harness);
}

static struct http_limits short_limits(void)
{
    struct http_limits limits;
    harness_defaults(&limits);
    limits.idle_ms = limits.head_ms = limits.body_ms = limits.linger_ms = limits.write_ms = 20;
    return limits;
}

static void wait_closed(struct harness *harness)
{
    for (int i = 0; i < 200 && harness_stats(harness).connections > 0; i++) {
        event_base_loop(harness->base, EVLOOP_ONCE);
    }
    assert_int_equal(harness_stats(harness).connections, 0);
}

static void lingering_is_bounded_in_time(void **state)
{
    const struct http_limits limits = short_limits();
    struct harness harness;
    (void)state;
    harness_init_with(&harness, &limits);
    harness_send_text(&harness, "BROKEN\r\n\r\n");
    assert_true(harness.ended);
    wait_closed(&harness);
    harness_fini(&harness);
}

/* ---- deadlines ------------------------------------------------------------------------------- */

static void deadlines(void **state)
{
    static const struct {
        const char *input;
        const char *log;
        const char *status; /* NULL: `out` is all that comes */
        const char *out;
        uint64_t idle_closed, without_request;
    } rows[] = {
        {"", "", NULL, "", 1, 1},
        {"\r\n", "", NULL, "", 0, 1},
        {R("/"), "open handle GET / 200 ok\n", NULL, HELLO, 1, 0},
        {"G", "open _OTHER  408 head_timeout\n", "408 Request Timeout",
         "the request head did not arrive in time", 0, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\n", "open GET / 408 head_timeout\n", "408 Request Timeout",
         "the request head did not arrive in time", 0, 0},
        {"BREW / HTTP/1.1\r\n", "open _OTHER / 501 unknown_method\n", "501 Not Implemented",
         "the method is not known here", 0, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
         "open POST / 408 body_timeout\n", "408 Request Timeout",
         "the request body did not arrive in time", 0, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
         "open POST / 408 body_timeout\n", "408 Request Timeout",
         "the request body did not arrive in time", 0, 0},
    };
    const struct http_limits limits = short_limits();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct harness harness;
        harness_init_with(&harness, &limits);
        harness_send_text(&harness, rows[i].input);
        harness_wait_end(&harness);
        harness_expect_out(&harness, rows[i].status != NULL
                                         ? harness_refusal(rows[i].status, rows[i].out, "")
                                         : rows[i].out);
        harness_expect_log(&harness, rows[i].log);
        wait_closed(&harness);
        assert_int_equal(harness_stats(&harness).idle_closed, rows[i].idle_closed);
        assert_int_equal(harness_stats(&harness).without_request, rows[i].without_request);
        harness_fini(&harness);
    }
}

/* A head that trickles has one deadline, from its first byte: not one a byte. */
static void a_trickle_is_not_progress(void **state)
{
    const struct http_limits limits = short_limits();
    struct harness harness;
    (void)state;
    harness_init_with(&harness, &limits);
    for (int i = 0; i < 1000 && !harness.ended; i++) {
        harness_push(&harness, i == 0 ? "GET /" : "x", i == 0 ? 5 : 1);
        harness_turn(&harness);
        usleep(2000);
    }
    assert_true(harness.ended);
    harness_expect_log(&harness, "open GET  408 head_timeout\n");
    harness_fini(&harness);
}

/* A handler takes the time it takes: no deadline of the engine's ends it. */
static void a_handler_has_no_deadline(void **state)
{
    const struct http_limits limits = short_limits();
    struct harness harness;
    (void)state;
    harness_init_with(&harness, &limits);
    harness_send_text(&harness, R("/later"));
    for (int i = 0; i < 4; i++) {
        event_base_loop(harness.base, EVLOOP_ONCE); /* a tick each */
    }
    assert_int_equal(harness.waiting_count, 1);
    harness_answer(&harness);
    harness_expect_out(&harness, HELLO);
    harness_expect_log(&harness, "open handle GET /later 200 ok\n");
    harness_fini(&harness);
}

static void zero_means_no_deadline(void **state)
{
    struct http_limits limits = short_limits();
    struct harness harness;
    (void)state;
    limits.idle_ms = 0;
    harness_init_with(&harness, &limits);
    for (int i = 0; i < 4; i++) {
        event_base_loop(harness.base, EVLOOP_ONCE);
    }
    assert_int_equal(harness_stats(&harness).connections, 1);
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO);
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_pipelined_requests),
        cmocka_unit_test(others_get_their_turn),
        cmocka_unit_test(a_waiting_handler_holds_what_follows),
        cmocka_unit_test(back_pressure),
        cmocka_unit_test(the_end_is_seen_behind_unread_bytes),
        cmocka_unit_test(back_pressure_ends_with_the_answer),
        cmocka_unit_test(after_the_last_response_nothing_is_answered),
        cmocka_unit_test(lingering_is_bounded_in_bytes),
        cmocka_unit_test(lingering_is_bounded_in_time),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(a_trickle_is_not_progress),
        cmocka_unit_test(a_handler_has_no_deadline),
        cmocka_unit_test(zero_means_no_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
