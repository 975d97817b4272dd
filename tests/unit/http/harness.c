/*
 * The harness: see its header. The service is in harness_service.c.
 */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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
    harness->service = harness_service(harness);
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

/* Gives the engine its end. */
static void adopt(struct harness *harness, int client, int server)
{
    const struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(40000)};
    const struct sockaddr_in listener = {.sin_family = AF_INET, .sin_port = htons(8080)};
    harness_close(harness);
    harness->ended = harness->reset = false;
    harness->client = client;
    assert_int_equal(http_engine_adopt(harness->engine, server, (const struct sockaddr *)&peer,
                                       (const struct sockaddr *)&listener),
                     0);
}

void harness_connect(struct harness *harness)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    adopt(harness, pair[0], pair[1]);
}

void harness_connect_tcp(struct harness *harness)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    struct sockaddr *any = (struct sockaddr *)&address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, any, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, any, &length), 0);
    assert_int_equal(connect(client, any, length), 0);
    adopt(harness, client, accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    close(listener);
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
