/*
 * Each side of the equation comes from who counted it: finished from the exchanges, the log's terms
 * from its writer, the spans' from tracer and exporter. Nothing here is derived from the other side.
 */
#include "reconciliation.h"

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
    }
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
    terms->spans_waiting = tracer.queued;
    terms->spans_acknowledged = exporter.acknowledged;
    terms->spans_inflight = exporter.inflight;
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        terms->spans_failed += exporter.failed[i];
    }
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
    return metrics && log && spans;
}

#define TERM(name)                        \
    {                                     \
#name, NULL, (int64_t)terms->name \
    }

void reconciliation_report(const struct reconciliation *terms)
{
    bool balanced = reconciliation_is_balanced(terms);
    const struct diagnostics_field fields[] = {
        TERM(finished),
        TERM(metrics_count),
        {terms->log_on ? "log_appended" : "log", terms->log_on ? NULL : "off",
         (int64_t)terms->log_appended},
        TERM(log_written),
        TERM(log_waiting),
        TERM(log_dropped),
        {terms->spans_on ? "spans_ended" : "spans", terms->spans_on ? NULL : "off",
         (int64_t)terms->spans_ended},
        TERM(spans_server),
        TERM(spans_internal),
        TERM(spans_acknowledged),
        TERM(spans_waiting),
        TERM(spans_inflight),
        TERM(spans_unsampled),
        TERM(spans_dropped),
        TERM(spans_failed),
        {"balanced", balanced ? "true" : "false", 0},
        {.name = NULL},
    };
    diagnostics_write(balanced ? TEL_INFO_LEVEL : TEL_ERROR, "reconciliation",
                      balanced ? "all signals add up" : "the signals do not add up", fields);
}
