/*
 * The whole engine fed through a socket, for targets: a run sends bytes cut in pieces, and what must
 * hold of every run is checked here. Each request is opened and closed once, in order; each that was
 * given a status has exactly one answer of that status, and after the last nothing follows.
 *
 * A target with `l` as its second byte is answered later, when all bytes have been sent; one with `e`
 * is answered with its body, one with `s` by a stream: a piece now, another one and the end later. The limits are small, so that inputs reach them.
 */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

#define WAITS 4
#define DONES 4096 /* exchanges of a run whose answers are looked at */

/* What blocks keep while they lie free in the engine's pools is poisoned (http/poison.h), and no leak. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "use_poisoned=1";
}

/* A closed exchange that was given a status. */
struct done {
    uint16_t status;
    bool is_head;
    size_t length;      /* of its content */
    const char *stream; /* what it is in place of that; NULL: no stream */
};

struct run {
    struct tel_buffer log; /* what the service was told, as text */
    struct tel_buffer out; /* what came back */
    struct http_exchange *waiting[WAITS];
    size_t waiting_count;
    size_t opened;
    size_t closed;
    size_t done_count;
    struct done done[DONES];
};

static struct run *current;
static struct event_base *base;
static struct http_engine *engine;

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- the service --------------------------------------------------------------------------- */

static char second_byte(const struct http_exchange *exchange)
{
    const struct http_slice *target = &exchange->request.target;
    return target->length > 1 ? target->data[1] : '\0';
}

static void on_open(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    check(current->opened == current->closed);
    current->opened++;
    exchange->want_body = second_byte(exchange) == 'e';
}

static void respond(struct http_exchange *exchange)
{
    exchange->response.status = 200;
    if (exchange->streamed) {
        if (http_stream_is_clear(exchange)) {
            http_stream_send(exchange, "more", 4);
        }
        http_stream_end(exchange);
        return;
    }
    exchange->response.body = (struct http_slice){"ok", 2};
    if (exchange->want_body) {
        exchange->response.body =
            (struct http_slice){exchange->request.body.data, exchange->request.body.length};
    }
    http_exchange_respond(exchange);
}

static void on_handle(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    check(exchange->error == HTTP_OK);
    check(exchange->request.target.length > 0);
    check(exchange->request.minor_version == 0 || exchange->request.minor_version == 1);
    const char kind = second_byte(exchange);
    const bool waits = (kind == 'l' || kind == 's') && current->waiting_count < WAITS;
    if (waits && kind == 's') {
        exchange->response.status = 200;
        if (!http_stream_begin(exchange)) {
            return;
        }
        http_stream_send(exchange, "ok", 2);
    }
    if (waits) {
        current->waiting[current->waiting_count++] = exchange;
    } else {
        respond(exchange);
    }
}

static void log_exchange(const struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    const char *error = http_error_name(exchange->error);
    tel_buffer_append_string(&current->log, http_method_name(request->method));
    tel_buffer_append_char(&current->log, ' ');
    if (request->target.data != NULL) {
        tel_buffer_append(&current->log, request->target.data, request->target.length);
    }
    tel_buffer_append_format(&current->log, " %zu %zu %u %s\n", request->field_count,
                             request->body.length, exchange->response.status,
                             error != NULL ? error : "ok");
    for (size_t i = 0; exchange->error == HTTP_OK && i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        check(field->name.length > 0);
        tel_buffer_append(&current->log, field->name.data, field->name.length);
        tel_buffer_append_char(&current->log, '=');
        tel_buffer_append(&current->log, field->value.data, field->value.length);
    }
}

static const char *stream_of(const struct http_exchange *exchange)
{
    if (!exchange->streamed) {
        return NULL;
    }
    return exchange->request.minor_version > 0 ? "2\r\nok\r\n4\r\nmore\r\n0\r\n\r\n" : "okmore";
}

static void on_close(struct http_exchange *exchange, void *argument)
{
    (void)argument;
    current->closed++;
    check(current->closed == current->opened);
    check(exchange->request.body.length <= 64);
    log_exchange(exchange);
    if (exchange->bytes_sent > 0 && current->done_count < DONES) {
        current->done[current->done_count++] =
            (struct done){.status = exchange->response.status,
                          .is_head = exchange->request.method == HTTP_METHOD_HEAD,
                          .length = exchange->response.body.length,
                          .stream = stream_of(exchange)};
    }
}

/* ---- what came back ------------------------------------------------------------------------ */

/* The unread end of a run's output. */
struct output {
    const char *at;
    const char *end;
};

static struct output output_of(const struct run *run)
{
    const char *begin = run->out.length > 0 ? run->out.data : "";
    return (struct output){begin, begin + run->out.length};
}

