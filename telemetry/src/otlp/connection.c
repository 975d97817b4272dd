/*
 * evhttp's client has ways of its own. What is done about them:
 *
 * - It connects to the first address of a name only, and without an evdns base would call the
 *   blocking getaddrinfo(3): so it is given an evdns base, and numeric addresses only.
 * - A TLS bufferevent does not connect twice, and a connection that failed may hold half an answer:
 *   so after anything but a whole answer the connection is to be closed.
 * - It does not say when it is connected: but its output buffer grows at that moment.
 * - An answer that comes before the body is written, from a peer that then closes, is lost unless
 *   EVHTTP_CON_READ_ON_WRITE_ERROR is set; with it set, a connection that ends in the middle of an
 *   answer is not noticed: so it is set until the body is written.
 * - What arrives after an answer would be taken for the next one: so a connection with bytes left
 *   over is not used again.
 * - Its timeouts count from the last byte: they only close an idle connection here; how long a POST
 *   may take is the owner's to watch.
 * - A line of the head, Content-Length too, is left out when there is no memory for it, and the answer
 *   is then to another request than ours: so the bytes that it puts out are counted.
 * - It calls back from within itself, with its objects half alive: so callbacks only note what
 *   happened. Freeing it with a request on it calls nobody back.
 */
#include "otlp/connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "telemetry/otlp.h"

#define HEAD_MAX  65536                                    /* bytes of an answer's head */
#define INPUT_MAX (TEL_EXPORT_RESPONSE_MAX + 2 * HEAD_MAX) /* bytes that are read ahead */

/* ---- what evhttp says ---------------------------------------------------------------------- */

/* Notes an outcome; the first one counts. */
static void note(struct tel__connection *connection, enum tel__outcome_kind kind)
{
    if (connection->outcome.kind == TEL__OUTCOME_NONE) {
        connection->outcome.kind = kind;
        connection->options.ended(connection->options.argument);
    }
}

/* TLS knows better than the socket why. */
static void explain(struct tel__connection *connection, const char *what)
{
    struct tel__tls *tls = connection->options.tls;
    char text[TEL__TLS_REASON_MAX];
    if (connection->outcome.kind != TEL__OUTCOME_NONE) {
        return; /* the first one counts */
    }
    bool known = tls != NULL && connection->bufferevent != NULL &&
                 tel__tls_explain(tls, connection->bufferevent, text, sizeof(text));
    snprintf(connection->outcome.reason, sizeof(connection->outcome.reason), "%s: %s",
             connection->address, known ? text : what);
}

static void note_disconnect(struct tel__connection *connection)
{
    explain(connection, "the connection ended before the answer did");
    note(connection, connection->reused && !connection->received ? TEL__OUTCOME_STALE
                                                                 : TEL__OUTCOME_DISCONNECTED);
}

/* Called for a request that fails, before on_done() with NULL. errno is still the socket's. */
static void on_error(enum evhttp_request_error error, void *argument)
{
    struct tel__connection *connection = argument;
    int socket_error = errno;
    switch (error) {
    case EVREQ_HTTP_INVALID_HEADER:
        explain(connection, "the answer is not HTTP");
        note(connection, TEL__OUTCOME_MALFORMED);
        return;
    case EVREQ_HTTP_DATA_TOO_LONG:
        explain(connection, "the answer is too large or its chunks are malformed");
        note(connection, TEL__OUTCOME_MALFORMED);
        return;
    default:
        break;
    }
    if (!connection->connected) {
        explain(connection, socket_error != 0 ? strerror(socket_error) : "no connection");
        note(connection, TEL__OUTCOME_NO_CONNECTION);
        return;
    }
    note_disconnect(connection);
}

/* Whether an answer said itself where it ends. If not, the end of the connection was its end. */
static bool is_framed(struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    return evhttp_request_get_response_code(request) == HTTP_NOCONTENT ||
           evhttp_find_header(headers, "Content-Length") != NULL ||
           evhttp_find_header(headers, "Transfer-Encoding") != NULL;
}

/* The answer is whole; or evhttp could not even connect, and gives a request without a status; or
 * on_error() was called a moment ago, and it gives none. */
