/*
 * The states of a connection.
 *
 * A state is a row: what bytes do, what the end of the client's bytes does, what the deadline does,
 * and which limit sets it. Nobody else asks which state it is in order to do one thing or another
 * with bytes: to add a state is to add a row and its functions.
 *
 * Invariants: a feed function takes at least one byte or changes the state, so a turn ends; where
 * the row has none the bytes wait. HEAD, BODY, HANDLING, STREAMING, SENDING and GONE have an
 * exchange, the others have none.
 */
#include "http/internal.h"

/* ---- what bytes do --------------------------------------------------------------------------- */

/* RFC 9112, 2.2: empty lines before a request line are ignored. */
static size_t skip_empty_lines(struct http_connection *connection, const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && bytes[at] == (connection->carriage ? '\n' : '\r')) {
        connection->carriage = !connection->carriage;
        at++;
    }
    connection->leading += at;
    return at;
}

static size_t feed_head(struct http_connection *connection, const char *bytes, size_t length)
{
    struct exchange *exchange = connection->exchange;
    enum parse_status status;
    const size_t taken = parse_head(exchange, bytes, length, &status);
    connection->behind = length - taken;
    if (status == PARSE_DONE) {
        exchange_head_complete(exchange);
    } else if (status == PARSE_REFUSED) {
        exchange_refuse(exchange, exchange->raised);
    }
    return taken;
}

static size_t feed_idle(struct http_connection *connection, const char *bytes, size_t length)
{
    const size_t at = skip_empty_lines(connection, bytes, length);
    if (connection->leading > connection->engine->limits->head_bytes) {
        connection_close(connection);
        return length;
    }
    if (at == length) {
        connection->state = STATE_BLANK;
        return length;
    }
    struct exchange *exchange = exchange_begin(connection);
    if (exchange == NULL) {
        return length;
    }
    if (connection->timed_state == STATE_BLANK) {
        connection->timed_state = STATE_HEAD; /* the time began with the empty lines */
    }
    connection->state = STATE_HEAD;
    const bool malformed = connection->carriage || bytes[at] == '\n';
    connection->carriage = false;
    if (exchange->spare || malformed) {
        exchange_refuse(exchange, malformed ? HTTP_ERROR_BAD_REQUEST : HTTP_ERROR_OVERLOADED);
        return at;
    }
    return at + feed_head(connection, bytes + at, length - at);
}

static size_t feed_body(struct http_connection *connection, const char *bytes, size_t length)
{
    struct exchange *exchange = connection->exchange;
    enum parse_status status;
    const size_t taken = parse_body(exchange, bytes, length, &status);
    connection->behind = length - taken;
    if (status == PARSE_DONE) {
        exchange_message_complete(exchange);
    } else if (status == PARSE_REFUSED) {
        exchange_refuse(exchange, exchange->raised);
    }
    return taken;
}

static size_t feed_linger(struct http_connection *connection, const char *bytes, size_t length)
{
    (void)bytes;
    connection->lingered += length;
    if (connection->lingered > HTTP_LINGER_BYTES) {
        connection_close(connection);
    }
    return length;
}

static size_t feed_nobody(struct http_connection *connection, const char *bytes, size_t length)
{
    (void)connection;
    (void)bytes;
    return length;
}

/* ---- what ends and deadlines do -------------------------------------------------------------- */

static void do_nothing(struct http_connection *connection)
{
    (void)connection;
}

static void expire_idle(struct http_connection *connection)
{
    count_add(&connection->engine->idle_closed, 1);
    connection_close(connection);
}

static void expire_grace(struct http_connection *connection)
{
    count_add(&connection->engine->drained, 1);
    connection_close(connection);
}

static void expire_head(struct http_connection *connection)
{
    const enum http_error deferred = connection->exchange->deferred;
    exchange_refuse(connection->exchange, deferred != HTTP_OK ? deferred : HTTP_ERROR_HEAD_TIMEOUT);
}

static void expire_body(struct http_connection *connection)
{
    exchange_refuse(connection->exchange, HTTP_ERROR_BODY_TIMEOUT);
}

static void expire_write(struct http_connection *connection)
{
    connection_abort(connection, HTTP_ERROR_WRITE_TIMEOUT);
}

#define LIMIT(name) offsetof(struct http_limits, name)

const struct state_row state_rows[STATES] = {
    [STATE_IDLE] = {feed_idle, connection_close, expire_idle, LIMIT(idle_ms)},
    [STATE_GRACE] = {feed_idle, connection_close, expire_grace, LIMIT(linger_ms)},
    [STATE_BLANK] = {feed_idle, connection_close, connection_close, LIMIT(head_ms)},
    [STATE_HEAD] = {feed_head, connection_lose, expire_head, LIMIT(head_ms)},
    [STATE_BODY] = {feed_body, connection_lose, expire_body, LIMIT(body_ms)},
    [STATE_HANDLING] = {NULL, connection_lose, do_nothing, STATE_NO_LIMIT},
    [STATE_STREAMING] = {NULL, connection_lose, do_nothing, STATE_NO_LIMIT},
    [STATE_SENDING] = {NULL, do_nothing, expire_write, LIMIT(write_ms)},
    [STATE_LINGERING] = {feed_linger, connection_close, connection_close, LIMIT(linger_ms)},
    [STATE_GONE] = {NULL, do_nothing, do_nothing, STATE_NO_LIMIT},
    [STATE_CLOSED] = {feed_nobody, do_nothing, do_nothing, STATE_NO_LIMIT},
};