/* Takes the head of a response; its status, and its Content-Length where it has one. */
static unsigned take_head(struct output *output, size_t *length)
{
    static const char version[] = "HTTP/1.1 ";
    const size_t left = (size_t)(output->end - output->at);
    const char *stop = memmem(output->at, left, "\r\n\r\n", 4);
    check(stop != NULL && memcmp(output->at, version, sizeof version - 1) == 0);
    const unsigned status = (unsigned)strtoul(output->at + sizeof version - 1, NULL, 10);
    *length = 0;
    for (const char *line = output->at; line < stop; line++) {
        line = memmem(line, (size_t)(stop - line), "\r\n", 2);
        if (line == NULL) {
            break;
        }
        if (strncasecmp(line + 2, "content-length: ", 16) == 0) {
            *length = strtoul(line + 18, NULL, 10);
        }
    }
    output->at = stop + 4;
    return status;
}

/* One final answer for each that was done, in order, each perhaps after one 100; then at most a 100
 * whose request was never finished. */
static void check_out(const struct run *run)
{
    struct output output = output_of(run);
    size_t length;
    for (size_t i = 0; i < run->done_count; i++) {
        const struct done *done = &run->done[i];
        unsigned status = take_head(&output, &length);
        if (status == 100) {
            status = take_head(&output, &length);
        }
        check(status == done->status && length == done->length);
        if (done->stream != NULL) {
            length = strlen(done->stream);
        }
        length = done->is_head ? 0 : length;
        check(length <= (size_t)(output.end - output.at));
        check(done->stream == NULL || memcmp(output.at, done->stream, length) == 0);
        output.at += length;
    }
    if (output.at < output.end && run->done_count < DONES) {
        check(take_head(&output, &length) == 100 && output.at == output.end);
    }
}

/* ---- one run ------------------------------------------------------------------------------- */

static void turn(int fd)
{
    char bytes[4096];
    ssize_t got;
    event_base_loop(base, EVLOOP_NONBLOCK);
    while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        tel_buffer_append(&current->out, bytes, (size_t)got);
    }
}

static void answer_waiting(int fd)
{
    /* An answer lets the requests behind it in, which may wait in their turn. */
    while (current->waiting_count > 0) {
        struct http_exchange *exchange = current->waiting[0];
        current->waiting_count--;
        memmove(current->waiting, current->waiting + 1,
                current->waiting_count * sizeof current->waiting[0]);
        respond(exchange);
        turn(fd);
    }
}

static void start_engine(void)
{
    static const struct http_limits limits = {.request_line_bytes = 64,
                                              .head_bytes = 256,
                                              .header_count = 6,
                                              .body_bytes = 64,
                                              .linger_ms = 60000};
    static const struct http_service service = {
        .open = on_open, .handle = on_handle, .close = on_close};
    if (engine == NULL) {
        base = event_base_new();
        engine = http_engine_create(base, &limits, &service);
        check(engine != NULL);
    }
}

/* Sends the bytes in pieces of that many, on a connection of its own. */
static void feed(struct run *run, const char *bytes, size_t size, size_t piece)
{
    struct http_engine_stats stats;
    int pair[2];
    start_engine();
    current = run;
    memset(run, 0, sizeof *run);
    tel_buffer_init(&run->log, 16 * 1024 * 1024);
    tel_buffer_init(&run->out, 16 * 1024 * 1024);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    check(http_engine_adopt(engine, pair[1], NULL, NULL) == 0);
    for (size_t at = 0; at < size; at += piece) {
        const size_t length = piece < size - at ? piece : size - at;
        if (send(pair[0], bytes + at, length, MSG_NOSIGNAL) < 0) {
            break; /* closed after a last response */
        }
        turn(pair[0]);
    }
    answer_waiting(pair[0]);
    shutdown(pair[0], SHUT_WR);
    turn(pair[0]);
    answer_waiting(pair[0]);
    close(pair[0]);
    event_base_loop(base, EVLOOP_NONBLOCK);
    http_engine_get_stats(engine, &stats);
    check(stats.connections == 0 && stats.exchanges == 0 && stats.lost == 0);
    check(run->opened == run->closed);
    check(run->log.error == 0 && run->out.error == 0);
    check_out(run);
}

static void forget(struct run *run)
{
    tel_buffer_fini(&run->log);
    tel_buffer_fini(&run->out);
}

/* Two runs of the same bytes: the same calls, the same answers but for their dates. */
static void check_same(const struct run *one, const struct run *other)
{
    check(one->log.length == other->log.length);
    check(one->log.length == 0 || memcmp(one->log.data, other->log.data, one->log.length) == 0);
    check(one->out.length == other->out.length);
}

#endif
