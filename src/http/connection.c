/*
 * A socket and its state.
 *
 * A state is a row: what bytes do, what the end of the client's bytes does, what the deadline does,
 * and which limit sets it. Where bytes do nothing (the service has the exchange, or the socket is
 * full) they wait: up to HTTP_RECEIVE_BYTES are read ahead, then reading stops and TCP tells the
 * client; that the client goes away is noticed all the same.
 *
 * Every way in (readable, writable, deadline, the service's respond) is enclosed by
 * connection_enter() and connection_leave(). Between them functions only change the state; leave
 * brings event, deadline and memory in line with it. So no function in between need care who called
 * it, nothing is freed under a caller, and a thousand pipelined requests are a loop, not a
 * recursion.
 *
 * A half-close: the client's FIN ends a connection at rest and one in the middle of a request. What
 * came before it in full is answered. But a FIN while the service holds an exchange counts as a
 * client that has gone: from here it looks the same, and a service that waits on behalf of nobody
 * is the greater harm. A client that half-closes must expect that of handlers that wait.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/internal.h"

#define NO_LIMIT SIZE_MAX

_Static_assert(sizeof(struct http_connection) < 512, "a connection at rest is small");

struct state_row {
    size_t (*feed)(struct http_connection *connection, const char *bytes, size_t length);
    void (*eof)(struct http_connection *connection);
    void (*expired)(struct http_connection *connection);
    size_t limit; /* of http_limits, a uint32_t in milliseconds */
};
static const struct state_row rows[STATES];

/* ---- the socket ------------------------------------------------------------------------------ */

static void close_socket(struct http_connection *connection)
{
    if (connection->fd >= 0) {
        event_del(&connection->event);
        close(connection->fd);
        connection->fd = -1;
    }
    connection->reading = READING_OFF;
    timeout_clear(&connection->timeout);
}

void connection_close(struct http_connection *connection)
{
    close_socket(connection);
    connection->state = STATE_CLOSED;
}

void connection_detach(struct http_connection *connection)
{
    http_exchange_local(&connection->exchange->shared); /* the log asks for it later */
    close_socket(connection);
    connection->state = STATE_GONE;
}

void connection_end(struct http_connection *connection, bool linger)
{
    if (!linger || connection->eof || connection->engine->limits->linger_ms == 0 ||
        shutdown(connection->fd, SHUT_WR) != 0) {
        connection_close(connection);
    } else {
        connection->state = STATE_LINGERING;
    }
}

static bool has_held(const struct http_connection *connection)
{
    return connection->held_at < connection->held_end;
}

static void drop_held(struct http_connection *connection)
{
    if (connection->held != NULL) {
        pool_give(&connection->engine->held_pool, connection->held);
        connection->held = NULL;
    }
    connection->held_at = connection->held_end = 0;
}

