/*
 * Streams: what goes over the wire, who waits for whom, and clients that do not read. How they end is
 * in test_stream_ends.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

/* ---- the wire -------------------------------------------------------------------------------- */

static void pieces_are_chunks(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream"));
    harness_expect_out(&harness, HEAD_OF_STREAM);
    say_text(&harness, "one");
    harness_turn(&harness);
    harness_expect_out(&harness, "3\r\none\r\n");
    say_text(&harness, ""); /* is nothing, and not the end */
    say_text(&harness, "0123456789abcdef");
    say_text(&harness, "three");
    harness_turn(&harness);
    harness_expect_out(&harness, "10\r\n0123456789abcdef\r\n5\r\nthree\r\n");
    harness_expect_log(&harness, "");
    harness_answer(&harness);
    harness_expect_out(&harness, "0\r\n\r\n");
    harness_expect_log(&harness, "open handle GET /stream 200 ok\n");
    harness_send_text(&harness, R("/")); /* and the connection is in step */
    harness_expect_out(&harness, HELLO);
    harness_fini(&harness);
}

static void times_and_counts(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream"));
    const uint64_t first_byte_ns = stream_of(&harness)->first_byte_ns;
    assert_true(first_byte_ns > stream_of(&harness)->read_ns);
    say_text(&harness, "one");
    harness_answer(&harness);
    assert_int_equal(harness.last.first_byte_ns, first_byte_ns);
    assert_true(harness.last.end_ns > first_byte_ns);
    assert_int_equal(harness.last.bytes_sent, harness.raw.length);
    harness_fini(&harness);
}

/* To HTTP/1.0 the end of the connection is the end, whatever the client wished. */
static void old_clients_get_bytes_up_to_the_end(void **state)
{
    static const char *const requests[] = {
        "GET /stream HTTP/1.0\r\n\r\n", "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, requests[i]);
        say_text(&harness, "one");
        say_text(&harness, "two");
        harness_turn(&harness);
        assert_false(harness.ended);
        harness_answer(&harness);
        assert_true(harness.ended);
        assert_false(harness.reset);
        harness_expect_out(&harness, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                     "Connection: close\r\n\r\nonetwo");
        harness_expect_log(&harness, "open handle GET /stream 200 ok\n");
        harness_fini(&harness);
    }
}

