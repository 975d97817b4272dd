/*
 * Terms of the equation that add up, each of them other than 0.
 */
#ifndef GLASSBOX_UNIT_TERMS_H
#define GLASSBOX_UNIT_TERMS_H

#define TERMS_BALANCED                                                                           \
    {                                                                                            \
        .finished = 100, .metrics_count = 100, .log_on = true, .log_appended = 100,              \
        .log_written = 90, .log_waiting = 7, .log_dropped = 3, .spans_on = true,                 \
        .spans_ended = 110, .spans_server = 100, .spans_internal = 10, .spans_acknowledged = 60, \
        .spans_waiting = 5, .spans_inflight = 15, .spans_unsampled = 20, .spans_dropped = 4,     \
        .spans_failed = 6, .otlp_logs_on = true, .otlp_logs_emitted = 100,                       \
        .otlp_logs_acknowledged = 70, .otlp_logs_waiting = 4, .otlp_logs_inflight = 16,          \
        .otlp_logs_dropped = 3, .otlp_logs_failed = 7                                            \
    }

#endif
