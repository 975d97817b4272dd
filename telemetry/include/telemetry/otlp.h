/*
 * The exporter: takes ended spans from a tracer's queue, or records from a logger's, and brings them
 * to where they are read. A signal has an exporter of its own.
 *
 * How it works: one thread with an event loop of its own drains the queue into batches, encodes each
 * as an OTLP Export{Trace,Logs}ServiceRequest and POSTs it, one export at a time, on one keep-alive
 * connection:
 *
 *     collect ──(delay passed, batch full, flush)──> send ──200──> acknowledged (partial: rejected)
 *        ^                                             ├─429 502 503 504, no connection──> back off
 *        └─────────────────────────────────────────────┴─any other answer──> dropped, counted
 *
 * A batch is counted when the answer is known, never at hand-off:
 *     taken from the queue = acknowledged + failed(reason) + in flight
 *
 * The console kind prints one JSON object a span and line instead (to stderr), where acknowledged
 * means written; it has spans only. The kind `none` has no thread and takes nothing.
 *
 * Threads: create, start, shutdown, destroy from one thread; stats from any.
 * Failure: a dead, slow or lying collector costs memory only up to one batch and its answer.
 * Source: opentelemetry-proto docs/specification.md; OpenTelemetry specification, protocol/exporter
 * and trace/sdk (batching processor).
 */
#ifndef TELEMETRY_OTLP_H
#define TELEMETRY_OTLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/metrics.h"
#include "telemetry/resource.h"
#include "telemetry/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_EXPORT_REQUEST_MAX  (64u * 1024 * 1024) /* bytes of a body that goes out */
#define TEL_EXPORT_RESPONSE_MAX (4u * 1024 * 1024)  /* bytes of an answer that is read */

/* Where records go. */
enum tel_exporter_kind {
    TEL_EXPORTER_NONE,   /* nowhere: the exporter has no thread and takes nothing */
    TEL_EXPORTER_OTLP,   /* to a collector, OTLP over HTTP */
    TEL_EXPORTER_CONSOLE /* to stderr, a JSON object a span */
};

/* How a request's body is packed. */
enum tel_compression {
    TEL_COMPRESSION_NONE, /* not at all */
    TEL_COMPRESSION_GZIP  /* Content-Encoding: gzip */
};

/* How much something matters: of diagnostics, and of log records. */
enum tel_severity {
    TEL_DEBUG,      /* for who looks for a fault */
    TEL_INFO_LEVEL, /* for the record */
    TEL_WARN,       /* something is amiss or was ignored; it goes on */
    TEL_ERROR       /* something does not work */
};
/* Where the library says what its operator should know; any thread; `message` is borrowed. */
typedef void tel_diagnostic_fn(enum tel_severity severity, const char *component,
                               const char *message, void *argument);

/* Where to and how; tel_config_get_exporter() fills them. Strings are borrowed until destroy. */
struct tel_exporter_options {
    enum tel_exporter_kind kind;      /* decides which of the others matter */
    const char *endpoint;             /* full URL of the signal */
    const char *headers;              /* `k=v,k=v`, percent-decoded values, or NULL */
    enum tel_compression compression; /* of request bodies */
    uint32_t timeout_ms;              /* of one POST */
    uint32_t schedule_delay_ms;       /* longest wait of a record before its batch goes */
    uint32_t export_timeout_ms;       /* of one batch, retries included */
    size_t max_batch;                 /* records a batch */
    /* The three files are in PEM form, are read at creation, and again when they were replaced. */
    const char *certificate_file;        /* CAs, or NULL for the system's */
    const char *client_key_file;         /* for mutual TLS, not encrypted; or NULL */
    const char *client_certificate_file; /* the certificate chain that goes with it */
    /* The names are what messages call the files, such as the variables that gave them. */
    const char *certificate_name;        /* NULL: "certificate_file" */
    const char *client_key_name;         /* NULL: "client_key_file" */
    const char *client_certificate_name; /* NULL: "client_certificate_file" */
    const char *scope_name;              /* instrumentation scope of the records */
    const char *scope_version;           /* or NULL */
    size_t shard;                  /* of the registry, for what the exporter's thread observes */
    tel_diagnostic_fn *diagnostic; /* or NULL */
    void *diagnostic_argument;     /* given to `diagnostic` */
};

