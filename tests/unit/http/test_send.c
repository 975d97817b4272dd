/*
 * Sending: what the socket does not take at once, and clients that do not read.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "http/internal.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void expect_big(const struct harness *harness)
{
    const char *body = harness->raw.data + harness->raw.length - HARNESS_BIG;
    assert_true(harness->raw.length > HARNESS_BIG);
    for (size_t i = 0; i < HARNESS_BIG; i++) {
        if (body[i] != (char)('a' + i % 23)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
    assert_memory_equal(harness->raw.data, "HTTP/1.1 200 OK\r\n", 17);
}

/* Four megabytes do not fit into a socket: the rest is kept, and goes out as the client reads. */
static void short_writes_lose_nothing(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/big"));
    expect_big(&harness);
    assert_int_equal(harness.last.bytes_sent, harness.raw.length);
    assert_true(harness.last.end_ns > harness.last.first_byte_ns);
    harness_expect_log(&harness, "open handle GET /big 200 ok\n");
    harness_fini(&harness);
}

/* While it goes out what the client pipelined waits, and the event of the socket does not spin. */
static void requests_wait_for_the_response_before_them(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/big") R("/a"), strlen(R("/big") R("/a")));
    harness_turn_unread(&harness);
    harness_push(&harness, R("/b"), strlen(R("/b")));
    harness_turn_unread(&harness);
    assert_int_equal(harness_log_lines(&harness), 0);
    harness_turn(&harness);
    harness_expect_log(&harness, "open handle GET /big 200 ok\nopen handle GET /a 200 ok\n"
                                 "open handle GET /b 200 ok\n");
    harness_fini(&harness);
}

/* A half-close while the response is under way is no farewell: it is sent whole. */
static void a_half_close_does_not_cut_the_response(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/big") R("/a"), strlen(R("/big") R("/a")));
    harness_turn_unread(&harness);
    harness_half_close(&harness);
    harness_turn(&harness);
    assert_true(harness.ended);
    harness_expect_log(&harness, "open handle GET /big 200 ok\nopen handle GET /a 200 ok\n");
    harness_fini(&harness);
}

/* A waiting handler after a half-close that was seen while sending answers nobody. */
static void a_half_close_is_remembered(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/big") R("/later"), strlen(R("/big") R("/later")));
    harness_turn_unread(&harness);
    harness_half_close(&harness);
    harness_turn(&harness);
    harness_expect_log(&harness, "open handle GET /big 200 ok\n"
                                 "open handle abandoned GET /later - client_disconnected\n");
    harness_fini(&harness);
}

/* A response that was under way when the drain began promised to keep its connection. At its end nobody
 * needs that any more, and it must not delay the exit; what the client has sent behind it is served. */
static void a_drain_ends_the_connection_after_the_response(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct harness harness;
        harness_init(&harness);
        harness_push(&harness, R("/big"), strlen(R("/big")));
        harness_turn_unread(&harness);
        if (more) {
            harness_push(&harness, R("/"), strlen(R("/")));
        }
        http_engine_drain(harness.engine);
        harness_turn(&harness);
        assert_true(harness.ended);
        harness_expect_log(&harness, more
                                         ? "open handle GET /big 200 ok\nopen handle GET / 200 ok\n"
                                         : "open handle GET /big 200 ok\n");
        harness_fini(&harness);
    }
}

