/*
 * The test server's traces: the library's tracer, set up by the OTEL_* variables like the service's,
 * but that spans go nowhere unless OTEL_TRACES_EXPORTER says where: what a public suite looks at are
 * the headers.
 *
 * Threads: made and ended by the main thread; the library adds the exporter's.
 * Failure: 0 or a negative errno.
 */
#ifndef TESTSERVER_TRACING_H
#define TESTSERVER_TRACING_H

#include <stdint.h>

#include "telemetry/telemetry.h"

struct tracing {
    struct tel_config *config;
    struct tel_resource *resource;
    struct tel_tracer *tracer;
    struct tel_exporter *exporter; /* NULL: spans go nowhere */
};

int tracing_init(struct tracing *tracing);
/* Exports what is left for up to `flush_ms`, and frees it all. What init left undone is fine. */
void tracing_fini(struct tracing *tracing, uint32_t flush_ms);

#endif
