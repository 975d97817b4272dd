/*
 * The engine: adopting, draining, destroying, counting. Its want of memory is in
 * test_engine_memory.c.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "http/internal.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- drain ----------------------------------------------------------------------------------- */

static void draining_closes_the_idle(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO);
    http_engine_drain(harness.engine);
    harness_turn(&harness);
    assert_true(harness.ended);
    assert_int_equal(harness_stats(&harness).drained, 1);
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

/* What has arrived when the drain begins is answered, and says that it was the last. */
static void draining_serves_what_has_arrived(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/a") R("/b"), strlen(R("/a") R("/b")));
    http_engine_drain(harness.engine);
    harness_turn(&harness);
    harness_expect_out(&harness, HELLO HELLO_CLOSE);
    assert_true(harness.ended);
    assert_int_equal(harness_stats(&harness).drained, 0);
    harness_fini(&harness);
}

static void draining_completes_what_has_begun(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, "GET / HTTP/1.1\r\nHo");
    http_engine_drain(harness.engine);
    harness_turn(&harness);
    assert_false(harness.ended);
    harness_send_text(&harness, "st: a\r\n\r\n");
    harness_expect_out(&harness, HELLO_CLOSE);
    assert_true(harness.ended);
    harness_fini(&harness);
}

static void draining_waits_for_the_handler(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/later") R("/b"));
    http_engine_drain(harness.engine);
    harness_turn(&harness);
    harness_push(&harness, R("/c"), strlen(R("/c")));
    harness_answer(&harness);
    harness_expect_out(&harness, HELLO HELLO HELLO_CLOSE);
    harness_expect_log(&harness, "open handle GET /later 200 ok\nopen handle GET /b 200 ok\n"
                                 "open handle GET /c 200 ok\n");
    assert_true(harness.ended);
    harness_fini(&harness);
}

/* What the kernel had queued is accepted after the drain began: it gets its answer. */
static void draining_serves_late_arrivals(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    http_engine_drain(harness.engine);
    harness_connect(&harness);
    harness_turn(&harness);
    assert_false(harness.ended);
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO_CLOSE);
    harness_fini(&harness);
}

/* Before the drain: who asks is told to go, who does not is left alone. */
static void leaving_closes_after_the_next_answer(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO);
    http_engine_leave(harness.engine);
    harness_turn(&harness);
    assert_false(harness.ended);
    harness_send_text(&harness, R("/a") R("/b"));
    harness_expect_out(&harness, HELLO HELLO_CLOSE);
    assert_true(harness.ended);
    assert_int_equal(harness_stats(&harness).drained, 0);
    harness_fini(&harness);
}

/* An answer that was begun before has promised to go on, and the promise is kept. */
static void leaving_keeps_what_was_promised(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/"));
    http_engine_leave(harness.engine);
    harness_turn(&harness);
    harness_expect_out(&harness, HELLO);
    assert_false(harness.ended);
    http_engine_drain(harness.engine);
    harness_turn(&harness);
    assert_true(harness.ended);
    assert_int_equal(harness_stats(&harness).drained, 1);
    harness_fini(&harness);
}

/* ---- destroy --------------------------------------------------------------------------------- */

/* Each exchange ends, in whatever state its connection is; the log is read afterwards. */
static void destroying_ends_every_exchange(void **state)
{
    static const struct {
        const char *input;
        const char *log;
        bool keeps;
    } rows[] = {
        {"", "", false},
        {"GET / HTTP/1.1\r\n", "open GET / - shutdown\n", false},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc", "open POST / - shutdown\n",
         false},
        {R("/later"), "open handle abandoned GET /later - shutdown\n", false},
        {R("/later"), "open handle abandoned GET /later - shutdown\n", true},
        {R("/big"), "open handle GET /big 200 shutdown\n", false},
        {"BROKEN\r\n\r\n", "open _OTHER  400 bad_request\n", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness.keeps_abandoned = rows[i].keeps;
        harness_push(&harness, rows[i].input, strlen(rows[i].input));
        harness_turn_unread(&harness);
        http_engine_destroy(harness.engine);
        harness.engine = NULL;
        harness_expect_log(&harness, rows[i].log);
        harness_fini(&harness);
    }
}

static void destroying_many_at_once(void **state)
{
    struct harness harness;
    int clients[100];
    (void)state;
    harness_init(&harness);
    for (int i = 0; i < 100; i++) {
        harness_connect(&harness);
        harness_push(&harness, R("/") "GET", strlen(R("/")) + (i % 2 ? 3 : 0));
        clients[i] = dup(harness.client);
    }
    harness_turn(&harness);
    assert_int_equal(harness_stats(&harness).connections, 100);
    assert_int_equal(harness_stats(&harness).exchanges, 50);
    http_engine_destroy(harness.engine);
    harness.engine = NULL;
    assert_int_equal(harness_log_lines(&harness), 150);
    for (int i = 0; i < 100; i++) {
        close(clients[i]);
    }
    harness_fini(&harness);
}

/* ---- memory ---------------------------------------------------------------------------------- */