static void client_gone_during_the_response(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/big"), strlen(R("/big")));
    harness_turn_unread(&harness);
    harness_close(&harness);
    harness_turn_unread(&harness);
    harness_expect_log(&harness, "open handle GET /big 200 client_disconnected\n");
    assert_true(harness.last.bytes_sent > 0);
    assert_true(harness.last.bytes_sent < HARNESS_BIG);
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

/* Nothing of the response could be handed to the kernel: it has no status. */
static void client_gone_before_the_response(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_close(&harness);
    harness_turn_unread(&harness);
    harness_expect_log(&harness, "open handle GET / - client_disconnected\n");
    harness_fini(&harness);
}

static void a_client_that_does_not_read_is_reset(void **state)
{
    struct http_limits limits;
    struct harness harness;
    (void)state;
    harness_defaults(&limits);
    limits.write_ms = 20;
    harness_init_with(&harness, &limits);
    harness_push(&harness, R("/big"), strlen(R("/big")));
    harness_turn_unread(&harness);
    harness_wait_log(&harness, 1);
    harness_expect_log(&harness, "open handle GET /big 200 write_timeout\n");
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

/* Responses that nobody reads are bounded together: who has made the engine wait longest is given up
 * first, and who comes later is served. */
static void what_waits_for_slow_readers_is_bounded(void **state)
{
    enum { READERS = HTTP_UNSENT_BYTES / HARNESS_BIG + 4 };
    struct harness harness;
    int clients[READERS];
    (void)state;
    harness_init(&harness);
    for (size_t i = 0; i < READERS; i++) {
        harness_connect(&harness);
        harness_push(&harness, R("/big"), strlen(R("/big")));
        harness_turn_unread(&harness);
        clients[i] = dup(harness.client);
        assert_in_range(harness.engine->unsent, 1, HTTP_UNSENT_BYTES);
    }
    const size_t given_up = harness_log_lines(&harness);
    assert_in_range(given_up, 1, READERS / 2);
    for (size_t i = 0; i < READERS; i++) {
        struct pollfd end = {.fd = clients[i]};
        assert_int_equal(poll(&end, 1, 0), i < given_up ? 1 : 0);
    }
    assert_memory_equal(harness.log.data, "open handle GET /big 200 write_overloaded\n", 42);
    assert_int_equal(harness_stats(&harness).connections, READERS - given_up);
    harness_turn(&harness); /* the last one reads, and has it all */
    assert_int_equal(harness_log_lines(&harness), given_up + 1);
    expect_big(&harness);
    for (size_t i = 0; i < READERS; i++) {
        close(clients[i]);
    }
    harness_fini(&harness);
}

/* A 100 that waits for room while the handler runs: with the client it must go, or the next socket of
 * that number wakes an exchange that is the service's. */
static void an_interim_response_goes_with_its_client(void **state)
{
    static const char post[] = "POST /later HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                               "Content-Length: 2\r\n\r\n";
    struct harness harness;
    char filler[4096] = {0};
    (void)state;
    harness_init(&harness);
    harness.keeps_abandoned = true;
    const int fd = harness.engine->connections->fd;
    while (send(fd, filler, sizeof filler, MSG_DONTWAIT) > 0) {
    }
    harness_push(&harness, post, sizeof post - 1);
    harness_turn_unread(&harness);
    harness_push(&harness, "ok", 2);
    harness_turn_unread(&harness);
    assert_int_equal(harness.waiting_count, 1);
    assert_true(harness.engine->unsent > 0);
    harness_close(&harness);
    harness_turn_unread(&harness);
    assert_int_equal(harness.engine->unsent, 0);
    harness_connect(&harness);
    assert_int_equal(harness.engine->connections->fd, fd);
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO);
    harness_expect_log(&harness, "open handle GET / 200 ok\n");
    harness_answer(&harness);
    harness_expect_log(&harness, "open handle abandoned POST /later - client_disconnected\n");
    harness_fini(&harness);
}

/* A full socket before the first byte, a reader later. */
static void an_interim_response_waits_for_room(void **state)
{
    struct harness harness;
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                               "Content-Length: 2\r\n\r\n";
    (void)state;
    harness_init(&harness);
    /* Answers without a reader, until the socket is full in the middle of one or of a 100. */
    for (int i = 0; i < 20000 && harness_log_lines(&harness) == (size_t)i; i++) {
        harness_push(&harness, post, sizeof post - 1);
        harness_turn_unread(&harness);
        harness_push(&harness, "ok", 2);
        harness_turn_unread(&harness);
    }
    const size_t before = harness_log_lines(&harness);
    harness_turn(&harness);
    assert_int_equal(harness_log_lines(&harness), before + 1);
    assert_int_equal(harness.raw.length, (before + 1) * (25 + 66 + 37));
    assert_int_equal(harness.last.bytes_sent, 66 + 37);
    assert_memory_equal(harness.raw.data + harness.raw.length - 2, "ok", 2);
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_writes_lose_nothing),
        cmocka_unit_test(requests_wait_for_the_response_before_them),
        cmocka_unit_test(a_half_close_does_not_cut_the_response),
        cmocka_unit_test(a_half_close_is_remembered),
        cmocka_unit_test(a_drain_ends_the_connection_after_the_response),
        cmocka_unit_test(client_gone_during_the_response),
        cmocka_unit_test(client_gone_before_the_response),
        cmocka_unit_test(a_client_that_does_not_read_is_reset),
        cmocka_unit_test(what_waits_for_slow_readers_is_bounded),
        cmocka_unit_test(an_interim_response_goes_with_its_client),
        cmocka_unit_test(an_interim_response_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
