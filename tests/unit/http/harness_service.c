/*
 * The harness's service. Everything is checked where it happens, so a test that forgets to look at
 * something still fails when the engine breaks the order of its calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

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
    response->truncated =
        exchange->request.query.length == 3 && memcmp(exchange->request.query.data, "cut", 3) == 0;
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
    } else if (path_is(exchange, "/reset")) {
        http_exchange_reset(exchange);
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
        answer(exchange);
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

struct http_service harness_service(struct harness *harness)
{
    return (struct http_service){.open = on_open,
                                 .handle = on_handle,
                                 .abandoned = on_abandoned,
                                 .close = on_close,
                                 .allow = "GET, HEAD, OPTIONS",
                                 .argument = harness};
}

void harness_answer(struct harness *harness)
{
    assert_true(harness->waiting_count > 0);
    struct http_exchange *exchange = harness->waiting[0];
    forget_waiting(harness, exchange);
    answer(exchange);
    harness_turn(harness);
}
