/*
 * The public side: making an exporter, its thread's life, its counters. What the thread does is its
 * kind's business.
 *
 * Shutdown is one-way: the queue is closed first, so it only shrinks; the thread gets a
 * deadline and ends by itself; what it left is counted here, so that no record is without a fate.
 */
#include "otlp/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"
#include "logs/logger.h"
#include "telemetry/clock.h"
#include "trace/tracer.h"

const char *tel_export_error_name(enum tel_export_error error)
{
    static const char *const names[] = {
        [TEL_EXPORT_REJECTED] = "rejected",         [TEL_EXPORT_TIMEOUT] = "timeout",
        [TEL_EXPORT_CONNECTION] = "connection",     [TEL_EXPORT_STATUS] = "status",
        [TEL_EXPORT_BAD_RESPONSE] = "bad_response", [TEL_EXPORT_TOO_LARGE] = "too_large",
        [TEL_EXPORT_SHUTDOWN] = "shutdown",
    };
    _Static_assert(sizeof(names) / sizeof(names[0]) == TEL_EXPORT_ERRORS, "one name an error");
    return (unsigned)error < TEL_EXPORT_ERRORS ? names[error] : "unknown";
}

static int make_nothing(struct tel_exporter *exporter)
{
    (void)exporter;
    return 0;
}

static void destroy_nothing(struct tel_exporter *exporter)
{
    (void)exporter;
}

const struct tel__exporter_kind tel__exporter_none = {.component = "none",
                                                      .errors = TEL__ALL_ERRORS,
                                                      .make = make_nothing,
                                                      .run = NULL,
                                                      .destroy = destroy_nothing};

static const struct tel__exporter_kind *const kinds[] = {
    [TEL_EXPORTER_NONE] = &tel__exporter_none,
    [TEL_EXPORTER_OTLP] = &tel__exporter_otlp,
    [TEL_EXPORTER_CONSOLE] = &tel__exporter_console,
};

static struct tel_exporter *create(const struct tel_exporter_options *options,
                                   struct tel__queue *queue, tel__encode_fn *encode,
                                   const struct tel_resource *resource)
{
    if ((size_t)options->kind >= sizeof(kinds) / sizeof(kinds[0]) ||
        (options->kind != TEL_EXPORTER_NONE && options->max_batch == 0)) {
        errno = EINVAL;
        return NULL;
    }
    struct tel_exporter *exporter = calloc(1, sizeof(*exporter));
    if (exporter == NULL) {
        return NULL;
    }
    exporter->kind = kinds[options->kind];
    exporter->options = *options;
    exporter->queue = queue;
    exporter->encode = encode;
    exporter->resource = resource;
    exporter->loss.diagnostic = options->diagnostic;
    exporter->loss.argument = options->diagnostic_argument;
    exporter->loss.records = queue->signal->records;
    exporter->loss.destination = "their destination";
    exporter->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = exporter->stop_fd >= 0 ? exporter->kind->make(exporter) : -errno;
    if (error != 0) {
        tel_exporter_destroy(exporter);
        errno = -error;
        return NULL;
    }
    return exporter;
}

struct tel_exporter *tel_exporter_create(const struct tel_exporter_options *options,
                                         struct tel_tracer *tracer,
                                         const struct tel_resource *resource)
{
    return create(options, &tracer->queue, tel__encode_span, resource);
}

struct tel_exporter *tel_exporter_create_logs(const struct tel_exporter_options *options,
                                              struct tel_logger *logger,
                                              const struct tel_resource *resource)
{
    if (options->kind == TEL_EXPORTER_CONSOLE) {
        errno = EINVAL;
        return NULL;
    }
    return create(options, &logger->queue, tel__encode_log, resource);
}

static void *run_thread(void *argument)
{
    struct tel_exporter *exporter = argument;
    pthread_setname_np(pthread_self(), "otel-export");
    exporter->kind->run(exporter);
    return NULL;
}

int tel_exporter_start(struct tel_exporter *exporter)
{
    if (exporter->kind->run == NULL || exporter->started) {
        return exporter->started ? -EALREADY : 0;
    }
    int error = tel__thread_start(&exporter->thread, run_thread, exporter);
    exporter->started = error == 0;
    return error;
}

void tel_exporter_begin_shutdown(struct tel_exporter *exporter, uint32_t deadline_ms)
{
    uint64_t one = 1;
    tel__queue_close(exporter->queue);
    if (!exporter->started || exporter->stopping) {
        return;
    }
    exporter->stopping = true;
    atomic_store(&exporter->stop_by_ns, tel_clock_monotonic_ns() + deadline_ms * TEL_NS_PER_MS);
    /* Cannot fail: the counter is at 0, and nobody else writes it. */
    ssize_t put = write(exporter->stop_fd, &one, sizeof(one));
    (void)put;
}

int tel_exporter_shutdown(struct tel_exporter *exporter, uint32_t deadline_ms)
{
    tel_exporter_begin_shutdown(exporter, deadline_ms);
    if (exporter->started) {
        pthread_join(exporter->thread, NULL);
        exporter->started = false;
    }
    /* What a producer put in after the thread had looked for the last time. */
    tel__exporter_discard_queue(exporter);
    tel__loss_finish(&exporter->loss, tel__exporter_queue_full(exporter));
    return exporter->left ? -ETIMEDOUT : 0;
}

void tel_exporter_destroy(struct tel_exporter *exporter)
{
    if (exporter == NULL) {
        return;
    }
    if (exporter->started) {
        tel_exporter_shutdown(exporter, 0);
    }
    exporter->kind->destroy(exporter);
    if (exporter->stop_fd >= 0) {
        close(exporter->stop_fd);
    }
    free(exporter);
}

void tel_exporter_get_stats(const struct tel_exporter *exporter, struct tel_exporter_stats *stats)
{
    uint64_t known = 0;
    stats->acknowledged = atomic_load_explicit(&exporter->acknowledged, memory_order_acquire);
    known += stats->acknowledged;
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        stats->failed[i] = atomic_load_explicit(&exporter->failed[i], memory_order_acquire);
        known += stats->failed[i];
    }
    /* Read last: every fate read above belongs to a record that was taken before. */
    stats->inflight = atomic_load_explicit(&exporter->taken, memory_order_relaxed) - known;
    stats->requests = atomic_load_explicit(&exporter->requests, memory_order_relaxed);
    stats->retries = atomic_load_explicit(&exporter->retries, memory_order_relaxed);
}

/* ---- for the kinds ------------------------------------------------------------------------- */

void tel__exporter_discard_queue(struct tel_exporter *exporter)
{
    size_t length;
    /* Bounded: the queue is closed, so only what was on its way then can still come. */
    while (tel__queue_peek(exporter->queue, &length) != NULL) {
        tel__exporter_add(&exporter->taken, 1);
        tel__queue_pop(exporter->queue);
        tel__exporter_add(&exporter->failed[TEL_EXPORT_SHUTDOWN], 1);
        exporter->loss.lost++;
        exporter->left = true;
    }
}

uint64_t tel__exporter_queue_full(const struct tel_exporter *exporter)
{
    struct tel__queue_stats stats;
    tel__queue_get_stats(exporter->queue, &stats);
    return stats.dropped_full;
}
