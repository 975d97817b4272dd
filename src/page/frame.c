/*
 * A frame is one event: `event: frame`, one line of data, an empty line. JSON has no line breaks, so
 * nothing needs to be split.
 *
 * To add a figure: a line here, in the shape of tests/wire/events.py, and in the page.
 */
#include "page/frame.h"

#include <string.h>

#include "diagnostics.h"
#include "faults/faults.h"
#include "page/equation.h"
#include "page/hub.h"
#include "page/totals.h"
#include "page/writer.h"
#include "service.h"

/* What follows the last request. */
#define TAIL "]}\n\n"

/* ---- requests ---------------------------------------------------------------------------------- */

/* The ring whose oldest record ended first; NULL when all are empty. */
static struct page_ring *earliest(const struct frame_source *source)
{
    struct page_ring *found = NULL;
    uint64_t first_ns = UINT64_MAX;
    for (size_t i = 0; i < source->ring_count; i++) {
        const struct page_record *record = page_ring_peek(source->rings[i]);
        if (record != NULL && record->end_ns < first_ns) {
            first_ns = record->end_ns;
            found = source->rings[i];
        }
    }
    return found;
}

/* Returns how many were dropped for their age. Bounded: no site makes more than a ring holds while this
 * runs. */
static uint64_t append_requests(const struct frame_source *source, struct writer *json)
{
    const size_t most = source->ring_count * PAGE_RING_SLOTS;
    uint64_t stale = 0;
    size_t shown = 0;
    struct page_ring *ring;
    writer_open(json, "requests", '[');
    for (size_t i = 0; i < most && shown < PAGE_FRAME_REQUESTS; i++) {
        if ((ring = earliest(source)) == NULL) {
            break;
        }
        const struct page_record *record = page_ring_peek(ring);
        if (record->end_ns + PAGE_STALE_NS < source->now_ns) {
            page_ring_pop(ring);
            stale++;
            continue;
        }
        if (json->out->length + record->length + sizeof(TAIL) > PAGE_FRAME_BYTES_MAX) {
            break;
        }
        writer_value(json, NULL);
        tel_buffer_append(json->out, record->json, record->length);
        page_ring_pop(ring);
        shown++;
    }
    return stale;
}

/* ---- figures ----------------------------------------------------------------------------------- */

static void append_routes(struct writer *json, const struct totals *totals)
{
    const struct route *routes = router_table();
    writer_open(json, "by_route", '[');
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        if (routes[id].user) {
            writer_open(json, NULL, '{');
            writer_string(json, "route", routes[id].path);
            writer_u64(json, "count", totals->routes[id].count);
            writer_u64(json, "failed", totals->routes[id].failed);
            writer_close(json, '}');
        }
    }
    writer_close(json, ']');
}

static void append_buckets(struct writer *json, const struct totals *totals)
{
    size_t bounds;
    instruments_duration_bounds_ns(&bounds);
    writer_open(json, "buckets", '[');
    for (size_t i = 0; i <= bounds; i++) {
        writer_u64(json, NULL, totals->buckets[i]);
    }
    writer_close(json, ']');
}

static void append_state(const struct frame_source *source, struct writer *json,
                         const struct totals *totals, const struct equation *equation)
{
    const struct service *service = source->service;
    writer_ms(json, "now_ms", source->now_wall_ns);
    writer_string(json, "state", lifecycle_state_name(lifecycle_get_state(&service->lifecycle)));
    writer_bool(json, "ready", lifecycle_is_ready(&service->lifecycle));
    writer_u64(json, "finished", equation->before.requests);
    writer_u64(json, "failed", totals->failed);
    writer_u64(json, "active", instruments_active(service->instruments));
    writer_u64(json, "connections", source->connections);
}

/* ---- the equation ------------------------------------------------------------------------------ */

static void append_log(struct writer *json, const struct reconciliation *terms)
{
    if (!terms->log_on) {
        writer_null(json, "log");
        return;
    }
    writer_open(json, "log", '{');
    writer_u64(json, "written", terms->log_written);
    writer_u64(json, "waiting", terms->log_waiting);
    writer_u64(json, "dropped", terms->log_dropped);
    writer_close(json, '}');
}

static void append_spans(struct writer *json, const struct reconciliation *terms)
{
    if (!terms->spans_on) {
        writer_null(json, "spans");
        return;
    }
    writer_open(json, "spans", '{');
    writer_u64(json, "server", terms->spans_server);
    writer_u64(json, "internal", terms->spans_internal);
    writer_u64(json, "acknowledged", terms->spans_acknowledged);
    writer_u64(json, "waiting", terms->spans_waiting);
    writer_u64(json, "inflight", terms->spans_inflight);
    writer_u64(json, "unsampled", terms->spans_unsampled);
    writer_u64(json, "dropped", terms->spans_dropped);
    writer_u64(json, "failed", terms->spans_failed);
    writer_close(json, '}');
}

