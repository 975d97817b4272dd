/*
 * The harness: see its header. Everything is checked where it happens, so a test that forgets to
 * look at something still fails when the engine breaks the order of its calls.
 */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK_OPEN   1u
#define MARK_HANDLE 2u

struct marks {
    uint32_t magic;
    uint32_t seen;
    char *big;
    char calls[64];
};

static struct marks *marks_of(struct http_exchange *exchange)
{
    struct marks *marks = (struct marks *)exchange->service;
    assert_int_equal(marks->magic, 0x1234567);
    return marks;
}

/* ---- the service ----------------------------------------------------------------------------- */

static bool path_is(const struct http_exchange *exchange, const char *path)
{
    const struct http_slice *have = &exchange->request.path;
    return have->length == strlen(path) && memcmp(have->data, path, have->length) == 0;
}

static void on_open(struct http_exchange *exchange, void *argument)
{
    struct marks *marks = (struct marks *)exchange->service;
    (void)argument;
    *marks = (struct marks){.magic = 0x1234567, .seen = MARK_OPEN};
    strcat(marks->calls, "open ");
    assert_true(exchange->start_ns > 0);
    assert_int_equal(exchange->end_ns == 0, exchange->error != HTTP_ERROR_CLIENT_DISCONNECTED &&
                                                exchange->error != HTTP_ERROR_SHUTDOWN &&
                                                exchange->error != HTTP_ERROR_WRITE_TIMEOUT);
    const bool little = path_is(exchange, "/little");
    exchange->want_body = little || path_is(exchange, "/echo");
    if (little) {
        exchange->request.body.limit = HARNESS_LITTLE;
    }
}

static void respond(struct http_exchange *exchange)
{
    struct http_response *response = &exchange->response;
    response->status = path_is(exchange, "/204") ? 204 : path_is(exchange, "/304") ? 304 : 200;
    response->content_type = (struct http_slice){"text/plain", 10};
    response->body = (struct http_slice){"hello\n", 6};
    response->close = path_is(exchange, "/close");
    if (exchange->want_body) {
        response->body =
            (struct http_slice){exchange->request.body.data, exchange->request.body.length};
    } else if (path_is(exchange, "/big")) {
        struct marks *marks = marks_of(exchange);
        void *block = NULL; /* not malloc(3), which a test may refuse to the engine */
        assert_int_equal(posix_memalign(&block, sizeof(void *), HARNESS_BIG), 0);
        marks->big = block;
        for (size_t i = 0; i < HARNESS_BIG; i++) {
            marks->big[i] = (char)('a' + i % 23);
        }
        response->body = (struct http_slice){marks->big, HARNESS_BIG};
        char *big = marks->big;
        http_exchange_respond(exchange);
        free(big); /* the body is borrowed until respond returns, no longer */
        return;
    }
    http_exchange_respond(exchange);
}

static bool starts_stream(const struct http_exchange *exchange)
{
    return path_is(exchange, "/stream") || path_is(exchange, "/stream204");
}

/* Answers, or ends the stream. */
static void answer(struct http_exchange *exchange)
{
    if (exchange->streamed) {
        http_stream_end(exchange);
    } else {
        respond(exchange);
    }
}

static void on_handle(struct http_exchange *exchange, void *argument)
{
    struct harness *harness = argument;
    struct marks *marks = marks_of(exchange);
    assert_int_equal(marks->seen, MARK_OPEN);
    assert_int_equal(exchange->error, HTTP_OK);
    assert_true(exchange->read_ns >= exchange->start_ns);
    marks->seen |= MARK_HANDLE;
    strcat(marks->calls, "handle ");
    if (starts_stream(exchange)) {
        exchange->response.status = path_is(exchange, "/stream204") ? 204 : 200;
        exchange->response.content_type = (struct http_slice){"text/plain", 10};
        if (!http_stream_begin(exchange)) {
            return;
        }
    } else if (!path_is(exchange, "/later")) {
        respond(exchange);
        return;
    }
    assert_true(harness->waiting_count < HARNESS_WAITS);
    harness->waiting[harness->waiting_count++] = exchange;
}

static void forget_waiting(struct harness *harness, const struct http_exchange *exchange)
{
    for (size_t i = 0; i < harness->waiting_count; i++) {
        if (harness->waiting[i] == exchange) {
            harness->waiting_count--;
            memmove(&harness->waiting[i], &harness->waiting[i + 1],
                    (harness->waiting_count - i) * sizeof harness->waiting[0]);
        }
    }
}

