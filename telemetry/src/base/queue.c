/*
 * Shards' rings as one queue. All that producers share is the wakeup; all that is counted is
 * counted by the shard's own thread.
 */
#include "base/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t read_count(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- making -------------------------------------------------------------------------------- */

static size_t limit_of(const struct tel__queue_options *options, size_t shard)
{
    size_t share = options->record_limit / options->shard_count;
    share += shard < options->record_limit % options->shard_count ? 1 : 0;
    return share > 0 ? share : 1;
}

static int init_rings(struct tel__queue *queue, const struct tel__queue_options *options)
{
    if (options->record_limit == 0) {
        return 0; /* the rings stay without memory */
    }
    for (size_t i = 0; i < options->shard_count; i++) {
        size_t limit = limit_of(options, i);
        size_t bytes = limit * options->record_bytes;
        int error =
            tel__ring_init(&queue->shards[i].ring,
                           bytes < TEL__QUEUE_RING_MIN ? TEL__QUEUE_RING_MIN : bytes, limit);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int tel__queue_init(struct tel__queue *queue, const struct tel__queue_options *options)
{
    memset(queue, 0, sizeof(*queue));
    queue->wakeup.fd = -1;
    queue->signal = options->signal;
    if (options->shard_count == 0 || options->shard_count > TEL__QUEUE_SHARDS_MAX ||
        options->record_limit > TEL__QUEUE_LIMIT_MAX) {
        return -EINVAL;
    }
    size_t bytes = options->shard_count * sizeof(struct tel__queue_shard);
    queue->shards = aligned_alloc(_Alignof(struct tel__queue_shard), bytes);
    if (queue->shards == NULL) {
        return -ENOMEM;
    }
    memset(queue->shards, 0, bytes);
    queue->shard_count = options->shard_count;
    atomic_init(&queue->wake_level, 1);
    int error = tel__wakeup_init(&queue->wakeup);
    return error != 0 ? error : init_rings(queue, options);
}

void tel__queue_fini(struct tel__queue *queue)
{
    for (size_t i = 0; i < queue->shard_count; i++) {
        tel__ring_fini(&queue->shards[i].ring);
    }
    tel__wakeup_fini(&queue->wakeup);
    free(queue->shards);
}

/* ---- producers ----------------------------------------------------------------------------- */

void *tel__queue_reserve(struct tel__queue *queue, size_t shard_index, size_t length)
{
    struct tel__queue_shard *shard = &queue->shards[shard_index];
    if (atomic_load_explicit(&queue->closed, memory_order_acquire)) {
        tel__count(&shard->dropped_closed);
        return NULL;
    }
    void *room = shard->ring.bytes != NULL ? tel__ring_reserve(&shard->ring, length) : NULL;
    if (room == NULL) {
        tel__count(&shard->dropped_full);
    }
    return room;
}

static bool is_pressed(const struct tel__ring *ring)
{
    return tel__ring_count(ring) >= ring->limit - ring->limit / 4 ||
           tel__ring_used_bytes(ring) >= ring->size - ring->size / 4;
}

void tel__queue_commit(struct tel__queue *queue, size_t shard_index, size_t length)
{
    struct tel__ring *ring = &queue->shards[shard_index].ring;
    tel__ring_commit(ring, length);
    /* The fence stands before the level is read: a consumer that lowers it, arms and looks again
     * either sees our record or we see its level. */
    tel__wakeup_fence();
    if (!tel__wakeup_is_armed(&queue->wakeup)) {
        return;
    }
    if (tel__ring_count(ring) >= read_count(&queue->wake_level) || is_pressed(ring)) {
        tel__wakeup_signal(&queue->wakeup);
    }
}

void tel__queue_close(struct tel__queue *queue)
{
    atomic_store_explicit(&queue->closed, true, memory_order_release);
}

/* ---- the consumer -------------------------------------------------------------------------- */

const void *tel__queue_peek(struct tel__queue *queue, size_t *length)
{
    for (size_t i = 0; i < queue->shard_count; i++) {
        size_t shard = (queue->next_shard + i) % queue->shard_count;
        struct tel__ring *ring = &queue->shards[shard].ring;
        const void *record = ring->bytes != NULL ? tel__ring_peek(ring, length) : NULL;
        if (record != NULL) {
            queue->peeked_shard = shard;
            return record;
        }
    }
    return NULL;
}

void tel__queue_pop(struct tel__queue *queue)
{
    tel__ring_pop(&queue->shards[queue->peeked_shard].ring);
    queue->next_shard = (queue->peeked_shard + 1) % queue->shard_count;
}

void tel__queue_arm(struct tel__queue *queue, uint64_t level)
{
    atomic_store_explicit(&queue->wake_level, level, memory_order_relaxed);
    tel__wakeup_arm(&queue->wakeup);
}

/* ---- counts -------------------------------------------------------------------------------- */

uint64_t tel__queue_count(const struct tel__queue *queue)
{
    uint64_t waiting = 0;
    for (size_t i = 0; i < queue->shard_count; i++) {
        waiting += tel__ring_count(&queue->shards[i].ring);
    }
    return waiting;
}

bool tel__queue_is_pressed(const struct tel__queue *queue)
{
    for (size_t i = 0; i < queue->shard_count; i++) {
        if (queue->shards[i].ring.bytes != NULL && is_pressed(&queue->shards[i].ring)) {
            return true;
        }
    }
    return false;
}

void tel__queue_get_stats(const struct tel__queue *queue, struct tel__queue_stats *stats)
{
    *stats = (struct tel__queue_stats){0};
    for (size_t i = 0; i < queue->shard_count; i++) {
        const struct tel__queue_shard *shard = &queue->shards[i];
        stats->waiting += tel__ring_count(&shard->ring);
        stats->capacity += shard->ring.limit;
        stats->dropped_full += read_count(&shard->dropped_full);
        stats->dropped_closed += read_count(&shard->dropped_closed);
    }
}
