/*
 * A socket: its events, the bytes that come in, the turns in which they are parsed.
 *
 * What bytes do is the state's business (states.c). Where a state takes none (the service has the
 * exchange, or the socket is full) they wait: up to HTTP_RECEIVE_BYTES are read ahead, then reading
 * stops and TCP tells the client; that the client goes away is noticed all the same.
 *
 * Every way in (readable, writable, deadline, the service's respond or stream) is enclosed by
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
#include <string.h>
#include <sys/socket.h>

#include "http/internal.h"

_Static_assert(sizeof(struct http_connection) < 512, "a connection at rest is small");

/* ---- the socket ------------------------------------------------------------------------------ */

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
        state_rows[connection->state].eof(connection);
    } else {
        connection_lose(connection);
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
    while (at < length && connection->served < turn && state_rows[connection->state].feed != NULL) {
        at += state_rows[connection->state].feed(connection, bytes + at, length - at);
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
        connection_lose(connection);
        return;
    }
    memcpy(connection->held, bytes + taken, length - taken);
    connection->held_end = length - taken;
}

/* The state takes no bytes now: they are kept, also to see whether the client is still there. */
static void read_ahead(struct http_connection *connection)
{
    if (!make_held(connection)) {
        connection_lose(connection);
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

static void run_held(struct http_connection *connection)
{
    const size_t from = connection->held_at;
    /* They are this turn's now: what follows the request at hand is counted by `behind`. */
    connection->held_at = connection->held_end;
    connection->held_at =
        from + run(connection, connection->held + from, connection->held_end - from);
}

void connection_ready(struct http_connection *connection)
{
    connection_enter(connection);
    if (connection->exchange != NULL && connection->exchange->untold) {
        exchange_tell(connection->exchange);
    } else {
        run_held(connection);
    }
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
        connection_lose(connection);
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
        connection_lose(connection);
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
    if (state_rows[connection->state].feed == NULL) {
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
    if (state_rows[connection->state].feed != NULL || !full) {
        return READING_ON;
    }
    const struct exchange *exchange = connection->exchange;
    return connection_is_services(connection) && exchange != NULL && !exchange->writing
               ? READING_CLOSE
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
    const size_t limit = state_rows[connection->state].limit;
    uint64_t deadline = TIMEOUT_NEVER;
    if (limit != STATE_NO_LIMIT) {
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
        if (connection->eof && state_rows[connection->state].feed != NULL) {
            state_rows[connection->state].eof(connection);
        }
    }
    if (connection->fd >= 0) {
        const enum reading reading = wanted_reading(connection);
        if (reading != connection->reading && listen_for(connection, reading) != 0) {
            connection_lose(connection);
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
    if (has_held(connection) && state_rows[connection->state].feed != NULL && !connection->ready) {
        engine_defer(connection);
    }
}

int connection_start(struct http_connection *connection)
{
    connection->state = connection->engine->draining ? STATE_GRACE : STATE_IDLE;
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
        if (connection->state == STATE_IDLE && connection->served == 0) {
            connection->state = STATE_GRACE;
        } else if (connection->state == STATE_IDLE || connection->state == STATE_BLANK) {
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
    state_rows[connection->state].expired(connection);
    connection_leave(connection);
}
