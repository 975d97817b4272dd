/*
 * A request's way through the service, and the answers a handler can give.
 *
 * Invariants: every exchange that was opened is closed once, and close is the only place that
 * records (record.c). A handler waits by its timer or its burn; an abandoned exchange takes both
 * down before it answers.
 */
#include "exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "carrier.h"
#include "instruments.h"
#include "page/page.h"
#include "record.h"
#include "service.h"

static struct exchange *of(struct http_exchange *http)
{
    return (struct exchange *)http->service;
}

/* ---- answers ----------------------------------------------------------------------------------- */

/* Text is for those who ask for it and not for JSON: a bare `*` or no Accept gets the document. */
static bool prefers_text(const struct http_request *request)
{
    if (request->known[HTTP_KNOWN_ACCEPT] == NULL) {
        return false;
    }
    unsigned problem = accept_request_quality(request, "application", "problem+json");
    unsigned json = accept_request_quality(request, "application", "json");
    return accept_request_quality(request, "text", "plain") > (problem > json ? problem : json);
}

/* A status without a phrase of its own is called by its class. */
static struct http_slice title_of(uint16_t status)
{
    static const char of_client[] = "Client Error";
    static const char of_server[] = "Server Error";
    const struct http_slice reason = http_reason(status);
    if (reason.length > 0) {
        return reason;
    }
    return status < 500 ? (struct http_slice){of_client, sizeof(of_client) - 1}
                        : (struct http_slice){of_server, sizeof(of_server) - 1};
}

/* Fills status, type and body of a problem. The buffer is the exchange's own memory, large enough, so
 * that there is an answer also where there is no memory for one. */
static void fill_problem(struct exchange *exchange, uint16_t status, const char *detail)
{
    static const char json_type[] = "application/problem+json";
    static const char text_type[] = "text/plain; charset=utf-8";
    struct http_response *response = &exchange->http->response;
    const struct http_slice title = title_of(status);
    struct tel_buffer body = {.data = exchange->text,
                              .capacity = sizeof(exchange->text),
                              .limit = sizeof(exchange->text)};
    response->status = status;
    if (prefers_text(&exchange->http->request)) {
        response->content_type = (struct http_slice){text_type, sizeof(text_type) - 1};
        tel_buffer_append_format(&body, "%u %.*s: %s\n", status, (int)title.length, title.data,
                                 detail);
    } else {
        response->content_type = (struct http_slice){json_type, sizeof(json_type) - 1};
        tel_buffer_append_string(&body, "{\"type\":\"about:blank\",\"title\":\"");
        tel_buffer_append(&body, title.data, title.length);
        tel_buffer_append_string(&body, "\",\"status\":");
        tel_buffer_append_u64(&body, status);
        tel_buffer_append_string(&body, ",\"detail\":");
        tel_buffer_append_json(&body, detail, strlen(detail));
        tel_buffer_append_string(&body, "}\n");
    }
    response->body = (struct http_slice){body.data, body.length};
}

void exchange_problem(struct exchange *exchange, uint16_t status, const char *format, ...)
{
    char detail[EXCHANGE_DETAIL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    fill_problem(exchange, status, detail);
    http_exchange_respond(exchange->http);
}

static void set_head(struct exchange *exchange, uint16_t status, const char *content_type)
{
    struct http_response *response = &exchange->http->response;
    response->status = status;
    if (content_type != NULL) {
        response->content_type = (struct http_slice){content_type, strlen(content_type)};
    }
}

bool exchange_begin_stream(struct exchange *exchange, uint16_t status, const char *content_type,
                           void (*gone)(struct exchange *exchange))
{
    exchange->gone = gone;
    set_head(exchange, status, content_type);
    return http_stream_begin(exchange->http);
}

void exchange_reply(struct exchange *exchange, uint16_t status, const char *content_type,
                    const void *body, size_t length)
{
    struct http_response *response = &exchange->http->response;
    set_head(exchange, status, content_type);
    response->body = (struct http_slice){body, length};
    http_exchange_respond(exchange->http);
}

/* ---- what a handler is asked ---------------------------------------------------------------------- */

struct http_slice exchange_content(const struct exchange *exchange)
{
    const struct tel_buffer *body = &exchange->http->request.body;
    return (struct http_slice){body->length > 0 ? body->data : "", body->length};
}

bool exchange_content_is(const struct exchange *exchange, const char *type)
{
    const struct http_field *field = exchange->http->request.known[HTTP_KNOWN_CONTENT_TYPE];
    return field == NULL || accept_media_is(field->value, type);
}

struct http_slice exchange_path_rest(const struct exchange *exchange)
{
    return router_rest(exchange->route, exchange->http->request.path);
}

/* ---- waiting and child spans ------------------------------------------------------------------- */

/* Sets the timer to what is left of the wait at `now_ns`. */
static void arm_timer(struct exchange *exchange, uint64_t now_ns)
{
    uint64_t rest_us = (exchange->wait_until_ns - now_ns + TEL_NS_PER_US - 1) / TEL_NS_PER_US;
    const struct timeval rest = {.tv_sec = (time_t)(rest_us / 1000000),
                                 .tv_usec = (suseconds_t)(rest_us % 1000000)};
    evtimer_add(&exchange->timer, &rest);
}

/* A loop's timer may run early, by what its clock is behind: the rest is waited for then. */
static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct exchange *exchange = argument;
    uint64_t now_ns = tel_clock_monotonic_ns();
    if (now_ns < exchange->wait_until_ns) {
        arm_timer(exchange, now_ns);
    } else {
        exchange->wait_over(exchange);
    }
}

