/*
 * A response in pieces, for as long as its client stays.
 *
 *     begin ─> [send ─> clear]* ─> end ─> sending ─> sent
 *        └────────┴─ the client goes ─> gone ┄ told in the next turn ┄> end ─> closed
 *
 * A piece is one chunk, and one sendmsg(2). What the socket does not take waits as any response does
 * (send.c): counted, and given up with the others when it is too much. So a stream keeps at most a
 * piece, and its service, which asks whether it is clear, decides what its slow client misses.
 *
 * Invariant: an exchange that has begun to stream stays the service's until http_stream_end().
 *
 * Source: RFC 9112, 6.1 and 7.1 (chunks), 6.3 (what ends with the connection).
 */
#include <assert.h>
#include <stdio.h>
#include <sys/uio.h>

#include "http/internal.h"

static bool is_chunked(const struct http_exchange *exchange)
{
    return exchange->request.minor_version != 0;
}

/* Every call of the service's comes later than what the loop last read the clock for. */
static void enter(struct http_connection *connection)
{
    connection_enter(connection);
    if (connection->busy == 1) {
        engine_read_clock(connection);
    }
}

bool http_stream_begin(struct http_exchange *exchange)
{
    struct exchange *own = exchange_of(exchange);
    struct http_connection *connection = exchange->connection;
    assert(!exchange->responded);
    exchange->streamed = true;
    exchange->response.body = (struct http_slice){NULL, 0};
    response_check_status(&exchange->response);
    if (connection->state == STATE_GONE || !response_may_have_content(exchange)) {
        http_exchange_respond(exchange);
        return false;
    }
    exchange->responded = true;
    enter(connection);
    exchange->last = exchange_is_last(own) || !is_chunked(exchange);
    connection->state = STATE_STREAMING;
    exchange_goes_on(own, send_response(own));
    connection_leave(connection);
    return true;
}

bool http_stream_is_clear(const struct http_exchange *exchange)
{
    return exchange->connection->state == STATE_STREAMING &&
           !send_is_pending((const struct exchange *)exchange);
}

static enum send_status send_piece(struct exchange *own, const void *bytes, size_t length)
{
    char size[20];
    const int digits = snprintf(size, sizeof size, "%zx\r\n", length);
    struct iovec pieces[] = {{.iov_base = size, .iov_len = (size_t)digits},
                             {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length},
                             {.iov_base = "\r\n", .iov_len = 2}};
    return is_chunked(&own->shared) ? send_bytes(own, pieces, 3) : send_bytes(own, &pieces[1], 1);
}

void http_stream_send(struct http_exchange *exchange, const void *bytes, size_t length)
{
    struct exchange *own = exchange_of(exchange);
    const bool fits = length <= HTTP_STREAM_PIECE_BYTES && http_stream_is_clear(exchange);
    assert(fits);
    if (!fits || length == 0) { /* an empty chunk would be the last one */
        return;
    }
    connection_enter(exchange->connection);
    exchange_goes_on(own, send_piece(own, bytes, length));
    connection_leave(exchange->connection);
}

static enum send_status send_last(struct exchange *own)
{
    struct iovec piece = {.iov_base = "0\r\n\r\n", .iov_len = 5};
    if (is_chunked(&own->shared)) {
        return send_bytes(own, &piece, 1);
    }
    return send_is_pending(own) ? SEND_LATER : SEND_DONE;
}

void http_stream_end(struct http_exchange *exchange)
{
    struct exchange *own = exchange_of(exchange);
    struct http_connection *connection = exchange->connection;
    assert(exchange->streamed);
    enter(connection);
    if (connection->state == STATE_GONE) {
        exchange_let_go(own);
    } else {
        connection->state = STATE_SENDING;
        const enum send_status status = send_last(own);
        if (exchange_goes_on(own, status) && status == SEND_DONE) {
            exchange_sent(own);
        }
    }
    connection_leave(connection);
}

void http_stream_give_up(struct http_exchange *exchange, enum http_error error)
{
    struct http_connection *connection = exchange->connection;
    if (connection->state == STATE_STREAMING) {
        enter(connection);
        connection_abort(connection, error);
        connection_leave(connection);
    }
}
