/*
 * A label set on its way in: values made fit to expose, with their hash, and how they are rendered.
 *
 * How it works: a value of ASCII or well-formed UTF-8 within TEL_LABEL_VALUE_MAX bytes is used
 * where it lies. Any other is copied into the struct with each bad byte replaced by U+FFFD and cut
 * at a character border. So two values that would be exposed alike are one series, and whatever
 * bytes a client sent, the exposition stays well-formed.
 *
 * Threads: the struct has one owner (a stack frame).
 * Memory: values are borrowed from the caller for as long as the struct is used.
 */
#ifndef TEL_METRICS_LABELS_H
#define TEL_METRICS_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/metrics.h"

/* The label of the series that takes what no other may; OpenTelemetry metrics SDK, cardinality
 * limits. */
#define TEL__OVERFLOW_LABEL "otel_metric_overflow"

struct tel__labels {
    size_t count;
    uint64_t hash;
    const char *values[TEL_LABELS_MAX];
    uint16_t lengths[TEL_LABELS_MAX]; /* 0: the label is left out */
    /* Room for values that had to be changed; not touched otherwise. */
    char scratch[TEL_LABELS_MAX][TEL_LABEL_VALUE_MAX];
};

/* Reads `count` (up to TEL_LABELS_MAX) values, each NUL-terminated or NULL. `values` itself may be
 * NULL when count is 0. */
void tel__labels_init(struct tel__labels *labels, const char *const *values, size_t count);

/* Appends `name="value"` pairs, comma-separated, escaped as both text formats ask. */
void tel__labels_append_text(struct tel_buffer *out, const char *const *names,
                             const struct tel__labels *labels);

/* Appends the pairs as `label` fields (1, LabelPair) of io.prometheus.client.Metric. */
void tel__labels_append_protobuf(struct tel_buffer *out, const char *const *names,
                                 const struct tel__labels *labels);

/* Appends bytes with `\` and newline escaped, and `"` too when `quotes`. */
void tel__escape_append(struct tel_buffer *out, const char *bytes, size_t length, bool quotes);

#endif
