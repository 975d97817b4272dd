/*
 * The whole engine fed through a socket: whatever the bytes and however they are cut, each request
 * is opened and closed once, in order, what comes back is a row of well-formed responses, and the
 * same bytes in other pieces get the same answers.
 *
 * The first byte says how the second run is cut (0: byte by byte, else in pieces of that many). A
 * target with `l` as its second byte is answered later, when all bytes have been sent; one with `e`
 * is answered with its body. The limits are small, so that inputs reach them.
 */
#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WAITS 4

struct run {
    struct tel_buffer log;
    struct tel_buffer out;
    struct http_exchange *waiting[WAITS];
    size_t waiting_count;
    size_t opened;
    size_t closed;
    size_t answered; /* closed with a status */
};

static struct run *current;

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- the service ----------------------------------------------------------------------------- */

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
    if (second_byte(exchange) == 'l' && current->waiting_count < WAITS) {
        current->waiting[current->waiting_count++] = exchange;
    } else {
        respond(exchange);
    }
}

static void on_close(struct http_exchange *exchange, void *argument)
{
    const struct http_request *request = &exchange->request;
    const char *error = http_error_name(exchange->error);
    (void)argument;
    current->closed++;
    check(current->closed == current->opened);
    current->answered += exchange->response.status != 0;
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

/* ---- one run --------------------------------------------------------------------------------- */

static struct event_base *base;
static struct http_engine *engine;

static void init(void)
{
    static const struct http_limits limits = {.request_line_bytes = 64,
                                              .head_bytes = 256,
                                              .header_count = 6,
                                              .body_bytes = 64,
                                              .linger_ms = 60000};
    static const struct http_service service = {
        .open = on_open, .handle = on_handle, .close = on_close};
    base = event_base_new();
    engine = http_engine_create(base, &limits, &service);
    check(engine != NULL);
}

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

/* At least as many heads of final responses as exchanges with a status; an echoed body may hold
 * what looks like one more. */
static void check_out(const struct run *run)
{
    static const char version[] = "HTTP/1.1 ";
    static const char date[] = "\r\nDate: ";
    size_t finals = 0;
    const char *at = run->out.data;
    size_t left = run->out.length;
    while (left > 0 && (at = memmem(at, left, version, sizeof version - 1)) != NULL) {
        at += sizeof version - 1;
        left = (size_t)(run->out.data + run->out.length - at);
        finals += memmem(at, left < 60 ? left : 60, date, sizeof date - 1) != NULL;
    }
    check(finals >= run->answered);
}

static void feed(struct run *run, const uint8_t *data, size_t size, size_t piece)
{
    struct http_engine_stats stats;
    int pair[2];
    current = run;
    memset(run, 0, sizeof *run);
    tel_buffer_init(&run->log, 16 * 1024 * 1024);
    tel_buffer_init(&run->out, 16 * 1024 * 1024);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    check(http_engine_adopt(engine, pair[1], NULL, NULL) == 0);
    for (size_t at = 0; at < size; at += piece) {
        const size_t length = piece < size - at ? piece : size - at;
        if (send(pair[0], data + at, length, MSG_NOSIGNAL) < 0) {
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
    check_out(run);
}

static void fini(struct run *run)
{
    tel_buffer_fini(&run->log);
    tel_buffer_fini(&run->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole;
    struct run cut;
    if (engine == NULL) {
        init();
    }
    if (size < 2 || size > 8192) {
        return 0;
    }
    const size_t piece = data[0] > 0 ? data[0] : 1;
    feed(&whole, data + 1, size - 1, size);
    feed(&cut, data + 1, size - 1, piece);
    check(whole.log.length == cut.log.length);
    check(whole.log.length == 0 || memcmp(whole.log.data, cut.log.data, cut.log.length) == 0);
    check(whole.out.length == cut.out.length);
    fini(&whole);
    fini(&cut);
    return 0;
}
