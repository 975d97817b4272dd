/*
 * Tracers: making them, counting, and the exporter's side of their queues.
 *
 * queue_size is a promise about all shards together, so each gets its share as the limit of
 * records of its ring (the first ones one more where it does not divide), and at least one. The
 * ring's bytes are sized for spans of SPAN_BYTES; a program whose spans are larger on average finds
 * the ring full earlier, and sees it counted.
 */
#include "trace/tracer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS_MAX     4096
#define SPAN_BYTES     1024  /* what the queue reserves a span, in memory that may stay untouched */
#define RING_BYTES_MIN 16384 /* a record of the largest span must fit into half of it */
#define QUEUE_SIZE_MAX 1048576 /* spans; keeps a single shard's ring within what a ring can be */

static size_t record_limit(const struct tel_tracer_options *options, size_t shard)
{
    size_t share = options->queue_size / options->shard_count;
    share += shard < options->queue_size % options->shard_count ? 1 : 0;
    return share > 0 ? share : 1;
}

static int init_rings(struct tel_tracer *tracer)
{
    const struct tel_tracer_options *options = &tracer->options;
    if (options->queue_size == 0) {
        return 0; /* the rings stay without memory: nothing is ever recorded */
    }
    for (size_t i = 0; i < options->shard_count; i++) {
        size_t limit = record_limit(options, i);
        size_t bytes = limit * SPAN_BYTES;
        int error = tel__ring_init(&tracer->shards[i].ring,
                                   bytes < RING_BYTES_MIN ? RING_BYTES_MIN : bytes, limit);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

struct tel_tracer *tel_tracer_create(const struct tel_tracer_options *options)
{
    if (options->shard_count == 0 || options->shard_count > SHARDS_MAX ||
        options->queue_size > QUEUE_SIZE_MAX) {
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
    atomic_init(&tracer->wake_level, 1);
    int error = tel__wakeup_init(&tracer->wakeup);
    if (error == 0) {
        error = init_rings(tracer);
    }
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
    for (size_t i = 0; i < tracer->options.shard_count; i++) {
        tel__ring_fini(&tracer->shards[i].ring);
    }
    tel__wakeup_fini(&tracer->wakeup);
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
    *stats = (struct tel_tracer_stats){0};
    for (size_t i = 0; i < tracer->options.shard_count; i++) {
        const struct tel__tracer_shard *shard = &tracer->shards[i];
        read_started(shard, stats);
        stats->ended += read_count(&shard->ended);
        stats->ended_server += read_count(&shard->ended_server);
        stats->unsampled += read_count(&shard->unsampled);
        stats->dropped_queue_full += read_count(&shard->dropped_queue_full);
        stats->dropped_shutdown += read_count(&shard->dropped_shutdown);
        stats->queued += tel__ring_count(&shard->ring);
        stats->queue_capacity += shard->ring.limit;
    }
}

void tel_tracer_close(struct tel_tracer *tracer)
{
    atomic_store_explicit(&tracer->closed, true, memory_order_release);
}

/* ---- the exporter's side ------------------------------------------------------------------- */

const struct tel__span_record *tel__tracer_peek(struct tel_tracer *tracer)
{
    if (tracer->options.queue_size == 0) {
        return NULL;
    }
    for (size_t i = 0; i < tracer->options.shard_count; i++) {
        size_t shard = (tracer->next_shard + i) % tracer->options.shard_count;
        size_t length;
        const void *record = tel__ring_peek(&tracer->shards[shard].ring, &length);
        if (record != NULL) {
            tracer->peeked_shard = shard;
            return record;
        }
    }
    return NULL;
}

void tel__tracer_pop(struct tel_tracer *tracer)
{
    tel__ring_pop(&tracer->shards[tracer->peeked_shard].ring);
    tracer->next_shard = (tracer->peeked_shard + 1) % tracer->options.shard_count;
}

uint64_t tel__tracer_queued(const struct tel_tracer *tracer)
{
    uint64_t queued = 0;
    for (size_t i = 0; i < tracer->options.shard_count; i++) {
        queued += tel__ring_count(&tracer->shards[i].ring);
    }
    return queued;
}

struct tel__wakeup *tel__tracer_wakeup(struct tel_tracer *tracer)
{
    return &tracer->wakeup;
}

void tel__tracer_set_wake_level(struct tel_tracer *tracer, uint64_t level)
{
    atomic_store_explicit(&tracer->wake_level, level, memory_order_relaxed);
}

void tel__tracer_published(struct tel_tracer *tracer, struct tel__tracer_shard *shard)
{
    /* The fence stands before the level is read: an exporter that lowers it, arms and looks again
     * either sees our record or we see its level. */
    tel__wakeup_fence();
    if (!tel__wakeup_is_armed(&tracer->wakeup)) {
        return;
    }
    const struct tel__ring *ring = &shard->ring;
    uint64_t waiting = tel__ring_count(ring);
    if (waiting >= read_count(&tracer->wake_level) || waiting >= ring->limit - ring->limit / 4 ||
        tel__ring_used_bytes(ring) >= ring->size - ring->size / 4) {
        tel__wakeup_signal(&tracer->wakeup);
    }
}
