/*
 * The life of a request, from its first byte to its last.
 *
 *     begin ─> head complete ─> open ─> [body] ─> message complete ─> handle ┄> respond ─> sent
 *        └───────────┴────────────┴───────┴──> refuse ──────────────────────────┘
 *        └───────────┴────────────┴───────┴───────┴──────────────────┴─> give up
 *
 * Invariants: open is called once, handle at most once and never after a refusal, close once and
 * last; end_ns is set before close. `status` is what the client was sent a byte of, or 0.
 *
 * All the ways to end come through finish(): that is what makes the count of requests true.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "http/internal.h"

/* Only what a new request must not inherit: the arrays are large and keep their bytes. */
static void clear(struct exchange *exchange, struct http_connection *connection)
{
    struct http_exchange *shared = &exchange->shared;
    struct http_request *request = &shared->request;
    memset(&exchange->lines, 0,
           offsetof(struct exchange, parser) - offsetof(struct exchange, lines));
    memset(request, 0, offsetof(struct http_request, body));
    tel_buffer_clear(&request->body);
    request->body.limit = connection->engine->limits->body_bytes;
    request->minor_version = -1;
    request->head_bytes = connection->leading;
    shared->response.status = 0;
    shared->response.content_type = (struct http_slice){NULL, 0};
    shared->response.field_count = 0;
    shared->response.body = (struct http_slice){NULL, 0};
    shared->response.close = shared->response.truncated = false;
    shared->engine = connection->engine;
    shared->connection = connection;
    shared->error = HTTP_OK;
    shared->want_body = shared->abandoned = shared->responded = shared->last = false;
    shared->streamed = false;
    shared->bytes_sent = shared->read_ns = shared->first_byte_ns = shared->end_ns = 0;
    shared->start_ns = connection->clock_ns;
}

struct exchange *exchange_begin(struct http_connection *connection)
{
    struct http_engine *engine = connection->engine;
    bool spare;
    struct exchange *exchange = engine_take_exchange(engine, &spare);
    if (exchange == NULL) {
        count_add(&engine->lost, 1);
        connection_close(connection);
        return NULL;
    }
    clear(exchange, connection);
    exchange->spare = spare;
    exchange->head = (char *)&exchange->fields[engine->limits->header_count + 1];
    parse_begin(exchange);
    connection->exchange = exchange;
    connection->leading = 0;
    count_add(&engine->exchange_count, 1);
    return exchange;
}

static void open_once(struct exchange *exchange)
{
    const struct http_service *service = exchange->shared.engine->service;
    if (!exchange->opened) {
        exchange->opened = true;
        service->open(&exchange->shared, service->argument);
    }
}

/* A stream has no length that its client could miss the rest of: who leaves one that he was sent
 * something of has had enough, and nothing went wrong. Whom the service gave up keeps its reason. */
static bool was_left(const struct http_exchange *shared)
{
    return shared->streamed && shared->abandoned && shared->bytes_sent > 0 &&
           shared->error == HTTP_ERROR_CLIENT_DISCONNECTED;
}

/* The one end. Afterwards the exchange is the pool's. */
static void finish(struct exchange *exchange)
{
    struct http_exchange *shared = &exchange->shared;
    struct http_connection *connection = shared->connection;
    struct http_engine *engine = shared->engine;
    send_stop(exchange);
    if (shared->bytes_sent == 0) {
        shared->response.status = 0;
    }
    if (was_left(shared)) {
        shared->error = HTTP_OK;
    }
    shared->end_ns = connection->clock_ns;
    open_once(exchange);
    engine->service->close(shared, engine->service->argument);
    connection->exchange = NULL;
    connection->served++;
    count_add(&engine->exchange_count, UINT64_MAX);
    engine_give_exchange(engine, exchange);
}

/* ---- the way in ------------------------------------------------------------------------------ */

bool exchange_goes_on(struct exchange *exchange, enum send_status status)
{
    if (status == SEND_FAILED) {
        exchange_give_up(exchange, HTTP_ERROR_CLIENT_DISCONNECTED);
    } else if (status == SEND_EXHAUSTED) {
        exchange_give_up(exchange, HTTP_ERROR_WRITE_OVERLOADED);
    }
    return status == SEND_DONE || status == SEND_LATER;
}

void exchange_head_complete(struct exchange *exchange)
{
    const enum http_error error = policy_judge_head(exchange);
    if (error != HTTP_OK) {
        exchange_refuse(exchange, error);
        return;
    }
    open_once(exchange);
    if (exchange->framing == FRAMING_NONE) {
        exchange_message_complete(exchange);
        return;
    }
    exchange->shared.connection->state = STATE_BODY;
    if (exchange->shared.want_body && exchange->remaining > exchange->shared.request.body.limit) {
        exchange_refuse(exchange, HTTP_ERROR_BODY_TOO_LARGE); /* before a byte of it is sent */
    } else if (exchange->expects_continue) {
        exchange_goes_on(exchange, send_continue(exchange));
    }
}

void exchange_message_complete(struct exchange *exchange)
{
    struct http_connection *connection = exchange->shared.connection;
    const struct http_service *service = connection->engine->service;
    exchange->shared.read_ns = connection->clock_ns;
    connection->state = STATE_HANDLING;
    service->handle(&exchange->shared, service->argument);
    /* Whoever closed his side before this request was begun does not wait for it either. */
    if (connection_is_services(connection) && connection->eof) {
        exchange_give_up(connection->exchange, HTTP_ERROR_CLIENT_DISCONNECTED);
    }
}

/* ---- the way out ----------------------------------------------------------------------------- */

/* An engine that is leaving goes on while the client has more requests under way that arrived: those are
 * answered whole. */
