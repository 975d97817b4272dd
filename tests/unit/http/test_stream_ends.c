/*
 * How streams end: by their client, by the engine, for want of memory.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

/* ---- ends ------------------------------------------------------------------------------------ */

enum leaving { CLOSES, HALF_CLOSES, LEAVES_UNREAD, LEAVES_FULL, LEAVES_AHEAD, LEAVINGS };

/* Closed or half-closed at rest; closed with bytes in its socket; closed while the stream waits for
 * room; closed behind more than is read ahead, where only the end is watched. */
static void leave(struct harness *harness, enum leaving leaving)
{
    static char ahead[HTTP_RECEIVE_BYTES + 1000];
    if (leaving == LEAVES_UNREAD) {
        say_text(harness, "unread");
    } else if (leaving == LEAVES_FULL) {
        fill(harness);
    } else if (leaving == LEAVES_AHEAD) {
        memset(ahead, 'x', sizeof ahead);
        harness_send(harness, ahead, sizeof ahead, 8192);
    }
    if (leaving == HALF_CLOSES) {
        harness_half_close(harness);
    } else {
        harness_close(harness);
    }
}

static void a_client_that_leaves_ends_its_stream(void **state)
{
    (void)state;
    for (int leaving = 0; leaving < LEAVINGS; leaving++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, R("/stream"));
        leave(&harness, (enum leaving)leaving);
        harness_turn_unread(&harness);
        harness_expect_log(&harness, "open handle abandoned GET /stream 200 ok\n");
        assert_true(harness.last.bytes_sent > 0);
        assert_true(harness.last.end_ns >= harness.last.first_byte_ns);
        assert_int_equal(harness.engine->unsent, 0);
        assert_int_equal(harness_stats(&harness).connections, 0);
        assert_int_equal(harness_stats(&harness).exchanges, 0);
        harness_fini(&harness);
    }
}

/* The client has gone, and it is the service's piece that finds out. */
static void a_piece_for_nobody(void **state)
{
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, R("/stream"));
        harness_close(&harness);
        say_text(&harness, "anybody?");
        assert_false(http_stream_is_clear(stream_of(&harness)));
        assert_true(stream_of(&harness)->abandoned);
        if (ends) { /* before it is told */
            http_stream_end(stream_of(&harness));
        }
        harness_turn_unread(&harness);
        harness_expect_log(&harness, ends ? "open handle GET /stream 200 ok\n"
                                          : "open handle abandoned GET /stream 200 ok\n");
        assert_int_equal(harness_stats(&harness).connections, 0);
        harness_fini(&harness);
    }
}

/* A farewell that came with the request: as of a handler that waits. */
static void a_half_close_before_the_stream(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_push(&harness, R("/big") R("/stream"), strlen(R("/big") R("/stream")));
    harness_turn_unread(&harness);
    harness_half_close(&harness);
    harness_turn(&harness);
    harness_expect_log(&harness, "open handle GET /big 200 ok\n"
                                 "open handle abandoned GET /stream 200 ok\n");
    harness_fini(&harness);
}

static void an_abandoned_stream_waits_for_its_service(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        struct harness harness;
        harness_init(&harness);
        harness.keeps_abandoned = true;
        harness.service.abandoned = told ? harness.service.abandoned : NULL;
        harness_send_text(&harness, R("/stream"));
        harness_close(&harness);
        harness_turn(&harness);
        harness_expect_log(&harness, "");
        assert_false(http_stream_is_clear(stream_of(&harness)));
        harness_answer(&harness);
        harness_expect_log(&harness, told ? "open handle abandoned GET /stream 200 ok\n"
                                          : "open handle GET /stream 200 ok\n");
        assert_int_equal(harness_stats(&harness).connections, 0);
        harness_fini(&harness);
    }
}

/* ---- the service's end ----------------------------------------------------------------------- */

