/*
 * The rows: a name in the metrics differs by one word from its sister's, a help by the records.
 */
#include "base/signal.h"

#define SIGNAL(singular, plural, Plural)                                                     \
    {                                                                                        \
        .records = plural, .word = singular, .processor = "batching_" singular "_processor", \
        .queue_size = "otel_sdk_processor_" singular "_queue_size",                          \
        .queue_capacity = "otel_sdk_processor_" singular "_queue_capacity",                  \
        .processed = "otel_sdk_processor_" singular "_processed_total",                      \
        .inflight = "otel_sdk_exporter_" singular "_inflight",                               \
        .exported = "otel_sdk_exporter_" singular "_exported_total",                         \
        .queue_size_help = Plural " that wait for the exporter.",                            \
        .queue_capacity_help = Plural " that may wait for the exporter.",                    \
        .processed_help = Plural " handed to the exporter, or dropped before it for "        \
                                 "the reason in error_type.",                                \
        .inflight_help = Plural " the exporter has taken whose fate is open.",               \
        .exported_help = Plural " whose export ended: acknowledged, or failed for the "      \
                                "reason in error_type.",                                     \
    }

const struct tel__signal tel__signal_traces = SIGNAL("span", "spans", "Spans");
const struct tel__signal tel__signal_logs = SIGNAL("log", "log records", "Log records");