static void on_done(struct evhttp_request *request, void *argument)
{
    struct tel__connection *connection = argument;
    if (request == NULL) {
        return;
    }
    int status = evhttp_request_get_response_code(request);
    if (status == 0) {
        const char *cut =
            connection->options.tls != NULL ? tel__tls_cut_off(connection->options.tls) : NULL;
        explain(connection, cut != NULL ? cut : "connection refused");
        note(connection,
             connection->connected ? TEL__OUTCOME_DISCONNECTED : TEL__OUTCOME_NO_CONNECTION);
        return;
    }
    if (connection->put != connection->due) {
        explain(connection, "no memory for a whole request");
        note(connection, TEL__OUTCOME_NO_CONNECTION);
        return;
    }
    const char *retry_after =
        evhttp_find_header(evhttp_request_get_input_headers(request), "Retry-After");
    snprintf(connection->outcome.retry_after, sizeof(connection->outcome.retry_after), "%s",
             retry_after != NULL ? retry_after : "");
    evbuffer_add_buffer(connection->body, evhttp_request_get_input_buffer(request));
    connection->outcome.status = status;
    connection->closed |= !is_framed(request);
    if (connection->options.tls != NULL) {
        tel__tls_worked(connection->options.tls);
    }
    note(connection, TEL__OUTCOME_ANSWER);
}

static void on_closed(struct evhttp_connection *evhttp, void *argument)
{
    struct tel__connection *connection = argument;
    if (connection->evhttp == evhttp) {
        connection->closed = true;
    }
}

/* The output buffer grows when the connection stands, and is empty when all is written. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *argument)
{
    struct tel__connection *connection = argument;
    if (connection->evhttp == NULL) {
        return;
    }
    connection->put += info->n_added;
    if (info->n_added > 0 && !connection->connected) {
        int on = 1; /* or the last piece of a body waits for the peer's delayed ACK */
        setsockopt(bufferevent_getfd(connection->bufferevent), IPPROTO_TCP, TCP_NODELAY, &on,
                   sizeof(on));
        connection->connected = true;
        connection->options.connected(connection->options.argument);
    }
    if (info->n_deleted > 0 && evbuffer_get_length(output) == 0) {
        evhttp_connection_set_flags(connection->evhttp, 0);
    }
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *argument)
{
    (void)input;
    struct tel__connection *connection = argument;
    connection->received |= info->n_added > 0;
}

/* ---- public -------------------------------------------------------------------------------- */

int tel__connection_init(struct tel__connection *connection,
                         const struct tel__connection_options *options)
{
    *connection = (struct tel__connection){.options = *options};
    connection->body = evbuffer_new();
    return connection->body != NULL ? 0 : -ENOMEM;
}

void tel__connection_fini(struct tel__connection *connection)
{
    tel__connection_close(connection);
    if (connection->body != NULL) {
        evbuffer_free(connection->body);
        connection->body = NULL;
    }
}