void exchange_wait(struct exchange *exchange, uint64_t delay_us,
                   void (*callback)(struct exchange *exchange))
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    exchange->wait_over = callback;
    exchange->wait_until_ns = now_ns + delay_us * TEL_NS_PER_US;
    evtimer_assign(&exchange->timer, exchange->site->base, on_timer, exchange);
    exchange->has_timer = true;
    arm_timer(exchange, now_ns);
}

void exchange_begin_child(struct exchange *exchange, const char *name)
{
    tel_span_begin(&exchange->child, exchange->site->service->tracer, exchange->site->shard,
                   &(struct tel_span_start){.name = name,
                                            .kind = TEL_SPAN_INTERNAL,
                                            .start_wall_ns =
                                                tel_clock_monotonic_ns() + exchange->wall_offset_ns,
                                            .parent_span = &exchange->span});
    exchange->has_child = true;
}

static void end_child_at(struct exchange *exchange, uint64_t monotonic_ns)
{
    if (exchange->has_child) {
        const struct site *site = exchange->site;
        exchange->has_child = false;
        instruments_child_ending(site->service->instruments, site->shard);
        tel_span_end(&exchange->child, monotonic_ns + exchange->wall_offset_ns);
        instruments_child_ended(site->service->instruments, site->shard);
        if (page_is_watched(site->service->page)) {
            page_keep_child(exchange);
        }
    }
}

void exchange_end_child(struct exchange *exchange)
{
    end_child_at(exchange, tel_clock_monotonic_ns());
}

/* ---- what the engine calls --------------------------------------------------------------------- */

static void begin_span(struct exchange *exchange)
{
    struct http_exchange *http = exchange->http;
    struct site *site = exchange->site;
    const struct http_request *request = &http->request;
    bool carried = request->known_count[HTTP_KNOWN_TRACEPARENT] > 0 ||
                   request->known_count[HTTP_KNOWN_BAGGAGE] > 0;
    if (carried) {
        tel_context_extract(site->service->tracer, carrier_get, &http->request,
                            &exchange->incoming);
    }
    tel_span_begin(
        &exchange->span, site->service->tracer, site->shard,
        &(struct tel_span_start){.name = router_span_name(exchange->route, request->method),
                                 .kind = TEL_SPAN_SERVER,
                                 .start_wall_ns = http->start_ns + exchange->wall_offset_ns,
                                 .parent = carried ? &exchange->incoming : NULL});
    tel_traceparent_format(exchange->span.trace_id, exchange->span.span_id, exchange->span.flags,
                           exchange->traceresponse);
    http_response_add(&http->response, "traceresponse", exchange->traceresponse,
                      TEL_TRACEPARENT_LENGTH);
}

/* The content is kept, up to what the route takes of it, where that is less than the engine's limit. */
static void take_content(struct exchange *exchange)
{
    struct tel_buffer *body = &exchange->http->request.body;
    exchange->http->want_body = true;
    if (exchange->route->content_bytes < body->limit) {
        body->limit = exchange->route->content_bytes;
    }
}

static const struct route *find_route(const struct exchange *exchange)
{
    const struct http_exchange *http = exchange->http;
    const struct site *site = exchange->site;
    if (http->error != HTTP_OK) {
        return &router_table()[ROUTE_NONE];
    }
    const struct route *route =
        router_find(site->side, http->request.path.data, http->request.path.length);
    if (site->service->page != NULL) {
        return page_choose_route(exchange, route);
    }
    return router_is_page(route->id) ? &router_table()[ROUTE_NONE] : route;
}

