/*
 * The process as one struct: what main() puts together and everything else reads.
 *
 * Shards number the threads that record (telemetry.h): workers are 0 .. worker_count-1, the main
 * thread comes after them. These serve requests; the exporters' threads, which come last, only
 * observe what they do themselves.
 *
 * Threads: written by the main thread before workers start; read-only afterwards, but for what
 * lifecycle.h and the telemetry nouns synchronise themselves.
 */
#ifndef GLASSBOX_SERVICE_H
#define GLASSBOX_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"
#include "lifecycle.h"
#include "options.h"
#include "telemetry/telemetry.h"

/* Ceiling of --workers. */
#define SERVICE_WORKERS_MAX 32

struct faults;
struct instruments;
struct log_headers;
struct page;
struct server;

struct service {
    const struct options *options;
    size_t worker_count;
    struct http_limits limits;

    /* telemetry, see signals.h: the parts are borrowed from `signals`, NULL where one is off */
    struct tel_signals *signals;
    struct tel_registry *registry;
    struct tel_tracer *tracer;
    struct tel_exporter *exporter;
    struct tel_logger *logger; /* NULL unless log records are exported */
    struct tel_exporter *logs_exporter;
    struct tel_access_log *access_log;
    struct instruments *instruments;
    struct log_headers *log_headers;

    struct faults *faults; /* always there, also without a plan */
    struct page *page;     /* NULL: it is off */
    struct server *server;
    struct lifecycle lifecycle;
};

static inline size_t service_main_shard(const struct service *service)
{
    return service->worker_count;
}
/* Of what requests write to: spans, lines, log records. */
static inline size_t service_serving_shards(const struct service *service)
{
    return service->worker_count + 1;
}
/* Of the registry, which has shards of the exporters' threads too. */
static inline size_t service_shard_count(const struct service *service)
{
    return service->worker_count + 3;
}

/* Label of a serving thread in metrics and diagnostics: "0", "1", … or "main". Static. */
const char *service_thread_label(const struct service *service, size_t shard);

#endif
