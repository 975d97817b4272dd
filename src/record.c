/*
 * What ended is written here and nowhere else, in the order observation, span, line, log record where
 * those are exported, and then the count of what is finished: so each signal has had what that says.
 * All take status, route and error from the same variables; that is why they agree.
 *
 * error.type (span), error_type (metric) and x-error (log) are one string: the engine's reason when a
 * request ended otherwise than by a handler's answer, the status code for a handler's 5xx, else none.
 */
#include "record.h"

#include <stdio.h>
#include <string.h>

#include "attributes.h"
#include "instruments.h"
#include "log_headers.h"
#include "page/page.h"
#include "page/request.h"
#include "service.h"
#include "telemetry/query.h"

/* Inlined wherever it is called: the request path pays for no second caller. */
#define FOLDED static inline __attribute__((always_inline))

#define TEXT(literal)                  \
    (struct tel_text)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static struct tel_text text_of(struct http_slice slice)
{
    return (struct tel_text){slice.data, slice.length};
}

/* ---- the facts --------------------------------------------------------------------------------- */

/* The status the client was sent; 0 when not a byte of the response went out. */
static uint16_t status_sent(const struct http_exchange *http)
{
    return http->bytes_sent > 0 ? http->response.status : 0;
}

static const char *error_type(struct exchange *exchange, uint16_t status)
{
    const char *name = http_error_name(exchange->http->error);
    if (name != NULL || status < 500) {
        return name;
    }
    exchange->error_text[0] = (char)('0' + status / 100);
    exchange->error_text[1] = (char)('0' + status / 10 % 10);
    exchange->error_text[2] = (char)('0' + status % 10);
    exchange->error_text[3] = '\0';
    return exchange->error_text;
}

static bool has_failed(const struct http_exchange *http, uint16_t status)
{
    return record_is_failure(http->error, status);
}

/* ---- the span ---------------------------------------------------------------------------------- */

static void add_event(const struct exchange *exchange, struct tel_span *span, const char *name,
                      uint64_t monotonic_ns)
{
    if (monotonic_ns != 0) {
        tel_span_add_event(span, name, monotonic_ns + exchange->wall_offset_ns, NULL, 0);
    }
}

static void end_span(struct exchange *exchange, uint16_t status, struct http_slice query)
{
    struct tel_span *span = &exchange->span;
    struct http_exchange *http = exchange->http;
    if (tel_span_is_recording(span)) {
        attributes_set(span, exchange, status, query);
        if (has_failed(http, status)) {
            tel_span_set_status(span, TEL_STATUS_ERROR);
        }
        add_event(exchange, span, "request.read", http->read_ns);
        if (__builtin_expect(exchange->fault.kinds != 0, 0)) {
            add_event(exchange, span, "fault.injected", exchange->fault.struck_ns);
        }
        add_event(exchange, span, "response.first_byte", http->first_byte_ns);
        add_event(exchange, span, "response.end", status != 0 ? http->end_ns : 0);
    }
    tel_span_end(span, http->end_ns + exchange->wall_offset_ns);
}

/* ---- the observation --------------------------------------------------------------------------- */

FOLDED struct request_labels labels_of(const struct exchange *exchange, uint16_t status)
{
    const struct http_exchange *http = exchange->http;
    return (struct request_labels){.method = http->request.method,
                                   .route = exchange->route->id,
                                   .status = status,
                                   .error_type = exchange->error_type,
                                   .error = http->error,
                                   .minor_version = http->request.minor_version};
}

FOLDED void fill_exemplar(const struct exchange *exchange, struct tel_exemplar *exemplar)
{
    memcpy(exemplar->trace_id, exchange->span.trace_id, sizeof(exemplar->trace_id));
    memcpy(exemplar->span_id, exchange->span.span_id, sizeof(exemplar->span_id));
    exemplar->wall_ns = exchange->http->end_ns + exchange->wall_offset_ns;
}

/* Returns whether its exemplar is kept. */
static bool observe(struct exchange *exchange, uint16_t status, bool is_sampled)
{
    const struct http_exchange *http = exchange->http;
    const struct site *site = exchange->site;
    const struct request_labels labels = labels_of(exchange, status);
    struct tel_exemplar exemplar;
    if (is_sampled) {
        fill_exemplar(exchange, &exemplar);
    }
    return instruments_request_closed(site->service->instruments, site->shard, &labels,
                                      http->end_ns - http->start_ns, is_sampled ? &exemplar : NULL);
}

/* ---- the log line ------------------------------------------------------------------------------ */

/* What a line is made of: borrowed from the exchange and from `content_length`. */
FOLDED void fill_line(struct exchange *exchange, uint16_t status, struct http_slice query,
                      char content_length[LOG_HEADERS_NUMBER_BYTES],
                      struct tel_access_record *record)
{
    static const struct tel_text versions[] = {TEXT("HTTP/1.0"), TEXT("HTTP/1.1")};
    struct http_exchange *http = exchange->http;
    const struct http_request *request = &http->request;
    const struct service *service = exchange->site->service;
    record->end_wall_ns = http->end_ns + exchange->wall_offset_ns;
    record->duration_ns = http->end_ns - http->start_ns;
    record->client = http_exchange_peer(http);
    record->server = http_exchange_local(http);
    record->method = text_of(request->method_text);
    record->uri_stem = text_of(request->path);
    record->uri_query = text_of(query);
    record->version = request->minor_version >= 0 ? versions[request->minor_version != 0]
                                                  : (struct tel_text){NULL, 0};
    record->host = text_of(request->authority);
    record->status = status;
    record->bytes_received = request->head_bytes + request->body_bytes;
    record->bytes_sent = http->bytes_sent;
    record->traced = true;
    memcpy(record->trace_id, exchange->span.trace_id, sizeof(record->trace_id));
    memcpy(record->span_id, exchange->span.span_id, sizeof(record->span_id));
    record->route = (struct tel_text){exchange->route->path, exchange->route->path_length};
    record->error = (struct tel_text){exchange->error_type,
                                      exchange->error_type ? strlen(exchange->error_type) : 0};
    record->fault = exchange->fault.kinds != 0
                        ? (struct tel_text){exchange->fault.text, strlen(exchange->fault.text)}
                        : (struct tel_text){NULL, 0};
    if (service->log_headers != NULL) {
        log_headers_fill(service->log_headers, http, content_length, record);
    }
}

