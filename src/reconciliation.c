/*
 * Each side of the equation comes from who counted it: finished from the exchanges, the log's terms
 * from its writer, the spans' from tracer and exporter. Nothing here is derived from the other side.
 */
#include "reconciliation.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "diagnostics.h"
#include "instruments.h"
#include "service.h"

static void read_log(const struct service *service, struct reconciliation *terms)
{
    struct tel_access_log_stats stats;
    tel_access_log_get_stats(service->access_log, &stats);
    terms->log_on = true;
    terms->log_appended = stats.appended;
    terms->log_written = stats.written;
    terms->log_waiting = stats.waiting;
    for (int i = 0; i < TEL_ACCESS_DROPS; i++) {
        terms->log_dropped += stats.dropped[i];
        terms->log_dropped_by[i] = stats.dropped[i];
    }
}

/* What an exporter took and could not deliver, in all and (`by`) for each reason. */
static uint64_t sum_failed(const struct tel_exporter_stats *stats, uint64_t by[TEL_EXPORT_ERRORS])
{
    uint64_t sum = 0;
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        by[i] = stats->failed[i];
        sum += stats->failed[i];
    }
    return sum;
}

static void read_spans(const struct service *service, struct reconciliation *terms)
{
    struct tel_tracer_stats tracer;
    struct tel_exporter_stats exporter;
    tel_tracer_get_stats(service->tracer, &tracer);
    tel_exporter_get_stats(service->exporter, &exporter);
    terms->spans_on = true;
    terms->spans_ended = tracer.ended;
    terms->spans_server = tracer.ended_server;
    terms->spans_internal = tracer.ended - tracer.ended_server;
    terms->spans_unsampled = tracer.unsampled;
    terms->spans_dropped = tracer.dropped_queue_full + tracer.dropped_shutdown;
    terms->spans_dropped_queue_full = tracer.dropped_queue_full;
    terms->spans_dropped_shutdown = tracer.dropped_shutdown;
    terms->spans_waiting = tracer.queued;
    terms->spans_acknowledged = exporter.acknowledged;
    terms->spans_inflight = exporter.inflight;
    terms->spans_failed = sum_failed(&exporter, terms->spans_failed_by);
}

static void read_otlp_logs(const struct service *service, struct reconciliation *terms)
{
    struct tel_logger_stats logger;
    struct tel_exporter_stats exporter;
    tel_logger_get_stats(service->logger, &logger);
    tel_exporter_get_stats(service->logs_exporter, &exporter);
    terms->otlp_logs_on = true;
    terms->otlp_logs_emitted = logger.emitted;
    terms->otlp_logs_dropped = logger.dropped_queue_full + logger.dropped_shutdown;
    terms->otlp_logs_dropped_queue_full = logger.dropped_queue_full;
    terms->otlp_logs_dropped_shutdown = logger.dropped_shutdown;
    terms->otlp_logs_waiting = logger.queued;
    terms->otlp_logs_acknowledged = exporter.acknowledged;
    terms->otlp_logs_inflight = exporter.inflight;
    terms->otlp_logs_failed = sum_failed(&exporter, terms->otlp_logs_failed_by);
}

void reconciliation_read(const struct service *service, struct reconciliation *terms)
{
    *terms = (struct reconciliation){.finished = instruments_finished(service->instruments),
                                     .metrics_count = instruments_observed(service->instruments)};
    if (service->access_log != NULL) {
        read_log(service, terms);
    }
    if (service->exporter != NULL) {
        read_spans(service, terms);
    }
    if (service->logs_exporter != NULL) {
        read_otlp_logs(service, terms);
    }
}

bool reconciliation_is_balanced(const struct reconciliation *terms)
{
    bool metrics = terms->finished == terms->metrics_count;
    bool log = !terms->log_on ||
               terms->finished == terms->log_written + terms->log_waiting + terms->log_dropped;
    bool spans = !terms->spans_on || terms->finished + terms->spans_internal ==
                                         terms->spans_acknowledged + terms->spans_waiting +
                                             terms->spans_inflight + terms->spans_unsampled +
                                             terms->spans_dropped + terms->spans_failed;
    bool otlp_logs = !terms->otlp_logs_on ||
                     terms->finished == terms->otlp_logs_acknowledged + terms->otlp_logs_waiting +
                                            terms->otlp_logs_inflight + terms->otlp_logs_dropped +
                                            terms->otlp_logs_failed;
    return metrics && log && spans && otlp_logs;
}

/* One term of the line: where it stands in the struct, and which signal it belongs to. */
enum signal { OF_METRICS, OF_LOG, OF_SPANS, OF_OTLP_LOGS };

