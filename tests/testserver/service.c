/*
 * A request and its answer. A visit lives in the engine's exchange; the one that waits is that of
 * /trace, which lets go of its calls when the client has gone.
 *
 * Each request is a SERVER span, so that the calls' spans have a parent here, and the trace goes on
 * from the caller through us to whom we call.
 */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "carrier.h"

static const char allow_any[] = "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH";
static const char allow_post[] = "POST, OPTIONS";
static const char text_type[] = "text/plain; charset=utf-8";
static const char json_type[] = "application/json";
static const char bytes_type[] = "application/octet-stream";

struct visit {
    struct http_exchange *http;
    struct service *service;
    const struct route *route; /* NULL: nothing is at this path */
    struct plan *plan;
    struct calls *calls; /* under way */
    char traceresponse[TEL_TRACEPARENT_LENGTH + 1];
    struct tel_span span;
    struct tel_context incoming; /* last: mostly untouched memory */
};
_Static_assert(sizeof(struct visit) <= HTTP_SERVICE_BYTES, "fits the engine's exchange");

struct route {
    const char *path;
    void (*handle)(struct visit *visit);
    const char *allow;
};

static struct visit *of(struct http_exchange *http)
{
    return (struct visit *)http->service;
}

static struct http_slice slice_of(const char *text)
{
    return (struct http_slice){text, strlen(text)};
}

/* ---- answers ------------------------------------------------------------------------------- */

static void reply(struct visit *visit, uint16_t status, struct http_slice type,
                  struct http_slice body)
{
    struct http_response *response = &visit->http->response;
    response->status = status;
    response->content_type = type;
    response->body = body;
    http_exchange_respond(visit->http);
}

static void reply_text(struct visit *visit, uint16_t status, const char *text)
{
    char line[CALLER_PROBLEM_MAX + 1];
    snprintf(line, sizeof(line), "%s\n", text);
    reply(visit, status, slice_of(text_type), slice_of(line));
}

static void refuse_method(struct visit *visit, const char *allow)
{
    http_response_add(&visit->http->response, "Allow", allow, strlen(allow));
    reply_text(visit, 405, "the method is not allowed here");
}

/* ---- what is at a path --------------------------------------------------------------------- */

static void handle_echo(struct visit *visit)
{
    const struct http_request *request = &visit->http->request;
    const struct http_field *type = request->known[HTTP_KNOWN_CONTENT_TYPE];
    reply(visit, 200, type != NULL ? type->value : slice_of(bytes_type),
          (struct http_slice){request->body.data, request->body.length});
}

static void on_called(const char *problem, void *argument)
{
    struct visit *visit = argument;
    visit->calls = NULL;
    if (problem != NULL) {
        reply_text(visit, 502, problem);
        return;
    }
    char text[32];
    snprintf(text, sizeof(text), "{\"calls\":%zu}\n", plan_count(visit->plan));
    reply(visit, 200, slice_of(json_type), slice_of(text));
}

static void handle_trace(struct visit *visit)
{
    const struct http_request *request = &visit->http->request;
    char problem[PLAN_PROBLEM_MAX];
    if (request->method != HTTP_METHOD_POST) {
        refuse_method(visit, allow_post);
        return;
    }
    visit->plan = plan_parse(request->body.data, request->body.length, problem);
    if (visit->plan == NULL) {
        reply_text(visit, 400, problem);
        return;
    }
    visit->calls =
        caller_start(visit->service->caller, visit->plan, &visit->span, on_called, visit);
    if (visit->calls == NULL) {
        reply_text(visit, 503, "no memory for the calls");
    }
}

static const struct route routes[] = {{"/", handle_echo, allow_any},
                                      {"/trace", handle_trace, allow_post}};

static const struct route *find_route(struct http_slice path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (path.length == strlen(routes[i].path) &&
            memcmp(path.data, routes[i].path, path.length) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

/* ---- what the engine calls ----------------------------------------------------------------- */

static void begin_span(struct visit *visit)
{
    const struct http_request *request = &visit->http->request;
    struct tel_tracer *tracer = visit->service->tracer;
    tel_context_extract(tracer, carrier_get, &visit->http->request, &visit->incoming);
    tel_span_begin(&visit->span, tracer, 0,
                   &(struct tel_span_start){.name = http_method_name(request->method),
                                            .kind = TEL_SPAN_SERVER,
                                            .parent = &visit->incoming});
    tel_traceparent_format(visit->span.trace_id, visit->span.span_id, visit->span.flags,
                           visit->traceresponse);
    http_response_add(&visit->http->response, "traceresponse", visit->traceresponse,
                      TEL_TRACEPARENT_LENGTH);
}

static void on_open(struct http_exchange *http, void *argument)
{
    struct visit *visit = of(http);
    visit->http = http;
    visit->service = argument;
    visit->route = http->error == HTTP_OK ? find_route(http->request.path) : NULL;
    visit->plan = NULL;
    visit->calls = NULL;
    http->want_body = visit->route != NULL;
    begin_span(visit);
}

static void on_handle(struct http_exchange *http, void *argument)
{
    (void)argument;
    struct visit *visit = of(http);
    const struct http_request *request = &http->request;
    if (request->target.length == 1 && request->target.data[0] == '*') {
        http_response_add(&http->response, "Allow", allow_any, strlen(allow_any));
        reply(visit, 204, (struct http_slice){NULL, 0}, (struct http_slice){NULL, 0});
    } else if (visit->route == NULL) {
        reply_text(visit, 404, "there is nothing at this path");
    } else {
        visit->route->handle(visit);
    }
}

static void stop_calls(struct visit *visit)
{
    caller_cancel(visit->calls);
    visit->calls = NULL;
}

static void on_abandoned(struct http_exchange *http, void *argument)
{
    (void)argument;
    stop_calls(of(http));
    http_exchange_respond(http);
}

static void on_close(struct http_exchange *http, void *argument)
{
    (void)argument;
    struct visit *visit = of(http);
    struct tel_span *span = &visit->span;
    const char *method = http_method_name(http->request.method);
    stop_calls(visit);
    plan_destroy(visit->plan);
    tel_span_set_string(span, "http.request.method", method, strlen(method));
    if (visit->route != NULL) {
        tel_span_set_string(span, "http.route", visit->route->path, strlen(visit->route->path));
    }
    if (http->bytes_sent > 0) {
        tel_span_set_int(span, "http.response.status_code", http->response.status);
    }
    if (http->error != HTTP_OK) {
        const char *error = http_error_name(http->error);
        tel_span_set_string(span, "error.type", error, strlen(error));
    }
    if (http->response.status >= 500) {
        tel_span_set_status(span, TEL_STATUS_ERROR);
    }
    tel_span_end(span, 0);
}

struct http_service service_calls(struct service *service)
{
    return (struct http_service){.open = on_open,
                                 .handle = on_handle,
                                 .abandoned = on_abandoned,
                                 .close = on_close,
                                 .allow = allow_any,
                                 .argument = service};
}
