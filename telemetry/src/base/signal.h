/*
 * What is different between the signals that are exported: what their records are called, for
 * people and in the metrics of the OpenTelemetry semantic conventions (otel/sdk-metrics).
 *
 * A new signal is a row here, a producer that owns a queue (base/queue.h), and an encoding in otlp.
 */
#ifndef TEL_BASE_SIGNAL_H
#define TEL_BASE_SIGNAL_H

struct tel__signal {
    const char *records;   /* for people, the plural */
    const char *word;      /* in names of components, `otlp_http_WORD_exporter` */
    const char *processor; /* otel.component.type of the queue and what empties it */
    /* Families of metrics. */
    const char *queue_size;
    const char *queue_capacity;
    const char *processed;
    const char *inflight;
    const char *exported;
    /* Their help. */
    const char *queue_size_help;
    const char *queue_capacity_help;
    const char *processed_help;
    const char *inflight_help;
    const char *exported_help;
};

extern const struct tel__signal tel__signal_traces;
extern const struct tel__signal tel__signal_logs;

#endif