static void on_open(struct http_exchange *http, void *argument)
{
    struct exchange *exchange = of(http);
    exchange->http = http;
    exchange->site = argument;
    exchange->wall_offset_ns = exchange->site->wall_offset_ns;
    exchange->error_type = NULL;
    exchange->has_timer = false;
    exchange->has_child = false;
    exchange->burn.link = NULL;
    exchange->fault.drawn = exchange->fault.kinds = 0;
    exchange->viewer = NULL;
    exchange->children = NULL;
    exchange->route = find_route(exchange);
    if (exchange->route->content_bytes > 0) {
        take_content(exchange);
    }
    begin_span(exchange);
    instruments_request_opened(exchange->site->service->instruments, exchange->site->shard,
                               http->request.method);
    if (http_error_is_refusal(http->error)) {
        fill_problem(exchange, http->response.status, http_error_detail(http->error));
    }
}

/* A refusal that came with the body: a document like all others. Of a route that takes a body nothing is
 * kept by who is in between, as of its other answers. */
static void on_refused(struct http_exchange *http, void *argument)
{
    (void)argument;
    struct exchange *exchange = of(http);
    fill_problem(exchange, http->response.status, http_error_detail(http->error));
    if (exchange->route->content_bytes > 0) {
        http_response_add(&http->response, "Cache-Control", "no-store", sizeof("no-store") - 1);
    }
}

/* OPTIONS asks about a resource, or with `*` about the server as a whole (RFC 9110, 9.3.7). */
static bool is_known_target(const struct exchange *exchange)
{
    const struct http_slice *target = &exchange->http->request.target;
    return exchange->route->handle != NULL || (target->length == 1 && target->data[0] == '*');
}

/* What the target allows: as its route, or as the side it was asked on. */
const char *exchange_add_allow(struct exchange *exchange)
{
    const char *allow =
        exchange->route->handle != NULL ? exchange->route->allow : exchange->site->allow;
    http_response_add(&exchange->http->response, "Allow", allow, strlen(allow));
    return allow;
}

/* What no handler answers: out of line, for what nearly all get. */
static __attribute__((noinline)) void answer_itself(struct exchange *exchange)
{
    const enum http_method method = exchange->http->request.method;
    if (method == HTTP_METHOD_OPTIONS && is_known_target(exchange)) {
        exchange_add_allow(exchange);
        exchange_reply(exchange, 204, NULL, NULL, 0);
    } else if (exchange->route->handle == NULL) {
        exchange_problem(exchange, 404, "there is nothing at this path");
    } else {
        exchange_problem(exchange, 405, "allowed here: %s", exchange_add_allow(exchange));
    }
}

static void on_handle(struct http_exchange *http, void *argument)
{
    (void)argument;
    struct exchange *exchange = of(http);
    const struct route *route = exchange->route;
    const enum http_method method = http->request.method;
    if (method == HTTP_METHOD_OPTIONS || route->handle == NULL || !router_takes(route, method)) {
        answer_itself(exchange);
    } else if (fault_view_may_count(&exchange->site->faults, route->id)) {
        inject_handle(exchange);
    } else {
        route->handle(exchange);
    }
}

/* Whatever a handler waits for does not come any more. */
static void stop_waiting(struct exchange *exchange)
{
    if (exchange->has_timer) {
        evtimer_del(&exchange->timer);
    }
    burner_remove(&exchange->site->burner, &exchange->burn);
}

static void on_abandoned(struct http_exchange *http, void *argument)
{
    (void)argument;
    struct exchange *exchange = of(http);
    stop_waiting(exchange);
    if (http->streamed) {
        exchange->gone(exchange);
        http_stream_end(http);
    } else {
        http_exchange_respond(http);
    }
}

static void on_close(struct http_exchange *http, void *argument)
{
    (void)argument;
    struct exchange *exchange = of(http);
    stop_waiting(exchange);
    end_child_at(exchange, http->end_ns);     /* of an abandoned handler: not after its parent */
    if (http_error_is_refusal(http->error)) { /* also one that came after open: a body, say */
        exchange->route = &router_table()[ROUTE_NONE];
        tel_span_set_name(&exchange->span, router_span_name(exchange->route, http->request.method));
    }
    record_exchange(exchange);
    page_close_exchange(exchange);
}

struct http_service exchange_calls(struct site *site)
{
    router_format_allow(site->side, site->allow);
    return (struct http_service){.open = on_open,
                                 .handle = on_handle,
                                 .abandoned = on_abandoned,
                                 .refused = on_refused,
                                 .close = on_close,
                                 .allow = site->allow,
                                 .argument = site};
}
