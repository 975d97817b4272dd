/*
 * What ended is written three times here and nowhere else, in the order observation, span, line. All
 * three take status, route and error from the same variables; that is why they agree.
 *
 * error.type (span), error_type (metric) and x-error (log) are one string: the engine's reason when a
 * request ended otherwise than by a handler's answer, the status code for a handler's 5xx, else none.
 */
#include "record.h"

#include <string.h>

#include "authority.h"
#include "instruments.h"
#include "log_headers.h"
#include "peer.h"
#include "redact.h"
#include "service.h"

#define HTTP_PORT 80 /* of the scheme */

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

/* ---- the span ---------------------------------------------------------------------------------- */

static void set_slice(struct tel_span *span, const char *key, struct http_slice slice)
{
    if (slice.data != NULL) {
        tel_span_set_string(span, key, slice.data, slice.length);
    }
}

static void set_text(struct tel_span *span, const char *key, const char *text)
{
    tel_span_set_string(span, key, text, strlen(text));
}

/* server.address and server.port: what the client called us (without a port it means the scheme's),
 * else the local address. */
static void set_server(struct tel_span *span, struct http_exchange *http)
{
    char text[PEER_HOST_BYTES];
    uint16_t port;
    struct http_slice host = authority_split(http->request.authority, &port);
    if (host.length > 0) {
        port = port != 0 ? port : HTTP_PORT;
    } else {
        host = (struct http_slice){text, peer_format_host(http_exchange_local(http), text)};
        port = peer_port(http_exchange_local(http));
    }
    set_slice(span, "server.address", host);
    tel_span_set_int(span, "server.port", port);
}

/* The name of a known method is what the client sent. */
static void set_method(struct tel_span *span, const struct http_request *request)
{
    if (request->method > HTTP_METHOD_OTHER) {
        set_slice(span, "http.request.method", request->method_text);
        return;
    }
    set_text(span, "http.request.method", http_method_name(request->method));
    if (request->method == HTTP_METHOD_OTHER) {
        set_slice(span, "http.request.method_original", request->method_text);
    }
}

static void set_request(struct tel_span *span, struct http_exchange *http, struct http_slice query)
{
    const struct http_request *request = &http->request;
    set_method(span, request);
    set_text(span, "url.scheme", "http");
    set_slice(span, "url.path", request->path);
    set_slice(span, "url.query", query);
    if (request->minor_version >= 0) {
        set_text(span, "network.protocol.version", request->minor_version == 0 ? "1.0" : "1.1");
    }
    if (request->known[HTTP_KNOWN_USER_AGENT] != NULL) {
        set_slice(span, "user_agent.original", request->known[HTTP_KNOWN_USER_AGENT]->value);
    }
    set_server(span, http);
    char peer[PEER_HOST_BYTES];
    size_t length = peer_format_host(http_exchange_peer(http), peer);
    tel_span_set_string(span, "client.address", peer, length);
    tel_span_set_string(span, "network.peer.address", peer, length);
    tel_span_set_int(span, "network.peer.port", peer_port(http_exchange_peer(http)));
}

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
        set_request(span, http, query);
        if (exchange->route->path != NULL) {
            tel_span_set_string(span, "http.route", exchange->route->path,
                                exchange->route->path_length);
        }
        if (status != 0) {
            tel_span_set_int(span, "http.response.status_code", status);
        }
        if (exchange->error_type != NULL) {
            set_text(span, "error.type", exchange->error_type);
        }
        if (status >= 500 || http->error == HTTP_ERROR_CLIENT_DISCONNECTED ||
            http->error == HTTP_ERROR_WRITE_TIMEOUT || http->error == HTTP_ERROR_SHUTDOWN) {
            tel_span_set_status(span, TEL_STATUS_ERROR);
        }
        add_event(exchange, span, "request.read", http->read_ns);
        add_event(exchange, span, "response.first_byte", http->first_byte_ns);
        add_event(exchange, span, "response.end", status != 0 ? http->end_ns : 0);
    }
    tel_span_end(span, http->end_ns + exchange->wall_offset_ns);
}

/* ---- the observation --------------------------------------------------------------------------- */

static void observe(struct exchange *exchange, uint16_t status)
{
    const struct http_exchange *http = exchange->http;
    const struct site *site = exchange->site;
    struct request_labels labels = {.method = http->request.method,
                                    .route = exchange->route->id,
                                    .status = status,
                                    .error_type = exchange->error_type,
                                    .error = http->error,
                                    .minor_version = http->request.minor_version};
    struct tel_exemplar exemplar;
    bool sampled = tel_span_is_recording(&exchange->span);
    if (sampled) {
        memcpy(exemplar.trace_id, exchange->span.trace_id, sizeof(exemplar.trace_id));
        memcpy(exemplar.span_id, exchange->span.span_id, sizeof(exemplar.span_id));
        exemplar.wall_ns = http->end_ns + exchange->wall_offset_ns;
    }
    instruments_request_closed(site->service->instruments, site->shard, &labels,
                               http->end_ns - http->start_ns, sampled ? &exemplar : NULL);
}

/* ---- the log line ------------------------------------------------------------------------------ */

static void append_line(struct exchange *exchange, uint16_t status, struct http_slice query)
{
    static const struct tel_text versions[] = {TEXT("HTTP/1.0"), TEXT("HTTP/1.1")};
    struct http_exchange *http = exchange->http;
    const struct http_request *request = &http->request;
    const struct service *service = exchange->site->service;
    struct tel_access_record record;
    record.end_wall_ns = http->end_ns + exchange->wall_offset_ns;
    record.duration_ns = http->end_ns - http->start_ns;
    record.client = http_exchange_peer(http);
    record.server = http_exchange_local(http);
    record.method = text_of(request->method_text);
    record.uri_stem = text_of(request->path);
    record.uri_query = text_of(query);
    record.version = request->minor_version >= 0 ? versions[request->minor_version != 0]
                                                 : (struct tel_text){NULL, 0};
    record.host = text_of(request->authority);
    record.status = status;
    record.bytes_received = request->head_bytes + request->body_bytes;
    record.bytes_sent = http->bytes_sent;
    record.traced = true;
    memcpy(record.trace_id, exchange->span.trace_id, sizeof(record.trace_id));
    memcpy(record.span_id, exchange->span.span_id, sizeof(record.span_id));
    record.route = (struct tel_text){exchange->route->path, exchange->route->path_length};
    record.error = (struct tel_text){exchange->error_type,
                                     exchange->error_type ? strlen(exchange->error_type) : 0};
    record.fault = (struct tel_text){NULL, 0};
    char content_length[LOG_HEADERS_NUMBER_BYTES];
    log_headers_fill(service->log_headers, http, content_length, &record);
    tel_access_log_append(service->access_log, exchange->site->shard, &record);
}

void record_exchange(struct exchange *exchange)
{
    char redacted[REDACT_BYTES];
    struct http_slice query = redact_query(exchange->http->request.query, redacted);
    uint16_t status = status_sent(exchange->http);
    exchange->error_type = error_type(exchange, status);
    observe(exchange, status);
    end_span(exchange, status, query);
    if (exchange->site->service->access_log != NULL) {
        append_line(exchange, status, query);
    }
}