/* Why records failed to be exported: the values of error.type, a closed list. */
enum tel_export_error {
    TEL_EXPORT_REJECTED,     /* partial success */
    TEL_EXPORT_TIMEOUT,      /* the last try had no answer in time, and no time is left; a POST
                                     that times out is tried again like one that is cut off */
    TEL_EXPORT_CONNECTION,   /* no connection, or it was cut off, and no time is left; console:
                                     nobody reads */
    TEL_EXPORT_STATUS,       /* an HTTP status that is not retried, or retries ran out of time */
    TEL_EXPORT_BAD_RESPONSE, /* an answer that is not HTTP or not OTLP */
    TEL_EXPORT_TOO_LARGE, /* a record over TEL_EXPORT_REQUEST_MAX, or over what memory there is */
    TEL_EXPORT_SHUTDOWN,  /* flush time was over */
    TEL_EXPORT_ERRORS     /* how many there are */
};
/* The error.type value, a static string: "rejected", "timeout", … In the metrics TEL_EXPORT_STATUS
 * is told apart by code ("503") for the first eight codes met. */
const char *tel_export_error_name(enum tel_export_error error);

/* What became of the records that were taken from the queue. */
struct tel_exporter_stats {
    uint64_t acknowledged;              /* records: spans, or log records */
    uint64_t failed[TEL_EXPORT_ERRORS]; /* records */
    uint64_t inflight;                  /* records taken from the queue, fate not known yet */
    uint64_t requests;                  /* POSTs made, retries included */
    uint64_t retries;                   /* of these, those that repeat one that failed */
};

struct tel_exporter; /* the thread of a signal, and its counts */
struct tel_logger;   /* logs.h */

/* Checks the options and makes an exporter that consumes `tracer`'s queue. NULL with errno: EINVAL
 * (endpoint, headers or a file of TLS, said through `diagnostic`), ENOMEM. Borrows tracer and
 * resource. */
struct tel_exporter *tel_exporter_create(const struct tel_exporter_options *options,
                                         struct tel_tracer *tracer,
                                         const struct tel_resource *resource);

/* The same for a logger's queue; EINVAL also for the console, which has no log records. */
struct tel_exporter *tel_exporter_create_logs(const struct tel_exporter_options *options,
                                              struct tel_logger *logger,
                                              const struct tel_resource *resource);

/* Starts the thread. Returns 0 or a negative errno. */
int tel_exporter_start(struct tel_exporter *exporter);

/* Closes the queue and has the thread export what is in it for up to `deadline_ms`; returns at once.
 * So several exporters can end in the same time. tel_exporter_shutdown() must follow. */
void tel_exporter_begin_shutdown(struct tel_exporter *exporter, uint32_t deadline_ms);

/* Closes the queue, exports what is in it for up to `deadline_ms` (unless a shutdown was begun: then
 * its deadline holds), counts the rest as failed with TEL_EXPORT_SHUTDOWN, joins the thread. Returns
 * 0, or -ETIMEDOUT when something was left. */
int tel_exporter_shutdown(struct tel_exporter *exporter, uint32_t deadline_ms);
/* Frees it; what was started and not shut down is shut down first, without waiting. NULL is fine.
 * */
void tel_exporter_destroy(struct tel_exporter *exporter);

/* Reads the counts; their terms add up at any moment. Any thread, no lock. */
void tel_exporter_get_stats(const struct tel_exporter *exporter, struct tel_exporter_stats *stats);

/* Adds the otel_sdk_* families of tracer and exporter to a registry (names of the OpenTelemetry
 * semantic conventions, otel/sdk-metrics, in Prometheus form). `exporter` may be NULL: then they
 * stand at 0. All series are there from the first scrape. Before tel_exporter_start(); exporter and
 * tracer must outlive the registry's last scrape. Returns 0 or a negative errno. */
int tel_exporter_register(struct tel_exporter *exporter, const struct tel_tracer *tracer,
                          struct tel_registry *registry);

/* The same families of a logger and its exporter (may be NULL), otel_sdk_…_log_…; what exporters of
 * all signals share, the durations, is made by whichever comes first. */
int tel_exporter_register_logs(struct tel_exporter *exporter, const struct tel_logger *logger,
                               struct tel_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
