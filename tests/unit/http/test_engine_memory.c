/*
 * The engine without memory: what it refuses, what it counts, and that it goes on afterwards.
 *
 * The engine's blocks come from malloc(3), its buffers' growth from realloc(3): FAULTS_MEMORY and
 * FAULTS_GROWTH of the library's faults.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults.h"
#include "harness.h"
#include "http/internal.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void without_memory_there_is_no_engine(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    struct faults faults = {.kinds = FAULTS_OURS | FAULTS_LIBEVENT};
    while (faults_next(&faults)) {
        struct http_engine *engine =
            http_engine_create(harness.base, &harness.limits, &harness.service);
        assert_int_equal(engine == NULL, faults_struck());
        assert_true(engine != NULL || errno == ENOMEM);
        http_engine_destroy(engine); /* NULL is fine */
    }
    assert_true(faults.turns > 4);
    harness_fini(&harness);
}

/* A request without memory gets the spare exchange and a 503. */
static void without_memory_requests_are_refused_and_counted(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    faults_refuse(FAULTS_MEMORY);
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_turn_unread(&harness);
    faults_stop();
    harness_turn(&harness);
    harness_expect_out(&harness, harness_refusal("503 Service Unavailable",
                                                 "no resources are left for this request", ""));
    harness_expect_log(&harness, "open _OTHER  503 overloaded\n");
    assert_int_equal(harness_stats(&harness).lost, 0);

    harness_connect(&harness); /* and the next one is served again */
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO);
    harness_fini(&harness);
}

/* The spare exchange is in use as well (taken away here): the connection is closed, and counted. */
static void without_the_spare_a_request_is_lost_and_counted(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    struct exchange *spare = harness.engine->spare;
    harness.engine->spare = NULL;
    faults_refuse(FAULTS_MEMORY);
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_turn_unread(&harness);
    faults_stop();
    harness.engine->spare = spare;
    harness_turn(&harness);
    assert_true(harness.ended);
    harness_expect_out(&harness, "");
    harness_expect_log(&harness, "");
    assert_int_equal(harness_stats(&harness).lost, 1);
    assert_int_equal(harness_stats(&harness).connections, 0);
    assert_int_equal(harness_stats(&harness).closed, 1);
    harness_fini(&harness);
}

static void without_memory_bytes_are_not_held(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/later"));
    faults_refuse(FAULTS_MEMORY);
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_turn_unread(&harness);
    faults_stop();
    harness_turn(&harness);
    harness_expect_log(&harness, "open handle abandoned GET /later - client_disconnected\n");
    assert_true(harness.ended);
    harness_fini(&harness);
}

/* What the socket does not take has no place to wait: the response ends where it was cut. */
static void without_memory_a_short_write_ends_the_response(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/")); /* warm */
    harness_expect_log(&harness, "open handle GET / 200 ok\n");
    faults_refuse(FAULTS_GROWTH);
    harness_push(&harness, R("/big"), strlen(R("/big")));
    harness_turn_unread(&harness);
    faults_stop();
    harness_expect_log(&harness, "open handle GET /big 200 write_overloaded\n");
    assert_true(harness.last.bytes_sent > 0);
    assert_int_equal(harness_stats(&harness).connections, 0);

    harness_connect(&harness); /* and the exchange that had no room is as good as new */
    harness_send_text(&harness, R("/big"));
    harness_expect_log(&harness, "open handle GET /big 200 ok\n");
    harness_fini(&harness);
}