static void append_line(struct exchange *exchange, uint16_t status, struct http_slice query)
{
    char content_length[LOG_HEADERS_NUMBER_BYTES];
    struct tel_access_record record;
    fill_line(exchange, status, query, content_length, &record);
    tel_access_log_append(exchange->site->service->access_log, exchange->site->shard, &record);
}

/* ---- the log record ---------------------------------------------------------------------------- */

/* `GET /demo/hello 200`, for people; returns the length. */
static size_t format_body(char *body, size_t size, const struct http_request *request,
                          uint16_t status)
{
    const struct http_slice method = request->method_text;
    const struct http_slice path = request->path;
    char number[8] = "-";
    if (status != 0) {
        snprintf(number, sizeof(number), "%u", status);
    }
    int length =
        snprintf(body, size, "%.*s %.*s %s", method.data != NULL ? (int)method.length : 1,
                 method.data != NULL ? method.data : "-", path.data != NULL ? (int)path.length : 1,
                 path.data != NULL ? path.data : "-", number);
    return (size_t)length < size ? (size_t)length : size - 1;
}

static void emit_log_record(struct exchange *exchange, uint16_t status, struct http_slice query)
{
    const struct http_exchange *http = exchange->http;
    char body[TEL_LOG_BODY_MAX];
    struct attributes attributes;
    attributes_list(&attributes, exchange, status, query);
    attributes_add_double(&attributes, "http.server.request.duration",
                          (double)(http->end_ns - http->start_ns) / TEL_NS_PER_SECOND);
    attributes_add_int(&attributes, "http.request.size",
                       (int64_t)(http->request.head_bytes + http->request.body_bytes));
    attributes_add_int(&attributes, "http.response.size", (int64_t)http->bytes_sent);
    tel_logger_emit(exchange->site->service->logger, exchange->site->shard,
                    &(struct tel_log_record){
                        .wall_ns = http->end_ns + exchange->wall_offset_ns,
                        .severity = has_failed(http, status) ? TEL_ERROR : TEL_INFO_LEVEL,
                        .event_name = "http.server.request",
                        .body = body,
                        .body_length = format_body(body, sizeof(body), &http->request, status),
                        .span = &exchange->span,
                        .attributes = attributes.items,
                        .attribute_count = attributes.count});
}

/* ---- the page ---------------------------------------------------------------------------------- */

/* Puts together once more what the signals were given: who is not watched has nothing to keep for it. */
__attribute__((noinline)) static void show(struct exchange *exchange, uint16_t status,
                                           struct http_slice query, bool is_sampled, bool is_kept)
{
    struct site *site = exchange->site;
    const struct service *service = site->service;
    const struct request_labels labels = labels_of(exchange, status);
    char content_length[LOG_HEADERS_NUMBER_BYTES];
    struct tel_access_record record;
    struct tel_exemplar exemplar;
    fill_line(exchange, status, query, content_length, &record);
    if (service->log_headers != NULL) {
        log_headers_redact(service->log_headers, &record); /* who looks need not be who may */
    }
    fill_exemplar(exchange, &exemplar);
    page_show_request(
        site, &(struct page_request){
                  .span = &exchange->span,
                  .children = exchange->children,
                  .end_ns = exchange->http->end_ns,
                  .method = http_method_name(labels.method),
                  .record = &record,
                  .access_log = service->access_log,
                  .series = instruments_request_series(service->instruments, site->shard, &labels),
                  .exemplar = is_kept ? &exemplar : NULL,
                  .sampled = is_sampled && service->exporter != NULL,
                  .failed = has_failed(exchange->http, status)});
}

void record_exchange(struct exchange *exchange)
{
    const struct service *service = exchange->site->service;
    char redacted[TEL_QUERY_REDACTED_MAX];
    struct http_slice query = exchange->http->request.query;
    query.data = tel_query_redact(query.data, &query.length, redacted);
    uint16_t status = status_sent(exchange->http);
    exchange->error_type = error_type(exchange, status);
    if (__builtin_expect(exchange->fault.drawn != 0, 0)) {
        inject_settle(exchange);
    }
    const bool is_sampled = tel_span_is_recording(&exchange->span);
    const bool is_kept = observe(exchange, status, is_sampled);
    end_span(exchange, status, query);
    if (service->access_log != NULL) {
        append_line(exchange, status, query);
    }
    if (service->logger != NULL) {
        emit_log_record(exchange, status, query);
    }
    instruments_request_recorded(service->instruments, exchange->site->shard,
                                 exchange->http->request.method);
    if (page_is_watched(service->page) && page_takes_request(exchange->site)) {
        show(exchange, status, query, is_sampled, is_kept);
    }
}