static const struct term {
    const char *name;
    size_t offset;
    enum signal signal;
} table[] = {
#define TERM(signal, name)                                   \
    {                                                        \
#name, offsetof(struct reconciliation, name), signal \
    }
    TERM(OF_METRICS, finished),
    TERM(OF_METRICS, metrics_count),
    TERM(OF_LOG, log_appended),
    TERM(OF_LOG, log_written),
    TERM(OF_LOG, log_waiting),
    TERM(OF_LOG, log_dropped),
    TERM(OF_SPANS, spans_ended),
    TERM(OF_SPANS, spans_server),
    TERM(OF_SPANS, spans_internal),
    TERM(OF_SPANS, spans_acknowledged),
    TERM(OF_SPANS, spans_waiting),
    TERM(OF_SPANS, spans_inflight),
    TERM(OF_SPANS, spans_unsampled),
    TERM(OF_SPANS, spans_dropped),
    TERM(OF_SPANS, spans_failed),
    TERM(OF_OTLP_LOGS, otlp_logs_emitted),
    TERM(OF_OTLP_LOGS, otlp_logs_acknowledged),
    TERM(OF_OTLP_LOGS, otlp_logs_waiting),
    TERM(OF_OTLP_LOGS, otlp_logs_inflight),
    TERM(OF_OTLP_LOGS, otlp_logs_dropped),
    TERM(OF_OTLP_LOGS, otlp_logs_failed),
#undef TERM
};
#define TERMS   (sizeof(table) / sizeof(table[0]))
#define REASONS (TEL_ACCESS_DROPS + 2 * (2 + TEL_EXPORT_ERRORS))
_Static_assert(TERMS + REASONS + 4 <= DIAGNOSTICS_FIELDS_MAX,
               "with `off` three times and the verdict");

/* The line as it grows; names of reasons are put together here. */
struct line {
    struct diagnostics_field fields[DIAGNOSTICS_FIELDS_MAX + 1];
    size_t count;
    char names[REASONS][48];
    size_t name_count;
};

static void add_terms(struct line *line, const struct reconciliation *terms, enum signal signal)
{
    for (size_t i = 0; i < TERMS; i++) {
        uint64_t value;
        memcpy(&value, (const char *)terms + table[i].offset, sizeof(value));
        if (table[i].signal == signal) {
            line->fields[line->count++] =
                (struct diagnostics_field)DIAGNOSTICS_NUMBER(table[i].name, value);
        }
    }
}

/* A reason that did not occur is left out. */
static void add_reason(struct line *line, const char *what, const char *reason, uint64_t value)
{
    if (value > 0) {
        char *name = line->names[line->name_count++];
        snprintf(name, sizeof(line->names[0]), "%s_%s", what, reason);
        line->fields[line->count++] = (struct diagnostics_field)DIAGNOSTICS_NUMBER(name, value);
    }
}

static void add_log(struct line *line, const struct reconciliation *terms)
{
    if (!terms->log_on) {
        line->fields[line->count++] = (struct diagnostics_field)DIAGNOSTICS_TEXT("log", "off");
        return;
    }
    add_terms(line, terms, OF_LOG);
    for (int i = 0; i < TEL_ACCESS_DROPS; i++) {
        add_reason(line, "log_dropped", tel_access_drop_name((enum tel_access_drop)i),
                   terms->log_dropped_by[i]);
    }
}

/* The losses of what an exporter takes from a queue; `dropped` and `failed` name them. */
static void add_export_reasons(struct line *line, const char *dropped, uint64_t queue_full,
                               uint64_t shutdown, const char *failed,
                               const uint64_t failed_by[TEL_EXPORT_ERRORS])
{
    add_reason(line, dropped, "queue_full", queue_full);
    add_reason(line, dropped, "shutdown", shutdown);
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        add_reason(line, failed, tel_export_error_name((enum tel_export_error)i), failed_by[i]);
    }
}

static void add_spans(struct line *line, const struct reconciliation *terms)
{
    if (!terms->spans_on) {
        line->fields[line->count++] = (struct diagnostics_field)DIAGNOSTICS_TEXT("spans", "off");
        return;
    }
    add_terms(line, terms, OF_SPANS);
    add_export_reasons(line, "spans_dropped", terms->spans_dropped_queue_full,
                       terms->spans_dropped_shutdown, "spans_failed", terms->spans_failed_by);
}

static void add_otlp_logs(struct line *line, const struct reconciliation *terms)
{
    if (!terms->otlp_logs_on) {
        line->fields[line->count++] =
            (struct diagnostics_field)DIAGNOSTICS_TEXT("otlp_logs", "off");
        return;
    }
    add_terms(line, terms, OF_OTLP_LOGS);
    add_export_reasons(line, "otlp_logs_dropped", terms->otlp_logs_dropped_queue_full,
                       terms->otlp_logs_dropped_shutdown, "otlp_logs_failed",
                       terms->otlp_logs_failed_by);
}

void reconciliation_report(const struct reconciliation *terms)
{
    const bool balanced = reconciliation_is_balanced(terms);
    struct line line = {.count = 0};
    add_terms(&line, terms, OF_METRICS);
    add_log(&line, terms);
    add_spans(&line, terms);
    add_otlp_logs(&line, terms);
    line.fields[line.count] = (struct diagnostics_field)DIAGNOSTICS_TRUTH("balanced", balanced);
    diagnostics_write_last(balanced ? TEL_INFO_LEVEL : TEL_ERROR, "reconciliation",
                           balanced ? "all signals add up" : "the signals do not add up",
                           line.fields);
}