/* Nor has a piece of a stream: it is told in the next turn, and ended. */
static void without_memory_a_stream_ends_at_the_piece(void **state)
{
    static char piece[HTTP_STREAM_PIECE_BYTES];
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream"));
    faults_refuse(FAULTS_GROWTH);
    harness.in_call = true;
    for (int i = 0; i < 64 && http_stream_is_clear(harness.waiting[0]); i++) {
        http_stream_send(harness.waiting[0], piece, sizeof piece);
    }
    harness.in_call = false;
    harness_turn_unread(&harness);
    faults_stop();
    harness_expect_log(&harness, "open handle abandoned GET /stream 200 write_overloaded\n");
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

/* Not even its head: there is no status then. */
static void without_memory_a_stream_has_no_head(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    faults_refuse(FAULTS_GROWTH);
    harness_push(&harness, R("/stream"), strlen(R("/stream")));
    harness_turn_unread(&harness);
    faults_stop();
    harness_expect_log(&harness, "open handle abandoned GET /stream - write_overloaded\n");
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

static void without_memory_content_is_refused(void **state)
{
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc";
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/")); /* warm */
    harness_expect_log(&harness, "open handle GET / 200 ok\n");
    faults_refuse(FAULTS_GROWTH);
    harness_push(&harness, post, sizeof post - 1);
    harness_turn_unread(&harness);
    faults_stop();
    harness_expect_log(&harness, "open POST /echo 503 overloaded\n");
    harness_fini(&harness);
}

/* There is room for some in what is allocated already; the first one beyond it is refused. */
static void a_refused_adoption_closes_the_socket(void **state)
{
    struct harness harness;
    int clients[SLAB_BYTES / sizeof(struct http_connection)];
    const size_t most = sizeof clients / sizeof clients[0];
    size_t count = 0;
    int adopted = 0;
    char byte;
    (void)state;
    harness_init(&harness);
    faults_refuse(FAULTS_MEMORY);
    while (adopted == 0 && count < most) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        clients[count++] = pair[0];
        adopted = http_engine_adopt(harness.engine, pair[1], NULL, NULL);
    }
    faults_stop();
    assert_int_equal(adopted, -ENOMEM);
    assert_int_equal(harness_stats(&harness).connections, count);
    assert_int_equal(harness_stats(&harness).closed, 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(recv(clients[i], &byte, 1, 0), i == count - 1 ? 0 : -1);
        close(clients[i]);
    }
    harness_fini(&harness);
}

/* Once warm, a request allocates nothing. */
static void warm_requests_allocate_nothing(void **state)
{
    static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/"));
    harness_send_text(&harness, post);
    for (int i = 0; i < 10; i++) {
        faults_refuse(FAULTS_MEMORY);
        harness_push(&harness, R("/"), strlen(R("/")));
        harness_push(&harness, post, sizeof post - 1);
        harness_turn_unread(&harness);
        faults_stop();
        assert_int_equal(harness.last.response.status, 200);
        assert_int_equal(harness.last.error, HTTP_OK);
    }
    assert_int_equal(harness_log_lines(&harness), 22);
    harness_fini(&harness);
}

/* Everything a request may be: small, large, with a body, waiting, malformed. */
static const char *const requests[] = {
    R("/"),
    R("/big"),
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    R("/later") R("/") R("/"),
    R("/stream") R("/"),
    R("/big?cut") R("/reset"),
    "GET / HTTP/9.9\r\n\r\n",
};

/* Each thing refused in turn, of the engine and of its loop: what was begun has ended, every exchange
 * is in the log or counted as lost, and the next connection is served. */
static void whatever_is_refused_every_request_is_accounted_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct faults faults = {.kinds = FAULTS_OURS | FAULTS_LIBEVENT};
        while (faults_next(&faults)) {
            struct harness harness;
            faults_stop();
            harness_init(&harness);
            faults_resume();
            harness_push(&harness, requests[i], strlen(requests[i]));
            harness_turn_unread(&harness);
            faults_stop();
            harness_close(&harness);
            harness_turn(&harness);
            while (harness.waiting_count > 0) {
                harness_answer(&harness);
            }
            harness_turn(&harness);
            const struct http_engine_stats stats = harness_stats(&harness);
            assert_int_equal(stats.exchanges, 0);
            assert_int_equal(stats.connections, 0);
            assert_true(harness_log_lines(&harness) + stats.lost >= 1);
            assert_true(stats.lost == 0 || faults_struck());
            tel_buffer_clear(&harness.log);
            harness_connect(&harness);
            harness_send_text(&harness, R("/"));
            harness_expect_out(&harness, HELLO);
            harness_fini(&harness);
        }
        assert_true(faults.turns > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_there_is_no_engine),
        cmocka_unit_test(without_memory_requests_are_refused_and_counted),
        cmocka_unit_test(without_the_spare_a_request_is_lost_and_counted),
        cmocka_unit_test(without_memory_bytes_are_not_held),
        cmocka_unit_test(without_memory_a_short_write_ends_the_response),
        cmocka_unit_test(without_memory_a_stream_ends_at_the_piece),
        cmocka_unit_test(without_memory_a_stream_has_no_head),
        cmocka_unit_test(without_memory_content_is_refused),
        cmocka_unit_test(a_refused_adoption_closes_the_socket),
        cmocka_unit_test(warm_requests_allocate_nothing),
        cmocka_unit_test(whatever_is_refused_every_request_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