static void append_records(struct writer *json, const struct reconciliation *terms)
{
    if (!terms->otlp_logs_on) {
        writer_null(json, "records");
        return;
    }
    writer_open(json, "records", '{');
    writer_u64(json, "acknowledged", terms->otlp_logs_acknowledged);
    writer_u64(json, "waiting", terms->otlp_logs_waiting);
    writer_u64(json, "inflight", terms->otlp_logs_inflight);
    writer_u64(json, "dropped", terms->otlp_logs_dropped);
    writer_u64(json, "failed", terms->otlp_logs_failed);
    writer_close(json, '}');
}

static void append_line(struct writer *json, const char *key, bool is_on, bool is_balanced)
{
    if (is_on) {
        writer_bool(json, key, is_balanced);
    } else {
        writer_null(json, key);
    }
}

static void append_verdict(struct writer *json, const struct equation *equation)
{
    const struct reconciliation *terms = &equation->terms;
    const struct verdict verdict = equation_judge(equation);
    writer_open(json, "balanced", '{');
    writer_bool(json, "metrics", verdict.metrics);
    append_line(json, "log", terms->log_on, verdict.log);
    append_line(json, "spans", terms->spans_on, verdict.spans);
    append_line(json, "records", terms->otlp_logs_on, verdict.records);
    writer_close(json, '}');
}

static void append_equation(struct writer *json, const struct equation *equation)
{
    const struct reconciliation *terms = &equation->terms;
    writer_open(json, "equation", '{');
    writer_u64(json, "finished", equation->before.requests);
    writer_u64(json, "metrics", terms->metrics_count);
    append_log(json, terms);
    append_spans(json, terms);
    append_records(json, terms);
    append_verdict(json, equation);
    writer_close(json, '}');
}

/* ---- losses ------------------------------------------------------------------------------------ */

static void append_loss(struct writer *json, const char *signal, const char *reason, uint64_t count)
{
    if (count > 0) {
        writer_open(json, NULL, '{');
        writer_string(json, "signal", signal);
        writer_string(json, "reason", reason);
        writer_u64(json, "count", count);
        writer_close(json, '}');
    }
}

static void append_export_losses(struct writer *json, const char *signal, uint64_t queue_full,
                                 uint64_t shutdown, const uint64_t failed_by[TEL_EXPORT_ERRORS])
{
    append_loss(json, signal, "queue_full", queue_full);
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        append_loss(json, signal, tel_export_error_name((enum tel_export_error)i),
                    failed_by[i] + (i == TEL_EXPORT_SHUTDOWN ? shutdown : 0));
    }
}

static void append_losses(const struct frame_source *source, struct writer *json,
                          const struct reconciliation *terms)
{
    struct diagnostics_stats diagnostics;
    diagnostics_get_stats(&diagnostics);
    writer_open(json, "losses", '[');
    append_export_losses(json, "spans", terms->spans_dropped_queue_full,
                         terms->spans_dropped_shutdown, terms->spans_failed_by);
    for (int i = 0; i < TEL_ACCESS_DROPS; i++) {
        append_loss(json, "log", tel_access_drop_name((enum tel_access_drop)i),
                    terms->log_dropped_by[i]);
    }
    append_export_losses(json, "records", terms->otlp_logs_dropped_queue_full,
                         terms->otlp_logs_dropped_shutdown, terms->otlp_logs_failed_by);
    append_loss(json, "page", "slow_viewer", source->updates_lost);
    append_loss(json, "diagnostics", "suppressed", diagnostics.suppressed);
    append_loss(json, "diagnostics", "lost", diagnostics.lost);
    append_loss(json, "metrics", "overflow",
                tel_registry_overflow_count(source->service->registry));
    writer_close(json, ']');
}

/* ---- faults ------------------------------------------------------------------------------------ */

/* What is in force, as GET /faults tells it. */
static void append_faults(const struct frame_source *source, struct writer *json)
{
    writer_value(json, "faults");
    faults_append_json(source->service->faults, json->out);
}

/* ---- the whole --------------------------------------------------------------------------------- */

uint64_t frame_compose(const struct frame_source *source, struct tel_buffer *out)
{
    struct totals totals;
    struct equation equation;
    struct writer json = writer_of(out);
    totals_read(source->service->instruments, &totals);
    equation_read(source->service, &equation);
    tel_buffer_clear(out);
    tel_buffer_append_string(out, "event: frame\ndata: ");
    writer_open(&json, NULL, '{');
    append_state(source, &json, &totals, &equation);
    append_routes(&json, &totals);
    append_buckets(&json, &totals);
    append_equation(&json, &equation);
    append_losses(source, &json, &equation.terms);
    append_faults(source, &json);
    writer_u64(&json, "viewers", source->viewers);
    writer_u64(&json, "requests_skipped", source->skipped);
    uint64_t stale = append_requests(source, &json);
    tel_buffer_append_string(out, TAIL);
    return stale;
}