/* A client that does not read is reset, and the service is told in the next turn. */
static void a_client_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        struct harness harness;
        harness_init(&harness);
        harness_connect_tcp(&harness);
        harness_send_text(&harness, R("/stream"));
        fill(&harness);
        http_stream_give_up(stream_of(&harness), HTTP_ERROR_WRITE_TIMEOUT);
        if (again) { /* it is given up already */
            http_stream_give_up(stream_of(&harness), HTTP_ERROR_SHUTDOWN);
        }
        harness_expect_log(&harness, "");
        assert_false(http_stream_is_clear(stream_of(&harness)));
        harness_wait_end(&harness);
        assert_true(harness.reset);
        harness_expect_log(&harness, "open handle abandoned GET /stream 200 write_timeout\n");
        assert_int_equal(harness.engine->unsent, 0);
        assert_int_equal(harness_stats(&harness).connections, 0);
        harness_fini(&harness);
    }
}

/* Nothing is to come of who has read a stream: the last one does not wait for its client's close. */
static void the_end_of_a_last_stream_waits_for_nobody(void **state)
{
    (void)state;
    for (int has_more = 0; has_more < 2; has_more++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, R("/stream"));
        stream_of(&harness)->last = true;
        if (has_more) { /* a close would reset what was sent */
            harness_push(&harness, R("/"), strlen(R("/")));
        }
        http_stream_end(harness.waiting[--harness.waiting_count]);
        assert_int_equal(harness_stats(&harness).connections, has_more);
        harness_turn(&harness);
        assert_true(harness.ended);
        assert_false(harness.reset);
        harness_expect_out(&harness, HEAD_OF_STREAM "0\r\n\r\n");
        harness_fini(&harness);
    }
}

/* ---- the engine's end ------------------------------------------------------------------------ */

static void a_draining_engine_leaves_streams_alone(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream"));
    http_engine_drain(harness.engine);
    say_text(&harness, "still here");
    harness_turn(&harness);
    harness_expect_out(&harness, HEAD_OF_STREAM "a\r\nstill here\r\n");
    harness_answer(&harness); /* and it delays nobody's exit then */
    assert_true(harness.ended);
    assert_false(harness.reset);
    harness_expect_out(&harness, "0\r\n\r\n");
    harness_expect_log(&harness, "open handle GET /stream 200 ok\n");
    harness_fini(&harness);
}

static void a_draining_engine_serves_what_waits_behind_a_stream(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream") R("/"));
    http_engine_drain(harness.engine);
    harness_answer(&harness);
    assert_true(harness.ended);
    harness_expect_out(&harness, HEAD_OF_STREAM "0\r\n\r\n" HELLO_CLOSE);
    harness_fini(&harness);
}

static void a_stream_on_a_draining_engine_is_the_last(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    http_engine_drain(harness.engine);
    harness_send_text(&harness, R("/stream"));
    harness_answer(&harness);
    assert_true(harness.ended);
    harness_expect_out(&harness, HEAD_OF_LAST "0\r\n\r\n");
    harness_fini(&harness);
}

/* The service is told there and then, also of one that it was to be told of in the next turn. */
static void destroy_ends_streams(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct harness harness;
        harness_init(&harness);
        harness.keeps_abandoned = keeps;
        harness_send_text(&harness, R("/stream"));
        const int client = dup(harness.client);
        harness_connect(&harness);
        harness_send_text(&harness, R("/stream") R("/"));
        close(client);
        say_text(&harness, "anybody?");
        http_engine_destroy(harness.engine);
        harness.engine = NULL;
        harness_expect_log(&harness, "open handle abandoned GET /stream 200 shutdown\n"
                                     "open handle abandoned GET /stream 200 ok\n");
        harness_fini(&harness);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_leaves_ends_its_stream),
        cmocka_unit_test(a_piece_for_nobody),
        cmocka_unit_test(a_half_close_before_the_stream),
        cmocka_unit_test(an_abandoned_stream_waits_for_its_service),
        cmocka_unit_test(a_client_that_takes_nothing_is_given_up),
        cmocka_unit_test(the_end_of_a_last_stream_waits_for_nobody),
        cmocka_unit_test(a_draining_engine_leaves_streams_alone),
        cmocka_unit_test(a_draining_engine_serves_what_waits_behind_a_stream),
        cmocka_unit_test(a_stream_on_a_draining_engine_is_the_last),
        cmocka_unit_test(destroy_ends_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
