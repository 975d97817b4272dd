/*
 * Bytes -> socket.
 *
 * A response goes out in one send(2): head and a small body in one piece, a large body beside its
 * head. What the socket does not take is copied to the exchange's `out`, because the body is the
 * service's only until respond returns; from then on the write event drives send_more().
 *
 * What waits is counted, for all exchanges of the engine together. When it is too much those that have
 * waited longest are given up: who reads is gone by then, so it is the slowest that pay.
 *
 * Invariants: an exchange is in the engine's list of `unsent` exactly while `writing`, and `kept` is
 * its part of the count. Bytes go out in the order they were given: while `out` holds anything
 * nothing else is sent. `interim_left` of its first bytes are a 100 (Continue), which is no part of
 * the response.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/internal.h"

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    connection_writable(argument);
}

/* Counts what the exchange keeps, at the cost of others if need be. */
static void count_unsent(struct exchange *exchange)
{
    struct http_engine *engine = exchange->shared.engine;
    engine->unsent += exchange->out.length - exchange->kept;
    exchange->kept = exchange->out.length;
    while (engine->unsent > HTTP_UNSENT_BYTES && engine->unsent_first != exchange) {
        connection_shed(engine->unsent_first->shared.connection);
    }
}

static void enlist(struct exchange *exchange)
{
    struct http_engine *engine = exchange->shared.engine;
    if (engine->unsent_first == NULL) {
        engine->unsent_tail = &engine->unsent_first;
    }
    exchange->unsent_next = NULL;
    exchange->unsent_link = engine->unsent_tail;
    *engine->unsent_tail = exchange;
    engine->unsent_tail = &exchange->unsent_next;
}

static void delist(struct exchange *exchange)
{
    struct http_engine *engine = exchange->shared.engine;
    *exchange->unsent_link = exchange->unsent_next;
    if (exchange->unsent_next != NULL) {
        exchange->unsent_next->unsent_link = exchange->unsent_link;
    } else {
        engine->unsent_tail = exchange->unsent_link;
    }
    engine->unsent -= exchange->kept;
    exchange->kept = 0;
}

static enum send_status arm(struct exchange *exchange)
{
    struct http_connection *connection = exchange->shared.connection;
    if (exchange->writing) {
        count_unsent(exchange);
        return SEND_LATER;
    }
    if (event_assign(&exchange->write_event, exchange->shared.engine->base, connection->fd,
                     EV_WRITE | EV_PERSIST, on_writable, connection) != 0 ||
        event_add(&exchange->write_event, NULL) != 0) {
        return SEND_FAILED;
    }
    exchange->writing = true;
    enlist(exchange);
    count_unsent(exchange);
    return SEND_LATER;
}

void send_stop(struct exchange *exchange)
{
    if (exchange->writing) {
        event_del(&exchange->write_event);
        exchange->writing = false;
        delist(exchange);
    }
}

/* Sends what the pieces hold; -1 when the connection is broken, 0 when it takes nothing now. */
static ssize_t send_pieces(int fd, struct iovec *pieces, size_t count)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = count == 1 ? send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                          : sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) ? 0 : sent;
}

static void note_sent(struct exchange *exchange, size_t sent)
{
    struct http_exchange *shared = &exchange->shared;
    const size_t interim = sent < exchange->interim_left ? sent : exchange->interim_left;
    exchange->interim_left -= interim;
    engine_read_clock(shared->connection);
    if (sent > interim) {
        shared->bytes_sent += sent - interim;
        if (shared->first_byte_ns == 0) {
            shared->first_byte_ns = shared->connection->clock_ns;
        }
    }
}

/* Keeps what follows the first `skip` bytes of the pieces. */
static enum send_status keep(struct exchange *exchange, const struct iovec *pieces, size_t count,
                             size_t skip)
{
    struct tel_buffer *out = &exchange->out;
    out->limit = out->length;
    for (size_t i = 0; i < count; i++) {
        out->limit += pieces[i].iov_len;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t gone = skip < pieces[i].iov_len ? skip : pieces[i].iov_len;
        tel_buffer_append(out, (const char *)pieces[i].iov_base + gone, pieces[i].iov_len - gone);
        skip -= gone;
    }
    return out->error == 0 ? arm(exchange) : SEND_EXHAUSTED;
}

static enum send_status send_or_keep(struct exchange *exchange, struct iovec *pieces, size_t count)
{
    ssize_t sent = 0;
    if (!send_is_pending(exchange)) {
        sent = send_pieces(exchange->shared.connection->fd, pieces, count);
        note_sent(exchange, sent > 0 ? (size_t)sent : 0);
        if (sent < 0) {
            return SEND_FAILED;
        }
    }
    size_t total = pieces[0].iov_len;
    for (size_t i = 1; i < count; i++) {
        total += pieces[i].iov_len;
    }
    return (size_t)sent == total ? SEND_DONE : keep(exchange, pieces, count, (size_t)sent);
}

enum send_status send_response(struct exchange *exchange)
{
    struct http_exchange *shared = &exchange->shared;
    struct tel_buffer *head = &shared->engine->out;
    struct http_slice body = shared->response.body;
    const bool has_body = response_has_body(shared);
    const bool one_piece = !has_body || body.length <= HTTP_COPY_BYTES;
    tel_buffer_clear(head);
    if (response_append_head(head, shared, engine_date(shared->engine)) != 0) {
        return SEND_EXHAUSTED;
    }
    if (shared->error == HTTP_ERROR_FAULT_TRUNCATED) {
        body.length /= 2; /* of what the head has promised */
    }
    if (has_body && one_piece) {
        tel_buffer_append(head, body.data, body.length);
        if (head->error != 0) {
            return SEND_EXHAUSTED;
        }
    }
    struct iovec pieces[2] = {{.iov_base = head->data, .iov_len = head->length},
                              {.iov_base = (void *)(uintptr_t)body.data, .iov_len = body.length}};
    return send_or_keep(exchange, pieces, one_piece ? 1 : 2);
}

enum send_status send_bytes(struct exchange *exchange, struct iovec *pieces, size_t count)
{
    return send_or_keep(exchange, pieces, count);
}

enum send_status send_continue(struct exchange *exchange)
{
    static char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec piece = {.iov_base = interim, .iov_len = sizeof interim - 1};
    exchange->interim_left = sizeof interim - 1;
    return send_or_keep(exchange, &piece, 1);
}

enum send_status send_more(struct exchange *exchange)
{
    struct iovec piece = {.iov_base = exchange->out.data + exchange->out_sent,
                          .iov_len = exchange->out.length - exchange->out_sent};
    const ssize_t sent = send_pieces(exchange->shared.connection->fd, &piece, 1);
    if (sent < 0) {
        engine_read_clock(exchange->shared.connection);
        return SEND_FAILED;
    }
    note_sent(exchange, (size_t)sent);
    exchange->out_sent += (size_t)sent;
    if (send_is_pending(exchange)) {
        return SEND_LATER;
    }
    engine_clear_buffer(&exchange->out); /* a stream may not have more to keep for hours */
    exchange->out_sent = 0;
    send_stop(exchange);
    return SEND_DONE;
}
