/*
 * Collect functions of metrics.def, and the label values they share with the writers.
 *
 * Threads: any thread that scrapes.
 */
#ifndef GLASSBOX_COLLECT_H
#define GLASSBOX_COLLECT_H

#include "instruments.h"

extern const char *const refusal_names[REFUSALS];
extern const char *const accept_error_names[ACCEPT_ERRORS];
extern const char *const listener_names[LISTENER_LABELS];

/* Each emits the samples of one family; `argument` is the struct service. */
tel_collect_fn collect_connections, collect_connections_limit, collect_connections_unused,
    collect_connections_closed_idle, collect_connections_lost, collect_busy, collect_workers,
    collect_ready, collect_log_written, collect_log_waiting, collect_log_dropped, collect_log_queue,
    collect_log_capacity, collect_log_stalled, collect_log_reopened, collect_spans_ended,
    collect_spans_unsampled, collect_span_export_requests, collect_span_export_retries,
    collect_log_export_requests, collect_log_export_retries, collect_metric_overflow,
    collect_diagnostics_dropped, collect_build_info, collect_page_viewers,
    collect_page_updates_lost, collect_page_records_skipped, collect_page_refused;

/* In faults/collect.c. */
tel_collect_fn collect_fault_in_force, collect_fault_error_ratio, collect_fault_reset_ratio,
    collect_fault_truncate_ratio, collect_fault_latency, collect_fault_cpu, collect_fault_memory,
    collect_fault_background_cpus, collect_fault_plan_loads, collect_fault_plan_last_load,
    collect_fault_plan_end;

#endif