#define CROWD 300

/* Also when nobody is left: a crowd that came, began a request and went leaves nothing behind but
 * what the pools keep. */
static void a_crowd_leaves_nothing_behind(void **state)
{
    struct harness harness;
    int clients[CROWD];
    (void)state;
    harness_init(&harness);
    for (int i = 0; i < CROWD; i++) {
        harness_connect(&harness);
        harness_push(&harness, "GET", 3);
        clients[i] = dup(harness.client);
    }
    harness_turn(&harness);
    assert_int_equal(harness_stats(&harness).exchanges, CROWD);
    assert_true(harness.engine->connection_slabs.count > 1);
    for (int i = 0; i < CROWD; i++) {
        close(clients[i]);
    }
    harness_close(&harness);
    harness_wait_log(&harness, CROWD);
    assert_int_equal(harness_stats(&harness).connections, 0);
    assert_int_equal(harness.engine->connection_slabs.count, 1);
    assert_int_equal(harness.engine->exchange_pool.free_count, CROWD);
    for (int i = 0; i < 100 && event_pending(harness.engine->sweep, EV_TIMEOUT, NULL); i++) {
        event_base_loop(harness.base, EVLOOP_ONCE);
    }
    assert_int_equal(harness.engine->exchange_pool.free_count, harness.engine->exchange_pool.keep);
    assert_false(event_pending(harness.engine->sweep, EV_TIMEOUT, NULL)); /* nobody is woken */
    harness_fini(&harness);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static struct sockaddr_in seen_local;
static struct sockaddr_in seen_peer;

static void look_at_addresses(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    memcpy(&seen_local, http_exchange_local(exchange), sizeof seen_local);
    memcpy(&seen_peer, http_exchange_peer(exchange), sizeof seen_peer);
    exchange->response.status = 204;
    http_exchange_respond(exchange);
}

static struct sockaddr_in loopback(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(address)}};
}

/* A real TCP socket: behind a wildcard listener the local address is asked for, else known. */
static void addresses(void **state)
{
    const struct sockaddr_in any = loopback(INADDR_ANY, 7);
    const struct sockaddr_in fixed = loopback(0x7f000005, 7);
    struct sockaddr_in bound = loopback(INADDR_LOOPBACK, 0);
    socklen_t size = sizeof bound;
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.service.handle = look_at_addresses;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&bound, size), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&bound, &size), 0);
    for (int wildcard = 0; wildcard < 2; wildcard++) {
        harness_close(&harness);
        harness.client = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(harness.client, (struct sockaddr *)&bound, sizeof bound), 0);
        struct sockaddr_in peer;
        size = sizeof peer;
        const int fd = accept4(listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK);
        assert_int_equal(http_engine_adopt(harness.engine, fd, (struct sockaddr *)&peer,
                                           (const struct sockaddr *)(wildcard ? &any : &fixed)),
                         0);
        harness_send_text(&harness, R("/"));
        for (int i = 0; i < 1000 && harness_log_lines(&harness) < (size_t)wildcard + 1; i++) {
            harness_turn(&harness);
        }
        assert_int_equal(seen_peer.sin_port, peer.sin_port);
        assert_int_equal(seen_local.sin_port, wildcard ? bound.sin_port : htons(7));
        assert_int_equal(ntohl(seen_local.sin_addr.s_addr),
                         wildcard ? INADDR_LOOPBACK : 0x7f000005);
    }
    close(listener);
    harness_fini(&harness);
}

static void a_connection_at_rest_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct http_connection) <= 400);
}

/* A connection that has not asked yet when the engine drains gets a moment to do so, no more. */
static void draining_grants_a_moment_to_who_has_not_asked(void **state)
{
    struct http_limits limits;
    struct harness harness;
    (void)state;
    harness_defaults(&limits);
    limits.idle_ms = limits.head_ms = limits.linger_ms = 20;
    harness_init_with(&harness, &limits);
    harness_connect(&harness);
    http_engine_drain(harness.engine);
    assert_int_equal(harness_stats(&harness).connections, 1);
    assert_int_equal(harness_stats(&harness).drained, 0);
    harness_wait_end(&harness);
    harness_expect_out(&harness, "");
    assert_int_equal(harness_stats(&harness).drained, 1);
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_closes_the_idle),
        cmocka_unit_test(draining_serves_what_has_arrived),
        cmocka_unit_test(draining_completes_what_has_begun),
        cmocka_unit_test(draining_waits_for_the_handler),
        cmocka_unit_test(draining_serves_late_arrivals),
        cmocka_unit_test(leaving_closes_after_the_next_answer),
        cmocka_unit_test(leaving_keeps_what_was_promised),
        cmocka_unit_test(destroying_ends_every_exchange),
        cmocka_unit_test(destroying_many_at_once),
        cmocka_unit_test(a_crowd_leaves_nothing_behind),
        cmocka_unit_test(addresses),
        cmocka_unit_test(a_connection_at_rest_is_small),
        cmocka_unit_test(draining_grants_a_moment_to_who_has_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