static struct bufferevent *make_bufferevent(struct tel__connection *connection)
{
    const struct tel__connection_options *options = &connection->options;
    struct bufferevent *made =
        options->tls != NULL
            ? tel__tls_bufferevent(options->tls, options->base, options->endpoint->host)
            : bufferevent_socket_new(options->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (made == NULL) {
        return NULL;
    }
    bufferevent_setwatermark(made, EV_READ, 0, INPUT_MAX);
    if (evbuffer_add_cb(bufferevent_get_output(made), on_output, connection) == NULL ||
        evbuffer_add_cb(bufferevent_get_input(made), on_input, connection) == NULL) {
        bufferevent_free(made);
        return NULL;
    }
    return made;
}

int tel__connection_open(struct tel__connection *connection, const char *address, unsigned idle_s)
{
    const struct tel__connection_options *options = &connection->options;
    struct timeval idle = {.tv_sec = (time_t)idle_s};
    tel__connection_close(connection);
    errno = 0; /* evhttp takes any ECONNREFUSED it finds there, also that of another address */
    snprintf(connection->address, sizeof(connection->address), "%s", address);
    connection->bufferevent = make_bufferevent(connection);
    if (connection->bufferevent == NULL) {
        return -ENOMEM;
    }
    connection->evhttp = evhttp_connection_base_bufferevent_new(
        options->base, options->evdns, connection->bufferevent, address, options->endpoint->port);
    if (connection->evhttp == NULL) {
        bufferevent_free(connection->bufferevent);
        connection->bufferevent = NULL;
        return -ENOMEM;
    }
    evhttp_connection_set_timeout_tv(connection->evhttp, &idle);
    evhttp_connection_set_max_headers_size(connection->evhttp, HEAD_MAX);
    evhttp_connection_set_max_body_size(connection->evhttp, TEL_EXPORT_RESPONSE_MAX);
    evhttp_connection_set_closecb(connection->evhttp, on_closed, connection);
    return 0;
}

void tel__connection_close(struct tel__connection *connection)
{
    struct evhttp_connection *evhttp = connection->evhttp;
    if (connection->options.tls != NULL && connection->connected && !connection->closed) {
        tel__tls_end(connection->bufferevent);
    }
    connection->evhttp = NULL; /* first: freeing it calls on_closed() */
    connection->bufferevent = NULL;
    connection->connected = connection->reused = connection->closed = false;
    if (evhttp != NULL) {
        evhttp_connection_free(evhttp);
    }
}

bool tel__connection_is_reusable(const struct tel__connection *connection)
{
    return connection->evhttp != NULL && !connection->closed &&
           connection->outcome.kind == TEL__OUTCOME_ANSWER &&
           evbuffer_get_length(bufferevent_get_input(connection->bufferevent)) == 0;
}

const char *tel__connection_lateness(const struct tel__connection *connection)
{
    return connection->options.tls != NULL && connection->bufferevent != NULL &&
                   tel__tls_is_shaking(connection->bufferevent)
               ? "the TLS handshake did not end in time"
               : "no connection in time";
}

static int add_headers(const struct tel__connection *connection, bool gzip, size_t length,
                       struct evkeyvalq *headers)
{
    const struct tel__connection_options *options = &connection->options;
    char content_length[24];
    snprintf(content_length, sizeof(content_length), "%zu", length);
    int failed = evhttp_add_header(headers, "Host", options->endpoint->authority);
    failed |= evhttp_add_header(headers, "Content-Length", content_length);
    failed |= evhttp_add_header(headers, "Content-Type", options->content_type);
    if (tel__headers_get(options->headers, "user-agent") == NULL) {
        failed |= evhttp_add_header(headers, "User-Agent", options->user_agent);
    }
    if (gzip) {
        failed |= evhttp_add_header(headers, "Content-Encoding", "gzip");
    }
    if (options->endpoint->authorization[0] != '\0' &&
        tel__headers_get(options->headers, "authorization") == NULL) {
        failed |= evhttp_add_header(headers, "Authorization", options->endpoint->authorization);
    }
    for (size_t i = 0; i < options->headers->count; i++) {
        failed |= evhttp_add_header(headers, options->headers->items[i].name,
                                    options->headers->items[i].value);
    }
    return failed;
}

/* Bytes of the request's head, as evhttp writes it. */
static size_t head_length(const struct tel__connection *connection, const struct evkeyvalq *headers)
{
    size_t length = strlen("POST  HTTP/1.1\r\n\r\n") + strlen(connection->options.endpoint->target);
    for (const struct evkeyval *header = headers->tqh_first; header != NULL;
         header = header->next.tqe_next) {
        length += strlen(header->key) + strlen(header->value) + strlen(": \r\n");
    }
    return length;
}

static struct evhttp_request *make_request(struct tel__connection *connection,
                                           const struct tel__bytes *pieces, size_t count, bool gzip)
{
    struct evhttp_request *request = evhttp_request_new(on_done, connection);
    if (request == NULL) {
        return NULL;
    }
    evhttp_request_set_error_cb(request, on_error);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        length += pieces[i].length;
    }
    int failed = add_headers(connection, gzip, length, headers);
    connection->put = 0;
    connection->due = head_length(connection, headers) + length;
    for (size_t i = 0; i < count; i++) {
        failed |= evbuffer_add_reference(evhttp_request_get_output_buffer(request), pieces[i].data,
                                         pieces[i].length, NULL, NULL);
    }
    if (failed != 0) {
        evhttp_request_free(request);
        return NULL;
    }
    return request;
}

void tel__connection_send(struct tel__connection *connection, const struct tel__bytes *pieces,
                          size_t count, bool gzip)
{
    connection->reused = connection->outcome.kind == TEL__OUTCOME_ANSWER && connection->connected;
    connection->received = false;
    connection->outcome = (struct tel__outcome){0};
    evbuffer_drain(connection->body, evbuffer_get_length(connection->body));
    evhttp_connection_set_flags(connection->evhttp, EVHTTP_CON_READ_ON_WRITE_ERROR);
    struct evhttp_request *request = make_request(connection, pieces, count, gzip);
    if (request == NULL || evhttp_make_request(connection->evhttp, request, EVHTTP_REQ_POST,
                                               connection->options.endpoint->target) != 0) {
        explain(connection, "no memory for a request");
        note(connection, TEL__OUTCOME_NO_CONNECTION);
    }
}