bool exchange_is_last(const struct exchange *exchange)
{
    const struct http_exchange *shared = &exchange->shared;
    return shared->response.close || !exchange->keep_alive || shared->error != HTTP_OK ||
           (shared->engine->leaving && !connection_has_more(shared->connection));
}

/* Flat: the way of nearly every response, in one place, whoever else calls its parts. */
__attribute__((flatten)) static void start_sending(struct exchange *exchange)
{
    struct http_exchange *shared = &exchange->shared;
    shared->last = exchange_is_last(exchange);
    shared->connection->state = STATE_SENDING;
    response_check_status(&shared->response);
    const enum send_status status = send_response(exchange);
    if (exchange_goes_on(exchange, status) && status == SEND_DONE) {
        exchange_sent(exchange);
    }
}

void exchange_sent(struct exchange *exchange)
{
    struct http_connection *connection = exchange->shared.connection;
    /* Also where the engine began to drain after the head was sent: an idle connection delays the exit. */
    const bool last =
        exchange->shared.last || (connection->engine->draining && !connection_has_more(connection));
    /* A client that asked for the close expects no more than that, and who read a stream and has
     * nothing under way would only hold up an exit. */
    const bool linger = last && (exchange->keep_alive || exchange->shared.error != HTTP_OK) &&
                        (!exchange->shared.streamed || connection_has_more(connection));
    finish(exchange);
    if (last) {
        connection_end(connection, linger);
    } else {
        connection->state = STATE_IDLE;
    }
}

static void compose_refusal(struct exchange *exchange, enum http_error error)
{
    static const char type[] = "text/plain; charset=utf-8";
    struct http_response *response = &exchange->shared.response;
    const char *allow = exchange->shared.engine->service->allow;
    const struct http_slice reason = http_reason(error_status(error));
    const int length =
        snprintf(exchange->refusal, sizeof exchange->refusal, "%u %.*s: %s\n", error_status(error),
                 (int)reason.length, reason.data, http_error_detail(error));
    response->status = error_status(error);
    response->close = true;
    response->content_type = (struct http_slice){type, sizeof type - 1};
    response->body = (struct http_slice){exchange->refusal, (size_t)length};
    if (error == HTTP_ERROR_METHOD_REFUSED && allow != NULL) {
        http_response_add(response, "Allow", allow, strlen(allow));
    }
}

void exchange_refuse(struct exchange *exchange, enum http_error error)
{
    const struct http_service *service = exchange->shared.engine->service;
    policy_salvage_line(exchange);
    exchange->shared.error = error;
    compose_refusal(exchange, error);
    if (exchange->opened && service->refused != NULL) {
        service->refused(&exchange->shared, service->argument);
    }
    open_once(exchange);
    exchange->shared.responded = true;
    start_sending(exchange);
}

void exchange_tell(struct exchange *exchange)
{
    const struct http_service *service = exchange->shared.engine->service;
    exchange->untold = false;
    if (service->abandoned != NULL) {
        service->abandoned(&exchange->shared, service->argument);
    }
}

void exchange_let_go(struct exchange *exchange)
{
    struct http_connection *connection = exchange->shared.connection;
    finish(exchange);
    connection_close(connection);
}

/* The service has it: it is told, and the connection stays without its socket until it lets go. A
 * stream may break in the middle of any call of the service's, also for the sake of another exchange:
 * it is told when that is over. */
static void abandon(struct exchange *exchange, enum http_error error)
{
    struct http_exchange *shared = &exchange->shared;
    struct http_connection *connection = shared->connection;
    shared->abandoned = true;
    shared->error = error;
    connection_detach(connection);
    if (!shared->streamed || shared->engine->ending) {
        exchange_tell(exchange);
        return;
    }
    exchange->untold = true;
    if (!connection->ready) {
        engine_defer(connection);
    }
}

void exchange_give_up(struct exchange *exchange, enum http_error error)
{
    struct http_exchange *shared = &exchange->shared;
    struct http_connection *connection = shared->connection;
    if (connection_is_services(connection)) {
        abandon(exchange, error);
        return;
    }
    if (exchange->untold) {
        exchange_tell(exchange); /* the engine ends first */
        return;
    }
    policy_salvage_line(exchange);
    /* What was refused and told so stays what it was, as does what was abandoned before. */
    if (shared->error == HTTP_OK || (shared->bytes_sent == 0 && !shared->abandoned)) {
        shared->error = error;
    }
    finish(exchange);
    connection_close(connection);
}

/* ---- for the service ------------------------------------------------------------------------- */

/* The service has come to an answer. Returns whether it may: once. */
static bool enter(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    assert(!exchange->responded);
    if (exchange->responded) {
        return false;
    }
    exchange->responded = true;
    connection_enter(connection);
    if (connection->busy == 1) {
        engine_read_clock(connection); /* later than the turn in which the request was read */
    }
    return true;
}

void http_exchange_respond(struct http_exchange *exchange)
{
    struct exchange *own = exchange_of(exchange);
    struct http_connection *connection = exchange->connection;
    if (!enter(exchange)) {
        return;
    }
    if (connection->state == STATE_GONE) {
        exchange_let_go(own);
    } else {
        if (exchange->response.truncated && response_has_body(exchange)) {
            exchange->error = HTTP_ERROR_FAULT_TRUNCATED;
        }
        start_sending(own);
    }
    connection_leave(connection);
}

void http_exchange_reset(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    if (!enter(exchange)) {
        return;
    }
    if (connection->state != STATE_GONE) {
        engine_read_clock(connection); /* what sends reads it: nothing does here */
        connection_prepare_reset(connection);
        exchange->error = HTTP_ERROR_FAULT_RESET;
    }
    exchange_let_go(exchange_of(exchange));
    connection_leave(connection);
}
