/*
 * Values that something else already keeps, read when somebody scrapes: a function a row of
 * metrics.def. They run on the scraping thread and must not block: every source is a few atomic
 * loads or a clock.
 *
 * To add one: the row, a collect_<what>() here, its name in collect.h.
 */
#include "collect.h"

#include "build_info.h"
#include "diagnostics.h"
#include "server.h"
#include "service.h"

const char *const refusal_names[REFUSALS] = {"limit", "descriptors", "handover", "memory"};
const char *const accept_error_names[ACCEPT_ERRORS] = {"descriptors", "memory", "other"};
const char *const listener_names[LISTENER_LABELS] = {"public", "operators"};

static void emit(struct tel_scrape *scrape, double value)
{
    tel_scrape_emit(scrape, NULL, value);
}

static void emit_labelled(struct tel_scrape *scrape, const char *label, double value)
{
    tel_scrape_emit(scrape, (const char *const[]){label}, value);
}

void collect_connections(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    for (int i = 0; i < LISTENER_LABELS; i++) {
        emit_labelled(scrape, listener_names[i],
                      (double)server_connections(service->server, (enum listener_label)i));
    }
}

void collect_connections_limit(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    emit(scrape, (double)server_connections_limit(service->server));
}

void collect_connections_unused(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    struct http_engine_stats stats;
    server_get_stats(service->server, &stats);
    emit(scrape, (double)stats.without_request);
}

void collect_connections_closed_idle(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    struct http_engine_stats stats;
    server_get_stats(service->server, &stats);
    emit_labelled(scrape, "idle_timeout", (double)stats.idle_closed);
    emit_labelled(scrape, "drain", (double)stats.drained);
}

void collect_connections_lost(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    struct http_engine_stats stats;
    server_get_stats(service->server, &stats);
    emit(scrape, (double)stats.lost);
}

void collect_busy(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    for (size_t shard = 0; shard <= service_main_shard(service); shard++) {
        emit_labelled(scrape, service_thread_label(service, shard),
                      (double)server_thread_cpu_ns(service->server, shard) / 1e9);
    }
}

void collect_workers(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    emit(scrape, (double)service->worker_count);
}

void collect_ready(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    emit(scrape, lifecycle_is_ready(&service->lifecycle) ? 1 : 0);
}

static struct tel_access_log_stats log_stats(const struct service *service)
{
    struct tel_access_log_stats stats = {0};
    if (service->access_log != NULL) {
        tel_access_log_get_stats(service->access_log, &stats);
    }
    return stats;
}

/* The log's families differ only in which number they show. */
#define COLLECT_LOG(name, member)                                      \
    void collect_log_##name(struct tel_scrape *scrape, void *argument) \
    {                                                                  \
        emit(scrape, (double)log_stats(argument).member);              \
    }
COLLECT_LOG(written, written)
COLLECT_LOG(waiting, waiting)
COLLECT_LOG(queue, queue_bytes)
COLLECT_LOG(capacity, queue_capacity_bytes)
COLLECT_LOG(stalled, stalled)
COLLECT_LOG(reopened, reopened)

void collect_log_dropped(struct tel_scrape *scrape, void *argument)
{
    struct tel_access_log_stats stats = log_stats(argument);
    for (int i = 0; i < TEL_ACCESS_DROPS; i++) {
        emit_labelled(scrape, tel_access_drop_name((enum tel_access_drop)i),
                      (double)stats.dropped[i]);
    }
}

void collect_spans_ended(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    struct tel_tracer_stats stats;
    tel_tracer_get_stats(service->tracer, &stats);
    emit_labelled(scrape, "server", (double)stats.ended_server);
    emit_labelled(scrape, "internal", (double)(stats.ended - stats.ended_server));
}

void collect_spans_unsampled(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    struct tel_tracer_stats stats;
    tel_tracer_get_stats(service->tracer, &stats);
    emit(scrape, (double)stats.unsampled);
}

static struct tel_exporter_stats exporter_stats(const struct tel_exporter *exporter)
{
    struct tel_exporter_stats stats = {0};
    if (exporter != NULL) {
        tel_exporter_get_stats(exporter, &stats);
    }
    return stats;
}

/* A signal's families differ in whose number they show, and which. */
#define COLLECT_EXPORT(name, whose, member)                          \
    void collect_##name(struct tel_scrape *scrape, void *argument)   \
    {                                                                \
        const struct service *service = argument;                    \
        emit(scrape, (double)exporter_stats(service->whose).member); \
    }
COLLECT_EXPORT(span_export_requests, exporter, requests)
COLLECT_EXPORT(span_export_retries, exporter, retries)
COLLECT_EXPORT(log_export_requests, logs_exporter, requests)
COLLECT_EXPORT(log_export_retries, logs_exporter, retries)

void collect_metric_overflow(struct tel_scrape *scrape, void *argument)
{
    const struct service *service = argument;
    emit(scrape, (double)tel_registry_overflow_count(service->registry));
}

void collect_diagnostics_dropped(struct tel_scrape *scrape, void *argument)
{
    (void)argument;
    struct diagnostics_stats stats;
    diagnostics_get_stats(&stats);
    emit(scrape, (double)(stats.suppressed + stats.lost));
}

void collect_build_info(struct tel_scrape *scrape, void *argument)
{
    (void)argument;
    tel_scrape_emit(
        scrape, (const char *const[]){build_info.version, build_info.revision, build_info.compiler},
        1);
}
