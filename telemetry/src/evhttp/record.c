/*
 * The signals of a request. All of them take status, route and error from the same variables; that is
 * why they agree. error.type (span), error_type (metric) and x-error (log) are one string.
 *
 * Source: OpenTelemetry semantic conventions 1.44, http/http-spans (server) and http/http-metrics.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "evhttp/internal.h"
#include "telemetry/clock.h"

#define OFFSET_KEPT_NS TEL_NS_PER_SECOND

/* The conventions' buckets, refined below 5 ms: most answers take microseconds. */
static const uint64_t duration_bounds_ns[] = {
    25000,     50000,     100000,     250000,     500000,     1000000,    2500000,
    5000000,   10000000,  25000000,   50000000,   75000000,   100000000,  250000000,
    500000000, 750000000, 1000000000, 2500000000, 5000000000, 7500000000, 10000000000};

static const char *const duration_labels[] = {
    "http_request_method", "http_route", "http_response_status_code",
    "url_scheme",          "error_type", "network_protocol_version"};
static const char *const active_labels[] = {"http_request_method", "url_scheme"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int tel__evhttp_make_families(struct tel_signals *signals)
{
    if (signals->http_active != NULL) {
        return 0;
    }
    if (signals->http_duration == NULL) {
        signals->http_duration = tel_family_create(
            signals->registry,
            &(struct tel_family_options){
                .name = "http_server_request_duration_seconds",
                .help = "Duration of finished HTTP requests, from when they were read to the last "
                        "byte out.",
                .unit = "seconds",
                .type = TEL_HISTOGRAM,
                .label_names = duration_labels,
                .label_count = COUNT(duration_labels),
                .bounds_ns = duration_bounds_ns,
                .bound_count = COUNT(duration_bounds_ns)});
    }
    if (signals->http_duration != NULL) {
        signals->http_active = tel_family_create(
            signals->registry, &(struct tel_family_options){.name = "http_server_active_requests",
                                                            .help = "HTTP requests being served.",
                                                            .type = TEL_GAUGE,
                                                            .label_names = active_labels,
                                                            .label_count = COUNT(active_labels)});
    }
    return signals->http_active != NULL ? 0 : -errno;
}

static void add_active(struct tel__evhttp_exchange *exchange, int64_t amount)
{
    struct tel_evhttp *server = exchange->server;
    const char *const values[] = {tel__evhttp_method(exchange->request),
                                  tel__evhttp_scheme(exchange)};
    tel_gauge_add(tel_family_series(server->signals->http_active, server->shard, values),
                  server->shard, amount);
}

/* ---- the opening --------------------------------------------------------------------------- */

/* The index-th header of a name, for tel_context_extract(). */
static const char *get_header(void *carrier, const char *name, size_t index, size_t *length)
{
    const struct evkeyval *header = ((const struct evkeyvalq *)carrier)->tqh_first;
    for (; header != NULL; header = header->next.tqe_next) {
        if (strcasecmp(header->key, name) == 0 && index-- == 0) {
            *length = strlen(header->value);
            return header->value;
        }
    }
    return NULL;
}

static uint64_t wall_offset_at(struct tel_evhttp *server, uint64_t now_ns)
{
    if (now_ns >= server->offset_due_ns) {
        server->wall_offset_ns = tel_clock_wall_offset_ns();
        server->offset_due_ns = now_ns + OFFSET_KEPT_NS;
    }
    return server->wall_offset_ns;
}

/* What is known before the program answers is set first, so that what the program sets itself finds
 * the room that is left, not the other way round. */
static void set_request(struct tel__evhttp_exchange *exchange)
{
    struct tel__facts facts;
    struct tel__attributes list = {.count = 0};
    tel__facts_read(&facts, exchange);
    tel__attributes_add_request(&list, exchange, &facts);
    tel__attributes_set(&list, &exchange->span);
}

void tel__evhttp_name_span(struct tel__evhttp_exchange *exchange)
{
    const char *route = exchange->route;
    snprintf(exchange->name, sizeof(exchange->name), "%s%s%s",
             tel__evhttp_method(exchange->request), route != NULL ? " " : "",
             route != NULL ? route : "");
}

void tel__evhttp_record_open(struct tel__evhttp_exchange *exchange)
{
    struct tel_evhttp *server = exchange->server;
    struct tel_tracer *tracer = server->signals->tracer;
    struct evkeyvalq *headers = evhttp_request_get_input_headers(exchange->request);
    bool carried = evhttp_find_header(headers, "traceparent") != NULL ||
                   evhttp_find_header(headers, "baggage") != NULL;
    if (carried) {
        tel_context_extract(tracer, get_header, headers, &exchange->incoming);
    }
    tel__evhttp_name_span(exchange);
    tel_span_begin(
        &exchange->span, tracer, server->shard,
        &(struct tel_span_start){.name = exchange->name,
                                 .kind = TEL_SPAN_SERVER,
                                 .start_wall_ns = exchange->start_ns +
                                                  wall_offset_at(server, exchange->start_ns),
                                 .parent = carried ? &exchange->incoming : NULL});
    if (tel_span_is_recording(&exchange->span)) {
        set_request(exchange);
    }
    tel_traceparent_format(exchange->span.trace_id, exchange->span.span_id, exchange->span.flags,
                           exchange->traceresponse);
    add_active(exchange, 1);
}

/* ---- the end ------------------------------------------------------------------------------- */

static void observe(struct tel__evhttp_exchange *exchange, const struct tel__facts *facts,
                    const struct tel__ending *ending, uint64_t end_ns, uint64_t end_wall_ns)
{
    struct tel_evhttp *server = exchange->server;
    struct tel_exemplar exemplar = {.wall_ns = end_wall_ns};
    char status[8] = "";
    if (ending->status != 0) {
        snprintf(status, sizeof(status), "%u", ending->status);
    }
    const char *const values[] = {facts->method, exchange->route,    status,
                                  facts->scheme, ending->error_type, facts->version};
    memcpy(exemplar.trace_id, exchange->span.trace_id, sizeof(exemplar.trace_id));
    memcpy(exemplar.span_id, exchange->span.span_id, sizeof(exemplar.span_id));
    tel_histogram_observe(tel_family_series(server->signals->http_duration, server->shard, values),
                          server->shard, end_ns - exchange->start_ns,
                          tel_span_is_recording(&exchange->span) ? &exemplar : NULL);
}

static void end_span(struct tel__evhttp_exchange *exchange, const struct tel__ending *ending,
                     uint64_t end_wall_ns)
{
    if (tel_span_is_recording(&exchange->span)) {
        struct tel__attributes list = {.count = 0};
        tel__attributes_add_outcome(&list, exchange, ending);
        tel__attributes_set(&list, &exchange->span);
        if (ending->error_type != NULL) {
            tel_span_set_status(&exchange->span, TEL_STATUS_ERROR);
        }
    }
    tel_span_end(&exchange->span, end_wall_ns);
}

static struct tel_text text_of(const char *string)
{
    return (struct tel_text){string, string != NULL ? strlen(string) : 0};
}

/* The cs(…) or sc(…) fields of a line. */
static void fill_headers(const struct tel_access_log *log, enum tel_access_direction direction,
                         struct evkeyvalq *headers, struct tel_text *out)
{
    const char *name;
    for (size_t i = 0; (name = tel_access_log_header(log, direction, i)) != NULL; i++) {
        out[i] = text_of(headers != NULL ? evhttp_find_header(headers, name) : NULL);
    }
}

static void append_line(struct tel__evhttp_exchange *exchange, const struct tel__facts *facts,
                        const struct tel__ending *ending, uint64_t end_ns, uint64_t end_wall_ns)
{
    struct tel_access_log *log = exchange->server->signals->access_log;
    struct evhttp_request *request = exchange->request;
    char version[16];
    struct tel_access_record record = {
        .end_wall_ns = end_wall_ns,
        .duration_ns = end_ns - exchange->start_ns,
        .client = facts->peer,
        .server = (const struct sockaddr *)&exchange->local,
        .method = text_of(facts->method),
        .uri_stem = facts->path,
        .uri_query = facts->query,
        .host = facts->host,
        .status = ending->status,
        .bytes_received = exchange->bytes_received,
        .bytes_sent = exchange->bytes_sent,
        .traced = true,
        .route = text_of(exchange->route),
        .error = text_of(ending->error_type),
    };
    if (facts->version != NULL) {
        snprintf(version, sizeof(version), "HTTP/%s", facts->version);
        record.version = text_of(version);
    }
    memcpy(record.trace_id, exchange->span.trace_id, sizeof(record.trace_id));
    memcpy(record.span_id, exchange->span.span_id, sizeof(record.span_id));
    fill_headers(log, TEL_ACCESS_REQUEST, evhttp_request_get_input_headers(request),
                 record.request_headers);
    fill_headers(log, TEL_ACCESS_RESPONSE,
                 ending->status != 0 ? evhttp_request_get_output_headers(request) : NULL,
                 record.response_headers);
    tel_access_log_append(log, exchange->server->shard, &record);
}

/* `GET /cart 200`, for people; returns the length. */
static size_t format_body(char *body, size_t size, const struct tel__facts *facts, uint16_t status)
{
    char number[8] = "-";
    if (status != 0) {
        snprintf(number, sizeof(number), "%u", status);
    }
    int length = snprintf(body, size, "%s %.*s %s", facts->method, (int)facts->path.length,
                          facts->path.data != NULL ? facts->path.data : "", number);
    return (size_t)length < size ? (size_t)length : size - 1;
}

static void emit_record(struct tel__evhttp_exchange *exchange, const struct tel__facts *facts,
                        const struct tel__ending *ending, uint64_t end_ns, uint64_t end_wall_ns)
{
    char body[TEL_LOG_BODY_MAX];
    struct tel__attributes list = {.count = 0};
    tel__attributes_add_request(&list, exchange, facts);
    tel__attributes_add_outcome(&list, exchange, ending);
    tel__attributes_add_double(&list, "http.server.request.duration",
                               (double)(end_ns - exchange->start_ns) / TEL_NS_PER_SECOND);
    tel__attributes_add_int(&list, "http.request.size", (int64_t)exchange->bytes_received);
    tel__attributes_add_int(&list, "http.response.size", (int64_t)exchange->bytes_sent);
    tel_logger_emit(exchange->server->signals->logger, exchange->server->shard,
                    &(struct tel_log_record){
                        .wall_ns = end_wall_ns,
                        .severity = ending->error_type != NULL ? TEL_ERROR : TEL_INFO_LEVEL,
                        .event_name = "http.server.request",
                        .body = body,
                        .body_length = format_body(body, sizeof(body), facts, ending->status),
                        .span = &exchange->span,
                        .attributes = list.items,
                        .attribute_count = list.count});
}

void tel__evhttp_record_end(struct tel__evhttp_exchange *exchange, const struct tel__ending *ending)
{
    uint64_t end_ns = tel_clock_monotonic_ns();
    /* One offset for both ends, so that the span is as long as the observation says. */
    uint64_t end_wall_ns = exchange->span.start_wall_ns + (end_ns - exchange->start_ns);
    struct tel__facts facts;
    tel__facts_read(&facts, exchange);
    add_active(exchange, -1);
    observe(exchange, &facts, ending, end_ns, end_wall_ns);
    end_span(exchange, ending, end_wall_ns);
    if (exchange->server->signals->access_log != NULL) {
        append_line(exchange, &facts, ending, end_ns, end_wall_ns);
    }
    if (exchange->server->signals->logger != NULL) {
        emit_record(exchange, &facts, ending, end_ns, end_wall_ns);
    }
}