static void on_abandoned(struct http_exchange *exchange, void *argument)
{
    struct harness *harness = argument;
    assert_true(exchange->abandoned);
    assert_false(harness->in_call); /* a service may go through a list of its streams */
    strcat(marks_of(exchange)->calls, "abandoned ");
    if (!harness->keeps_abandoned) {
        forget_waiting(harness, exchange);
        answer(exchange);
    }
}

static void on_close(struct http_exchange *exchange, void *argument)
{
    struct harness *harness = argument;
    const struct http_request *request = &exchange->request;
    const char *error = http_error_name(exchange->error);
    char status[8] = "-";
    struct marks *marks = marks_of(exchange);
    forget_waiting(harness, exchange);
    assert_true(marks->seen & MARK_OPEN);
    assert_true(exchange->end_ns >= exchange->start_ns);
    assert_int_equal(exchange->bytes_sent == 0, exchange->first_byte_ns == 0);
    assert_int_equal(exchange->bytes_sent == 0, exchange->response.status == 0);
    if (exchange->response.status != 0) {
        snprintf(status, sizeof status, "%u", exchange->response.status);
    }
    tel_buffer_append_format(&harness->log, "%s%s %.*s %s %s\n", marks->calls,
                             http_method_name(request->method), (int)request->target.length,
                             request->target.data != NULL ? request->target.data : "", status,
                             error != NULL ? error : "ok");
    memcpy(&harness->last, exchange, offsetof(struct http_exchange, service));
    marks->magic = 0; /* a second close, or any call after it, is found out */
}

/* ---- life ------------------------------------------------------------------------------------ */

void harness_defaults(struct http_limits *limits)
{
    *limits = (struct http_limits){
        .request_line_bytes = 8192,
        .head_bytes = 32768,
        .header_count = 100,
        .body_bytes = 100000,
        .idle_ms = 60000,
        .head_ms = 60000,
        .body_ms = 60000,
        .write_ms = 60000,
        .linger_ms = 60000,
    };
}

void harness_init_with(struct harness *harness, const struct http_limits *limits)
{
    memset(harness, 0, sizeof *harness);
    harness->limits = *limits;
    harness->service = (struct http_service){.open = on_open,
                                             .handle = on_handle,
                                             .abandoned = on_abandoned,
                                             .close = on_close,
                                             .allow = "GET, HEAD, OPTIONS",
                                             .argument = harness};
    harness->client = -1;
    harness->base = event_base_new();
    assert_non_null(harness->base);
    harness->engine = http_engine_create(harness->base, &harness->limits, &harness->service);
    assert_non_null(harness->engine);
    tel_buffer_init(&harness->raw, 256 * 1024 * 1024);
    tel_buffer_init(&harness->log, 16 * 1024 * 1024);
    assert_int_equal(tel_buffer_reserve(&harness->log, 4096), 0); /* for tests without memory */
    harness_connect(harness);
}

void harness_init(struct harness *harness)
{
    struct http_limits limits;
    harness_defaults(&limits);
    harness_init_with(harness, &limits);
}

void harness_fini(struct harness *harness)
{
    http_engine_destroy(harness->engine);
    harness_close(harness);
    event_base_free(harness->base);
    tel_buffer_fini(&harness->raw);
    tel_buffer_fini(&harness->log);
    free(harness->out);
}

void harness_connect(struct harness *harness)
{
    int pair[2];
    const struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(40000)};
    const struct sockaddr_in listener = {.sin_family = AF_INET, .sin_port = htons(8080)};
    harness_close(harness);
    harness->ended = harness->reset = false;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    harness->client = pair[0];
    assert_int_equal(http_engine_adopt(harness->engine, pair[1], (const struct sockaddr *)&peer,
                                       (const struct sockaddr *)&listener),
                     0);
}

void harness_close(struct harness *harness)
{
    if (harness->client >= 0) {
        close(harness->client);
        harness->client = -1;
    }
}

