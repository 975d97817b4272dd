/*
 * The server and the life of a request. A route of ours stands before each callback of the program's;
 * a request that is open hangs on two hooks of evhttp's, and whichever comes first ends it:
 *
 *     on-complete   the last byte is written; the request is still there, its connection too
 *     close         the connection goes: with the request, or leaving it to the program, which has
 *                   not finished it and will hear nothing more of it
 *
 * Ending takes both hooks off, so the other one cannot come, and a request that outlives its
 * connection is one that nobody knows any more (tel_evhttp_get_span() is NULL).
 *
 * Bytes out are counted where they leave the connection's buffer, so that they are those of head and
 * body, and of a response that was cut off those that went.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "evhttp/internal.h"
#include "telemetry/clock.h"

#define PAGE_MAX (64u * 1024 * 1024) /* bytes of an exposition */

/* ---- the end of a request ------------------------------------------------------------------ */

static void on_complete(struct evhttp_request *request, void *argument);

static void unhook(struct tel__evhttp_exchange *exchange)
{
    evhttp_request_set_on_complete_cb(exchange->request, NULL, NULL);
    evhttp_connection_set_closecb(exchange->connection, NULL, NULL);
    evbuffer_remove_cb_entry(exchange->output, exchange->counter);
}

static void finish(struct tel__evhttp_exchange *exchange, const char *error_type)
{
    char text[8];
    struct tel__ending ending = {.status = exchange->status, .error_type = error_type};
    if (error_type == NULL && ending.status >= 500) {
        snprintf(text, sizeof(text), "%u", ending.status);
        ending.error_type = text;
    }
    tel__evhttp_record_end(exchange, &ending);
    unhook(exchange);
    void (*ended)(void *) = exchange->ended;
    void *argument = exchange->ended_argument;
    free(exchange);
    if (ended != NULL) {
        ended(argument);
    }
}

static void on_complete(struct evhttp_request *request, void *argument)
{
    (void)request;
    finish(argument, NULL);
}

static void on_close(struct evhttp_connection *connection, void *argument)
{
    (void)connection;
    finish(argument, "connection_closed");
}

/* The status is read when its first bytes go: where a connection fails, evhttp writes another one into
 * the request. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *argument)
{
    (void)output;
    struct tel__evhttp_exchange *exchange = argument;
    exchange->bytes_sent += info->n_deleted;
    if (exchange->status == 0 && info->n_deleted > 0) {
        exchange->status = (uint16_t)evhttp_request_get_response_code(exchange->request);
    }
}

/* ---- its opening --------------------------------------------------------------------------- */

/* Fills the exchange, which need not be cleared, but for what hangs on evhttp's hooks. */
static void open_exchange(struct tel__evhttp_exchange *exchange,
                          const struct tel__evhttp_route *route, struct evhttp_request *request)
{
    exchange->server = route->server;
    exchange->request = request;
    exchange->connection = evhttp_request_get_connection(request);
    exchange->route = route->path;
    exchange->start_ns = tel_clock_monotonic_ns();
    exchange->bytes_received = tel__evhttp_request_bytes(request);
    exchange->bytes_sent = 0;
    exchange->status = 0;
    exchange->ended = NULL;
    struct bufferevent *bufferevent = evhttp_connection_get_bufferevent(exchange->connection);
    exchange->output = bufferevent_get_output(bufferevent);
    socklen_t length = sizeof(exchange->local);
    if (getsockname(bufferevent_getfd(bufferevent), (struct sockaddr *)&exchange->local, &length) !=
        0) {
        exchange->local.ss_family = AF_UNSPEC;
    }
    tel__evhttp_record_open(exchange);
}

/* Without memory for a request: it begins and ends here, on the stack. */
static void refuse(const struct tel__evhttp_route *route, struct evhttp_request *request)
{
    struct tel__evhttp_exchange exchange;
    open_exchange(&exchange, route, request);
    tel__evhttp_record_end(&exchange, &(struct tel__ending){HTTP_SERVUNAVAIL, "503"});
    tel__evhttp_answer(request, HTTP_SERVUNAVAIL, "no memory\n");
}