bool connection_has_more(struct http_connection *connection)
{
    char byte;
    return connection->behind > 0 || has_held(connection) ||
           recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* The socket is broken. */
static void lose(struct http_connection *connection)
{
    if (connection->exchange != NULL) {
        exchange_give_up(connection->exchange, HTTP_ERROR_CLIENT_DISCONNECTED);
    } else {
        connection_close(connection);
    }
}

/* One recv(2). Returns how many bytes came; ends and errors have been seen to. */
static size_t receive(struct http_connection *connection, char *bytes, size_t size)
{
    const ssize_t got = recv(connection->fd, bytes, size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return 0;
    }
    engine_read_clock(connection);
    if (got > 0) {
        return (size_t)got;
    }
    if (got == 0) {
        connection->eof = true;
        rows[connection->state].eof(connection);
    } else {
        lose(connection);
    }
    return 0;
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* Feeds the bytes to one state after the other. Returns how many were taken: all, unless they must
 * wait or the turn is over. */
static size_t run(struct http_connection *connection, const char *bytes, size_t length)
{
    const uint64_t turn = connection->served + HTTP_TURN_REQUESTS;
    size_t at = 0;
    while (at < length && connection->served < turn && rows[connection->state].feed != NULL) {
        at += rows[connection->state].feed(connection, bytes + at, length - at);
    }
    return at;
}

static bool make_held(struct http_connection *connection)
{
    if (connection->held == NULL) {
        connection->held = pool_take(&connection->engine->held_pool);
        connection->held_at = connection->held_end = 0;
    }
    return connection->held != NULL;
}

static void read_and_run(struct http_connection *connection)
{
    char *bytes = connection->engine->scratch;
    const size_t length = receive(connection, bytes, HTTP_RECEIVE_BYTES);
    const size_t taken = run(connection, bytes, length);
    if (taken == length || connection->fd < 0) {
        return;
    }
    if (!make_held(connection)) {
        lose(connection);
        return;
    }
    memcpy(connection->held, bytes + taken, length - taken);
    connection->held_end = length - taken;
}

/* The state takes no bytes now: they are kept, also to see whether the client is still there. */
static void read_ahead(struct http_connection *connection)
{
    if (!make_held(connection)) {
        lose(connection);
        return;
    }
    char *held = connection->held;
    const size_t waiting = connection->held_end - connection->held_at;
    if (waiting == HTTP_RECEIVE_BYTES) {
        return;
    }
    if (connection->held_at > 0) {
        memmove(held, held + connection->held_at, waiting);
        connection->held_at = 0;
        connection->held_end = waiting;
    }
    connection->held_end += receive(connection, held + waiting, HTTP_RECEIVE_BYTES - waiting);
}

void connection_ready(struct http_connection *connection)
{
    connection_enter(connection);
    const size_t waiting = connection->held_end - connection->held_at;
    connection->held_at +=
        run(connection, connection->held + connection->held_at, waiting);
    connection_leave(connection);
}

void connection_writable(struct http_connection *connection)
{
    struct exchange *exchange = connection->exchange;
    connection_enter(connection);
    if (connection->state == STATE_SENDING) {
        connection->timed_state = STATES; /* progress: the deadline moves */
    }
    const enum send_status status = send_more(exchange);
    if (status == SEND_FAILED) {
        lose(connection);
    } else if (status == SEND_DONE && connection->state == STATE_SENDING) {
        exchange_sent(exchange);
    }
    connection_leave(connection);
}

/* Only the end of the connection is watched. EPOLLRDHUP comes as EV_CLOSED; a reset comes as
 * readable and writable, and the first look at a writable socket as writable: SO_ERROR tells. */
static void watch(struct http_connection *connection, short what)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if ((what & EV_CLOSED) != 0 || error != 0) {
        connection_enter(connection);
        engine_read_clock(connection);
        lose(connection);
        connection_leave(connection);
    }
}

static void on_event(evutil_socket_t fd, short what, void *argument)
{
    struct http_connection *connection = argument;
    (void)fd;
    if (connection->reading == READING_CLOSE) {
        watch(connection, what);
        return;
    }
    connection_enter(connection);
    if (rows[connection->state].feed == NULL) {
        read_ahead(connection);
    } else if (!has_held(connection)) {
        read_and_run(connection);
    }
    connection_leave(connection);
}

/* ---- entering and leaving -------------------------------------------------------------------- */

/* To watch for the end is edge-triggered, so that neither a writable socket nor unread data wakes
 * the loop again and again. libevent wants all events of a socket to be so or not to be so: it is
 * never set beside the write event. */
static int listen_for(struct http_connection *connection, enum reading reading)
{
    static const short events[] = {
        [READING_CLOSE] = EV_CLOSED | EV_WRITE | EV_ET | EV_PERSIST,
        [READING_ON] = EV_READ | EV_PERSIST,
    };
    if (connection->reading != READING_OFF) {
        event_del(&connection->event);
    }
    connection->reading = (uint8_t)reading;
    if (reading == READING_OFF) {
        return 0;
    }
    event_assign(&connection->event, connection->engine->base, connection->fd, events[reading],
                 on_event, connection);
    return event_add(&connection->event, NULL);
}

static enum reading wanted_reading(const struct http_connection *connection)
{
    const bool full = connection->held_end - connection->held_at == HTTP_RECEIVE_BYTES;
    if (connection->eof) {
        return READING_OFF;
    }
    if (rows[connection->state].feed != NULL || !full) {
        return READING_ON;
    }
    return connection->state == STATE_HANDLING && !connection->exchange->writing ? READING_CLOSE
                                                                                 : READING_OFF;
}

/* The deadline belongs to the state and the exchange in it: it moves when one of them has changed.
 */
static void set_deadline(struct http_connection *connection)
{
    if (connection->timed_state == connection->state &&
        connection->timed_served == connection->served) {
        return;
    }
    connection->timed_state = connection->state;
    connection->timed_served = connection->served;
    const size_t limit = rows[connection->state].limit;
    uint64_t deadline = TIMEOUT_NEVER;
    if (limit != NO_LIMIT) {
        uint32_t ms;
        memcpy(&ms, (const char *)connection->engine->limits + limit, sizeof ms);
        deadline = ms > 0 ? connection->engine->now_ns + ms * UINT64_C(1000000) : TIMEOUT_NEVER;
    }
    timeout_set(&connection->engine->timeouts, &connection->timeout, deadline);
}

void connection_enter(struct http_connection *connection)
{
    connection->busy++;
    if (connection->reading == READING_CLOSE) {
        listen_for(connection, READING_OFF);
    }
}

void connection_leave(struct http_connection *connection)
{
    if (connection->busy > 1) {
        connection->busy--;
        return;
    }
    if (!has_held(connection)) {
        drop_held(connection);
        if (connection->eof && rows[connection->state].feed != NULL) {
            rows[connection->state].eof(connection);
        }
    }
    if (connection->fd >= 0) {
        const enum reading reading = wanted_reading(connection);
        if (reading != connection->reading && listen_for(connection, reading) != 0) {
            lose(connection);
        }
    }
    connection->behind = 0;
    connection->busy = 0;
    if (connection->state == STATE_CLOSED) {
        drop_held(connection);
        if (!connection->ready) {
            engine_release(connection);
        }
        return;
    }
    set_deadline(connection);
    if (has_held(connection) && rows[connection->state].feed != NULL && !connection->ready) {
        engine_defer(connection);
    }
}

int connection_start(struct http_connection *connection)
{
    const int on = 1;
    /* A response is one write; with Nagle's algorithm the second of two pipelined ones would wait
     * for the first one's acknowledgement. Sockets that are not TCP refuse it. */
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* A draining engine gives a client that was just accepted the time to say something. */
    connection->state = connection->engine->draining ? STATE_BLANK : STATE_IDLE;
    connection->timed_state = STATES;
    if (listen_for(connection, READING_ON) != 0) {
        return -ENOMEM;
    }
    connection_enter(connection);
    connection_leave(connection);
    return 0;
}

void connection_drain(struct http_connection *connection)
{
    connection_enter(connection);
    if (connection->exchange == NULL && !has_held(connection) && connection->fd >= 0 &&
        connection->state != STATE_LINGERING) {
        read_and_run(connection); /* what has arrived is served */
        if (connection->state == STATE_IDLE || connection->state == STATE_BLANK) {
            count_add(&connection->engine->drained, 1);
            connection_close(connection);
        }
    }
    connection_leave(connection);
}

void connection_expired(struct http_connection *connection)
{
    connection_enter(connection);
    connection->timed_state = STATES;
    rows[connection->state].expired(connection);
    connection_leave(connection);
}

void connection_shutdown(struct http_connection *connection)
{
    connection_enter(connection);
    if (connection->exchange != NULL) {
        exchange_give_up(connection->exchange, HTTP_ERROR_SHUTDOWN);
    }
    if (connection->exchange != NULL) {
        exchange_give_up(connection->exchange, HTTP_ERROR_SHUTDOWN); /* the service kept it */
    }
    connection_close(connection);
    connection_leave(connection);
}

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
        exchange_refuse(exchange,
                        malformed ? HTTP_ERROR_BAD_REQUEST : HTTP_ERROR_OVERLOADED);
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

static void expire_head(struct http_connection *connection)
{
    const enum http_error deferred = connection->exchange->deferred;
    exchange_refuse(connection->exchange,
                    deferred != HTTP_OK ? deferred : HTTP_ERROR_HEAD_TIMEOUT);
}

static void expire_body(struct http_connection *connection)
{
    exchange_refuse(connection->exchange, HTTP_ERROR_BODY_TIMEOUT);
}

/* With a reset: the kernel shall not go on offering what the client does not take. */
static void expire_write(struct http_connection *connection)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    exchange_give_up(connection->exchange, HTTP_ERROR_WRITE_TIMEOUT);
}

#define LIMIT(name) offsetof(struct http_limits, name)

static const struct state_row rows[STATES] = {
    [STATE_IDLE] = {feed_idle, connection_close, expire_idle, LIMIT(idle_ms)},
    [STATE_BLANK] = {feed_idle, connection_close, connection_close, LIMIT(head_ms)},
    [STATE_HEAD] = {feed_head, lose, expire_head, LIMIT(head_ms)},
    [STATE_BODY] = {feed_body, lose, expire_body, LIMIT(body_ms)},
    [STATE_HANDLING] = {NULL, lose, do_nothing, NO_LIMIT},
    [STATE_SENDING] = {NULL, do_nothing, expire_write, LIMIT(write_ms)},
    [STATE_LINGERING] = {feed_linger, connection_close, connection_close, LIMIT(linger_ms)},
    [STATE_GONE] = {NULL, do_nothing, do_nothing, NO_LIMIT},
    [STATE_CLOSED] = {feed_nobody, do_nothing, do_nothing, NO_LIMIT},
};
