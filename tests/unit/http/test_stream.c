/*
 * Streams: what goes over the wire, who waits, and whoever ends it.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "http/internal.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD_OF_STREAM \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
#define HEAD_OF_LAST                                                                       \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnect" \
    "ion: close\r\n\r\n"

static char piece[HTTP_STREAM_PIECE_BYTES];

/* The oldest stream. */
static struct http_exchange *stream_of(const struct harness *harness)
{
    assert_true(harness->waiting_count > 0);
    assert_true(harness->waiting[0]->streamed);
    return harness->waiting[0];
}

static void say(struct harness *harness, const char *bytes, size_t length)
{
    struct http_exchange *stream = stream_of(harness);
    assert_true(http_stream_is_clear(stream));
    harness->in_call = true;
    http_stream_send(stream, bytes, length);
    harness->in_call = false;
}

static void say_text(struct harness *harness, const char *text)
{
    say(harness, text, strlen(text));
}

/* Pieces until the socket is full, read by nobody; returns the bytes given. */
static size_t fill(struct harness *harness)
{
    size_t given = 0;
    memset(piece, 'p', sizeof piece);
    while (http_stream_is_clear(stream_of(harness))) {
        assert_true(given < 64 * sizeof piece);
        say(harness, piece, sizeof piece);
        given += sizeof piece;
    }
    return given;
}

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
        harness_expect_log(&harness, "open handle abandoned GET /stream 200 client_disconnected\n");
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
        harness_expect_log(&harness,
                           ends ? "open handle GET /stream 200 client_disconnected\n"
                                : "open handle abandoned GET /stream 200 client_disconnected\n");
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
                                 "open handle abandoned GET /stream 200 client_disconnected\n");
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
        harness_expect_log(&harness,
                           told ? "open handle abandoned GET /stream 200 client_disconnected\n"
                                : "open handle GET /stream 200 client_disconnected\n");
        assert_int_equal(harness_stats(&harness).connections, 0);
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
                                     "open handle abandoned GET /stream 200 client_disconnected\n");
        harness_fini(&harness);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_chunks),
        cmocka_unit_test(times_and_counts),
        cmocka_unit_test(old_clients_get_bytes_up_to_the_end),
        cmocka_unit_test(a_stream_without_content_is_over_at_once),
        cmocka_unit_test(requests_behind_a_stream_wait),
        cmocka_unit_test(what_the_socket_does_not_take_is_kept),
        cmocka_unit_test(an_ended_stream_must_be_read_in_time),
        cmocka_unit_test(what_streams_keep_is_bounded),
        cmocka_unit_test(a_client_that_leaves_ends_its_stream),
        cmocka_unit_test(a_piece_for_nobody),
        cmocka_unit_test(a_half_close_before_the_stream),
        cmocka_unit_test(an_abandoned_stream_waits_for_its_service),
        cmocka_unit_test(a_draining_engine_leaves_streams_alone),
        cmocka_unit_test(a_draining_engine_serves_what_waits_behind_a_stream),
        cmocka_unit_test(a_stream_on_a_draining_engine_is_the_last),
        cmocka_unit_test(destroy_ends_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