static void on_request(struct evhttp_request *request, void *argument)
{
    const struct tel__evhttp_route *route = argument;
    struct tel__evhttp_exchange *exchange = malloc(sizeof(*exchange));
    struct evbuffer_cb_entry *counter = NULL;
    if (exchange != NULL) {
        struct bufferevent *bufferevent =
            evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
        counter = evbuffer_add_cb(bufferevent_get_output(bufferevent), on_output, exchange);
    }
    if (counter == NULL) {
        free(exchange);
        refuse(route, request);
        return;
    }
    open_exchange(exchange, route, request);
    exchange->counter = counter;
    evhttp_request_set_on_complete_cb(request, on_complete, exchange);
    evhttp_connection_set_closecb(exchange->connection, on_close, exchange);
    evhttp_add_header(evhttp_request_get_output_headers(request), "traceresponse",
                      exchange->traceresponse);
    route->cb(request, route->argument);
}

static void answer_not_found(struct evhttp_request *request, void *argument)
{
    (void)argument;
    tel__evhttp_answer(request, HTTP_NOTFOUND, "there is nothing at this path\n");
}

/* ---- the server ---------------------------------------------------------------------------- */

struct tel_evhttp *tel_evhttp_create(struct evhttp *http, struct tel_signals *signals, size_t shard)
{
    if (shard >= signals->shard_count) {
        errno = EINVAL;
        return NULL;
    }
    struct tel_evhttp *server = calloc(1, sizeof(*server));
    int error = server != NULL ? tel__evhttp_make_families(signals) : -ENOMEM;
    if (error != 0) {
        free(server);
        errno = -error;
        return NULL;
    }
    server->http = http;
    server->signals = signals;
    server->shard = shard;
    tel_buffer_init(&server->page, PAGE_MAX);
    tel_buffer_init(&server->packed, PAGE_MAX);
    server->other = (struct tel__evhttp_route){.server = server, .cb = answer_not_found};
    evhttp_set_gencb(http, on_request, &server->other);
    return server;
}

void tel_evhttp_destroy(struct tel_evhttp *server)
{
    if (server == NULL) {
        return;
    }
    while (server->routes != NULL) {
        struct tel__evhttp_route *route = server->routes;
        server->routes = route->next;
        free(route->path);
        free(route);
    }
    tel_buffer_fini(&server->page);
    tel_buffer_fini(&server->packed);
    free(server);
}

int tel_evhttp_set_cb(struct tel_evhttp *server, const char *path, tel_evhttp_cb_fn *cb,
                      void *argument)
{
    struct tel__evhttp_route *route = malloc(sizeof(*route));
    char *copy = strdup(path);
    int result = -2; /* as evhttp says it */
    if (route != NULL && copy != NULL) {
        *route = (struct tel__evhttp_route){
            .server = server, .next = server->routes, .path = copy, .cb = cb, .argument = argument};
        result = evhttp_set_cb(server->http, path, on_request, route);
    }
    if (result != 0) {
        free(copy);
        free(route);
        return result == -1 ? -EEXIST : -ENOMEM;
    }
    server->routes = route;
    return 0;
}

void tel_evhttp_set_gencb(struct tel_evhttp *server, tel_evhttp_cb_fn *cb, void *argument)
{
    server->other.cb = cb;
    server->other.argument = argument;
}

int tel_evhttp_serve_metrics(struct tel_evhttp *server, const char *path)
{
    return tel_evhttp_set_cb(server, path, tel__evhttp_serve_page, server);
}

/* ---- a request, for the program ------------------------------------------------------------ */

static struct tel__evhttp_exchange *exchange_of(const struct evhttp_request *request)
{
    return request->on_complete_cb == on_complete ? request->on_complete_cb_arg : NULL;
}

struct tel_span *tel_evhttp_get_span(const struct evhttp_request *request)
{
    struct tel__evhttp_exchange *exchange = exchange_of(request);
    return exchange != NULL ? &exchange->span : NULL;
}

void tel_evhttp_set_route(struct evhttp_request *request, const char *route)
{
    struct tel__evhttp_exchange *exchange = exchange_of(request);
    if (exchange != NULL) {
        exchange->route = route;
        tel__evhttp_name_span(exchange);
    }
}

void tel_evhttp_set_end_cb(struct evhttp_request *request, void (*ended)(void *argument),
                           void *argument)
{
    struct tel__evhttp_exchange *exchange = exchange_of(request);
    if (exchange != NULL) {
        exchange->ended = ended;
        exchange->ended_argument = argument;
    }
}
