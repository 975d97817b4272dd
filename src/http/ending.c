/*
 * The ways a connection ends.
 *
 *     end       after the last response: a half-close and a drain, so that the client sees it
 *     lose      the client has gone, or the socket is broken
 *     abort     a reset: the client is given up, and the kernel shall not go on offering bytes
 *     shed      an abort for the sake of others, from within another connection's turn
 *     detach    the socket goes at once, the connection stays for a service that has the exchange
 *     shutdown  the engine ends
 *
 * None frees anything: connection_leave() does, once nobody is in the connection any more.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "http/internal.h"

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
    send_stop(connection->exchange);
    close_socket(connection);
    connection->state = STATE_GONE;
}

void connection_prepare_reset(struct http_connection *connection)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

void connection_abort(struct http_connection *connection, enum http_error error)
{
    connection_prepare_reset(connection);
    exchange_give_up(connection->exchange, error);
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

void connection_lose(struct http_connection *connection)
{
    if (connection->exchange != NULL) {
        exchange_give_up(connection->exchange, HTTP_ERROR_CLIENT_DISCONNECTED);
    } else {
        connection_close(connection);
    }
}

void connection_shed(struct http_connection *connection)
{
    if (!connection->ready) {
        engine_defer(connection);
    }
    connection_enter(connection);
    engine_read_clock(connection);
    connection_abort(connection, HTTP_ERROR_WRITE_OVERLOADED);
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