void harness_half_close(struct harness *harness)
{
    assert_int_equal(shutdown(harness->client, SHUT_WR), 0);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Takes what has come. Returns whether anything had. */
static bool take(struct harness *harness)
{
    char bytes[65536];
    bool any = false;
    while (harness->client >= 0 && !harness->ended) {
        const ssize_t got = recv(harness->client, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) {
            tel_buffer_append(&harness->raw, bytes, (size_t)got);
            assert_int_equal(harness->raw.error, 0);
        } else if (got < 0 && errno == EAGAIN) {
            break;
        } else {
            harness->ended = true;
            harness->reset = got < 0;
        }
        any = true;
    }
    return any;
}

void harness_turn_unread(struct harness *harness)
{
    for (int i = 0; i < 4; i++) {
        event_base_loop(harness->base, EVLOOP_NONBLOCK);
    }
}

void harness_turn(struct harness *harness)
{
    size_t logged;
    do {
        logged = harness->log.length;
        harness_turn_unread(harness);
    } while (take(harness) || harness->log.length != logged);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void harness_wait_end(struct harness *harness)
{
    const double limit = seconds() + 20;
    while (!harness->ended) {
        assert_true(seconds() < limit);
        event_base_loop(harness->base, EVLOOP_ONCE);
        take(harness);
    }
}

size_t harness_log_lines(const struct harness *harness)
{
    size_t lines = 0;
    for (size_t i = 0; i < harness->log.length; i++) {
        lines += harness->log.data[i] == '\n';
    }
    return lines;
}

void harness_wait_log(struct harness *harness, size_t lines)
{
    const double limit = seconds() + 20;
    while (harness_log_lines(harness) < lines) {
        assert_true(seconds() < limit);
        event_base_loop(harness->base, EVLOOP_ONCE);
    }
}

size_t harness_push(struct harness *harness, const char *bytes, size_t length)
{
    const ssize_t sent = send(harness->client, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? (size_t)sent : 0;
}

void harness_send(struct harness *harness, const char *bytes, size_t length, size_t piece)
{
    size_t at = 0;
    int stuck = 0;
    while (at < length && stuck < 1000) {
        const size_t want = piece > 0 && piece < length - at ? piece : length - at;
        const size_t sent = harness_push(harness, bytes + at, want);
        at += sent;
        stuck = sent > 0 ? 0 : stuck + 1;
        harness_turn(harness);
        if (sent == 0 && harness->ended) {
            return; /* the engine has closed: what else was to be sent has no reader */
        }
    }
    assert_true(stuck < 1000);
}

void harness_send_text(struct harness *harness, const char *text)
{
    harness_send(harness, text, strlen(text), 0);
}

void harness_answer(struct harness *harness)
{
    assert_true(harness->waiting_count > 0);
    struct http_exchange *exchange = harness->waiting[0];
    forget_waiting(harness, exchange);
    answer(exchange);
    harness_turn(harness);
}

/* ---- expectations ---------------------------------------------------------------------------- */

/* Copies the raw bytes without their Date headers, each of which must be well-formed. */
static void cut_dates(struct harness *harness)
{
    static const char model[] = "Date: Aaa, 00 Aaa 0000 00:00:00 GMT\r\n";
    char *raw = harness->raw.data;
    char *end = raw + harness->raw.length;
    free(harness->out);
    char *out = harness->out = malloc(harness->raw.length + 1);
    assert_non_null(out);
    while (raw < end) {
        if ((size_t)(end - raw) >= sizeof model - 1 && memcmp(raw, "Date: ", 6) == 0) {
            for (size_t i = 0; model[i] != '\0'; i++, raw++) {
                const bool digit = *raw >= '0' && *raw <= '9';
                assert_int_equal(digit, model[i] == '0');
                assert_true(digit || *raw == model[i] || (model[i] == 'A' && *raw >= 'A') ||
                            (model[i] == 'a' && *raw >= 'a'));
            }
        } else {
            *out++ = *raw++;
        }
    }
    *out = '\0';
    harness->out_length = (size_t)(out - harness->out);
    tel_buffer_clear(&harness->raw);
}

void harness_expect_out(struct harness *harness, const char *expected)
{
    cut_dates(harness);
    assert_string_equal(harness->out, expected);
}

void harness_expect_log(struct harness *harness, const char *expected)
{
    tel_buffer_append_char(&harness->log, '\0');
    assert_string_equal(harness->log.data, expected);
    tel_buffer_clear(&harness->log);
}

const char *harness_refusal(const char *status, const char *detail, const char *headers)
{
    static char bytes[1024];
    snprintf(bytes, sizeof bytes,
             "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
             "%sConnection: close\r\n\r\n%s: %s\n",
             status, strlen(status) + strlen(detail) + 3, headers, status, detail);
    return bytes;
}

struct http_engine_stats harness_stats(const struct harness *harness)
{
    struct http_engine_stats stats;
    http_engine_get_stats(harness->engine, &stats);
    return stats;
}
