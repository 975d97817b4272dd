/*
 * The signals from within: the parts, and what those add that serve on top of them.
 *
 * Threads, memory, failure: as telemetry/signals.h says.
 */
#ifndef TEL_SIGNALS_SIGNALS_H
#define TEL_SIGNALS_SIGNALS_H

#include "telemetry/signals.h"

struct tel_signals {
    struct tel_config *config;
    struct tel_resource *resource;
    struct tel_registry *registry;
    struct tel_tracer *tracer;
    struct tel_exporter *exporter;
    struct tel_logger *logger; /* NULL where nobody asked for log records */
    struct tel_exporter *logs_exporter;
    struct tel_access_log *access_log;
    size_t shard_count; /* of the program; the exporters' come after them */
    tel_diagnostic_fn *diagnostic;
    void *diagnostic_argument;

    /* The families of every HTTP server of the process, made by the first (src/evhttp). */
    struct tel_family *http_duration;
    struct tel_family *http_active;
};

#endif
