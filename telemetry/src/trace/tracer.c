/*
 * Tracers: making them, and their counts, whose last terms are the queue's.
 */
#include "trace/tracer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/signal.h"

#define SPAN_BYTES 1024 /* what the queue reserves a span, in memory that may stay untouched */

struct tel_tracer *tel_tracer_create(const struct tel_tracer_options *options)
{
    if (options->shard_count > TEL__QUEUE_SHARDS_MAX) {
        errno = EINVAL;
        return NULL;
    }
    size_t size =
        sizeof(struct tel_tracer) + options->shard_count * sizeof(struct tel__tracer_shard);
    struct tel_tracer *tracer = aligned_alloc(_Alignof(struct tel_tracer), size);
    if (tracer == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(tracer, 0, size);
    tracer->options = *options;
    int error = tel__queue_init(&tracer->queue,
                                &(struct tel__queue_options){.signal = &tel__signal_traces,
                                                             .shard_count = options->shard_count,
                                                             .record_limit = options->queue_size,
                                                             .record_bytes = SPAN_BYTES});
    if (error != 0) {
        tel_tracer_destroy(tracer);
        errno = -error;
        return NULL;
    }
    return tracer;
}

void tel_tracer_destroy(struct tel_tracer *tracer)
{
    if (tracer == NULL) {
        return;
    }
    tel__queue_fini(&tracer->queue);
    free(tracer);
}

static uint64_t read_count(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void read_started(const struct tel__tracer_shard *shard, struct tel_tracer_stats *stats)
{
    for (int origin = 0; origin < TEL_PARENT_ORIGINS; origin++) {
        for (int sampled = 0; sampled < 2; sampled++) {
            uint64_t count = read_count(&shard->started[origin][sampled]);
            stats->started_by[origin][sampled] += count;
            stats->started += count;
        }
    }
}

void tel_tracer_get_stats(const struct tel_tracer *tracer, struct tel_tracer_stats *stats)
{
    struct tel__queue_stats queue;
    tel__queue_get_stats(&tracer->queue, &queue);
    *stats = (struct tel_tracer_stats){.dropped_queue_full = queue.dropped_full,
                                       .dropped_shutdown = queue.dropped_closed,
                                       .queued = queue.waiting,
                                       .queue_capacity = queue.capacity};
    for (size_t i = 0; i < tracer->options.shard_count; i++) {
        const struct tel__tracer_shard *shard = &tracer->shards[i];
        read_started(shard, stats);
        stats->ended += read_count(&shard->ended);
        stats->ended_server += read_count(&shard->ended_server);
        stats->unsampled += read_count(&shard->unsampled);
    }
}

void tel_tracer_close(struct tel_tracer *tracer)
{
    tel__queue_close(&tracer->queue);
}
