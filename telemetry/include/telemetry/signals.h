/*
 * Signals: all that a program needs to tell what it does, made, flushed and freed in the right order.
 *
 * What it is for: a program has metrics, spans and an access log after three calls, set up by the
 * standard OTEL_* variables. Who needs less, or another order, uses the other nouns directly: these
 * functions do nothing that a program could not do itself.
 *
 * How it works: create makes, in the order of need,
 *
 *     config ──> resource ──> registry ──> tracer and exporter ──> logger and exporter ──> access log
 *
 * and adds the families of the library's own (otel_sdk_*, process_*, target_info) to the registry.
 * Then the program adds its families and calls start, which sets the exporters' threads going.
 * Shutdown flushes all of them at the same time, within one deadline.
 *
 * Threads: create, start, shutdown and destroy from one thread; the getters from any.
 * Memory: everything is made here and freed by destroy; what getters return is borrowed until then.
 * Failure: create tells through `diagnostic` which part failed and why, and returns NULL with errno.
 *
 *     struct tel_signals *signals = tel_signals_create(&(struct tel_signals_options){
 *         .service_name = "shop", .access_log = {.path = "-"}});
 *     if (signals == NULL || tel_signals_start(signals) != 0) { return 1; }
 *     …
 *     tel_signals_shutdown(signals, 5000);
 *     tel_signals_destroy(signals);
 */
#ifndef TELEMETRY_SIGNALS_H
#define TELEMETRY_SIGNALS_H

#include <stddef.h>
#include <stdint.h>

#include "telemetry/access_log.h"
#include "telemetry/config.h"
#include "telemetry/logs.h"
#include "telemetry/metrics.h"
#include "telemetry/otlp.h"
#include "telemetry/resource.h"
#include "telemetry/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tel_signals; /* what a process says of itself */

/* Strings are borrowed until create returns, but for service_name and service_version: until
 * destroy. */
struct tel_signals_options {
    const char *service_name; /* unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say it; also
                                    the spans' scope; NULL: `unknown_service:<executable>` */
    const char *service_version; /* or NULL */
    size_t shard_count; /* threads of the program that record, 0: one; their shards are 0 up to it
                           (the registry has two more, for the exporters' threads) */
    struct tel_access_log_options access_log; /* a NULL path: no log. Shards and diagnostics are
                                                 filled in, and `#Software` unless it is set */
    tel_getenv_fn *get;            /* where OTEL_* variables come from; NULL: getenv(3) */
    tel_diagnostic_fn *diagnostic; /* NULL: warnings and errors become lines on stderr */
    void *diagnostic_argument;     /* given to `diagnostic` */
};

/* Makes all parts. NULL with errno EINVAL, ENOMEM, or what opening the log failed with. */
struct tel_signals *tel_signals_create(const struct tel_signals_options *options);

/* Starts exporting, after the program has added its families. Returns 0 or a negative errno. */
int tel_signals_start(struct tel_signals *signals);

/* The parts, borrowed. The exporter is NULL when spans go nowhere (OTEL_TRACES_EXPORTER=none,
 * OTEL_SDK_DISABLED), the logger and its exporter unless OTEL_LOGS_EXPORTER=otlp, the access log when
 * the options named none. */
struct tel_config *tel_signals_get_config(const struct tel_signals *signals);
struct tel_resource *tel_signals_get_resource(const struct tel_signals *signals);
struct tel_registry *tel_signals_get_registry(const struct tel_signals *signals);
struct tel_tracer *tel_signals_get_tracer(const struct tel_signals *signals);
struct tel_exporter *tel_signals_get_exporter(const struct tel_signals *signals);
struct tel_logger *tel_signals_get_logger(const struct tel_signals *signals);
struct tel_exporter *tel_signals_get_logs_exporter(const struct tel_signals *signals);
struct tel_access_log *tel_signals_get_access_log(const struct tel_signals *signals);

/* Brings out what is queued, for up to `deadline_ms`, spans, records and lines at the same time: one
 * that is stuck does not eat the others' share. What is left is counted as lost. No thread may record
 * any more. Returns 0, or -ETIMEDOUT when something was left. */
int tel_signals_shutdown(struct tel_signals *signals, uint32_t deadline_ms);

/* Frees all parts; what was not shut down is, without waiting. NULL is fine. */
void tel_signals_destroy(struct tel_signals *signals);

#ifdef __cplusplus
}
#endif

#endif
