/*
 * The equation of the three signals, with all its terms, for the end of the process: nobody scrapes
 * a dead one.
 *
 *     finished            = metrics_count
 *                         = log_written + log_waiting + log_dropped
 *     finished + internal = acknowledged + waiting + in flight + unsampled + dropped + failed
 *     finished            = log records' acknowledged + waiting + in flight + dropped + failed
 *
 * The spans' line counts INTERNAL spans on both sides, because an answer of a collector that rejects
 * some of a batch does not say which kind they were of.
 *
 * Threads: the main thread, when no other records any more.
 */
#ifndef GLASSBOX_RECONCILIATION_H
#define GLASSBOX_RECONCILIATION_H

#include <stdbool.h>
#include <stdint.h>

#include "telemetry/access_log.h"
#include "telemetry/otlp.h"

struct service;

struct reconciliation {
    uint64_t finished;
    uint64_t metrics_count;
    bool log_on;
    uint64_t log_appended;
    uint64_t log_written;
    uint64_t log_waiting;
    uint64_t log_dropped;
    bool spans_on;
    uint64_t spans_ended;
    uint64_t spans_server;
    uint64_t spans_internal;
    uint64_t spans_acknowledged;
    uint64_t spans_waiting;
    uint64_t spans_inflight;
    uint64_t spans_unsampled;
    uint64_t spans_dropped; /* queue full, or ended after the tracer was closed */
    uint64_t spans_failed;  /* taken from the queue and not acknowledged */

    bool otlp_logs_on;
    uint64_t otlp_logs_emitted;
    uint64_t otlp_logs_acknowledged;
    uint64_t otlp_logs_waiting;
    uint64_t otlp_logs_inflight;
    uint64_t otlp_logs_dropped; /* queue full, or emitted after the logger was closed */
    uint64_t otlp_logs_failed;  /* taken from the queue and not acknowledged */

    /* The same losses by reason. */
    uint64_t log_dropped_by[TEL_ACCESS_DROPS];
    uint64_t spans_dropped_queue_full;
    uint64_t spans_dropped_shutdown;
    uint64_t spans_failed_by[TEL_EXPORT_ERRORS];
    uint64_t otlp_logs_dropped_queue_full;
    uint64_t otlp_logs_dropped_shutdown;
    uint64_t otlp_logs_failed_by[TEL_EXPORT_ERRORS];
};

/* Reads every term. */
void reconciliation_read(const struct service *service, struct reconciliation *terms);

/* Whether every line that is on adds up. */
bool reconciliation_is_balanced(const struct reconciliation *terms);

/* Says all terms in one line of diagnostics, and the reasons of what was lost. */
void reconciliation_report(const struct reconciliation *terms);

#endif