static void a_stream_without_content_is_over_at_once(void **state)
{
    static const struct {
        const char *request;
        const char *out;
        const char *log;
    } rows[] = {
        {"HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_OF_STREAM,
         "open handle HEAD /stream 200 ok\nopen handle GET / 200 ok\n"},
        {"HEAD /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\n\r\n",
         "open handle HEAD /stream 200 ok\nopen handle GET / 200 ok\n"},
        {R("/stream204"), "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n",
         "open handle GET /stream204 204 ok\nopen handle GET / 200 ok\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_send_text(&harness, rows[i].request);
        assert_int_equal(harness.waiting_count, 0);
        harness_expect_out(&harness, rows[i].out);
        harness_send_text(&harness, R("/"));
        harness_expect_out(&harness, HELLO);
        harness_expect_log(&harness, rows[i].log);
        harness_fini(&harness);
    }
}

static void requests_behind_a_stream_wait(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream") R("/a"));
    harness_send_text(&harness, R("/b"));
    harness_expect_out(&harness, HEAD_OF_STREAM);
    harness_answer(&harness);
    harness_expect_out(&harness, "0\r\n\r\n" HELLO HELLO);
    harness_expect_log(&harness, "open handle GET /stream 200 ok\nopen handle GET /a 200 ok\n"
                                 "open handle GET /b 200 ok\n");
    harness_fini(&harness);
}

static void say_all_at_once(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    exchange->response.status = 200;
    if (http_stream_begin(exchange)) {
        http_stream_send(exchange, "all", 3);
        http_stream_end(exchange);
    }
}

static void a_stream_may_be_over_within_its_handler(void **state)
{
    static const char whole[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "3\r\nall\r\n0\r\n\r\n";
    char both[2 * sizeof whole];
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness.service.handle = say_all_at_once;
    harness_send_text(&harness, R("/a") R("/b"));
    snprintf(both, sizeof both, "%s%s", whole, whole);
    harness_expect_out(&harness, both);
    harness_expect_log(&harness, "open GET /a 200 ok\nopen GET /b 200 ok\n");
    harness_fini(&harness);
}

/* ---- slow readers ---------------------------------------------------------------------------- */

/* What the socket does not take is kept, the stream is not clear until it went out, and nothing of it
 * is lost or kept afterwards. */
static void what_the_socket_does_not_take_is_kept(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/stream"));
    harness_expect_out(&harness, HEAD_OF_STREAM);
    for (int round = 0; round < 2; round++) {
        const size_t pieces = fill(&harness) / sizeof piece;
        const struct exchange *own = exchange_of(stream_of(&harness));
        assert_in_range(harness.engine->unsent, 1, sizeof piece + 16);
        assert_int_equal(harness.engine->unsent, own->kept);
        /* No deadline: who reads nothing is the service's business. */
        assert_int_equal(own->shared.connection->timeout.deadline_ns, TIMEOUT_NEVER);
        harness_turn_unread(&harness);
        assert_false(http_stream_is_clear(stream_of(&harness)));
        harness_turn(&harness);
        assert_true(http_stream_is_clear(stream_of(&harness)));
        assert_int_equal(harness.engine->unsent, 0);
        assert_in_range(own->out.capacity, 0, HTTP_RETAINED_BYTES);
        assert_int_equal(harness.raw.length, pieces * (sizeof "40000\r\n\r\n" - 1 + sizeof piece));
        for (size_t i = 0; i < pieces; i++) {
            const char *chunk = harness.raw.data + i * (harness.raw.length / pieces);
            assert_memory_equal(chunk, "40000\r\n", 7);
            assert_memory_equal(chunk + 7, piece, sizeof piece);
        }
        tel_buffer_clear(&harness.raw);
    }
    harness_answer(&harness);
    harness_expect_out(&harness, "0\r\n\r\n");
    harness_expect_log(&harness, "open handle GET /stream 200 ok\n");
    harness_fini(&harness);
}

/* The end waits behind what is kept, and from then on there is a write timeout. */
static void an_ended_stream_must_be_read_in_time(void **state)
{
    (void)state;
    for (int reads = 0; reads < 2; reads++) {
        struct http_limits limits;
        struct harness harness;
        harness_defaults(&limits);
        limits.write_ms = reads ? 60000 : 20;
        harness_init_with(&harness, &limits);
        harness_send_text(&harness, R("/stream"));
        fill(&harness);
        http_stream_end(stream_of(&harness));
        harness_expect_log(&harness, "");
        if (reads) {
            harness_turn(&harness);
            assert_memory_equal(harness.raw.data + harness.raw.length - 7, "\r\n0\r\n\r\n", 7);
            assert_int_equal(harness.last.bytes_sent, harness.raw.length);
            harness_expect_log(&harness, "open handle GET /stream 200 ok\n");
        } else {
            harness_wait_log(&harness, 1);
            harness_expect_log(&harness, "open handle GET /stream 200 write_timeout\n");
        }
        harness_fini(&harness);
    }
}

/* Streams that nobody reads are bounded together, and the service that goes through its list of them is
 * told of those it lost when it has come to the end. */
static void what_streams_keep_is_bounded(void **state)
{
    enum { STREAMS = HTTP_UNSENT_BYTES / HTTP_STREAM_PIECE_BYTES + 16 };
    struct harness harness;
    int clients[STREAMS];
    const int little = 4096; /* so that the engine has to keep nearly all of a piece */
    size_t given_up = 0;
    (void)state;
    harness_init(&harness);
    for (size_t i = 0; i < STREAMS; i++) {
        harness_connect(&harness);
        const int fd = harness.engine->connections->fd;
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little), 0);
        harness_send_text(&harness, R("/stream"));
        clients[i] = dup(harness.client);
    }
    assert_int_equal(harness.waiting_count, STREAMS);
    harness.in_call = true;
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < STREAMS; i++) {
            if (http_stream_is_clear(harness.waiting[i])) {
                http_stream_send(harness.waiting[i], piece, sizeof piece);
            }
            assert_in_range(harness.engine->unsent, 0, HTTP_UNSENT_BYTES);
        }
    }
    for (size_t i = 0; i < STREAMS; i++) {
        given_up += harness.waiting[i]->abandoned;
    }
    assert_in_range(given_up, 1, STREAMS / 2);
    assert_true(harness.waiting[0]->abandoned); /* who has waited longest */
    assert_false(harness.waiting[STREAMS - 1]->abandoned);
    assert_int_equal(harness_log_lines(&harness), 0);
    harness.in_call = false;
    harness_turn_unread(&harness);
    assert_int_equal(harness_log_lines(&harness), given_up);
    assert_int_equal(harness.waiting_count, STREAMS - given_up);
    assert_memory_equal(harness.log.data,
                        "open handle abandoned GET /stream 200 write_overloaded\n", 55);
    for (size_t i = 0; i < STREAMS; i++) {
        close(clients[i]);
    }
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_chunks),
        cmocka_unit_test(times_and_counts),
        cmocka_unit_test(old_clients_get_bytes_up_to_the_end),
        cmocka_unit_test(a_stream_without_content_is_over_at_once),
        cmocka_unit_test(requests_behind_a_stream_wait),
        cmocka_unit_test(a_stream_may_be_over_within_its_handler),
        cmocka_unit_test(what_the_socket_does_not_take_is_kept),
        cmocka_unit_test(an_ended_stream_must_be_read_in_time),
        cmocka_unit_test(what_streams_keep_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
