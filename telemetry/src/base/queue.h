/*
 * What threads that record hand to the one thread that exports: a bounded queue of records, with a
 * ring for each producing thread (a shard), emptied in turn.
 *
 * How it works: a producer reserves, fills and commits. What finds no room, or comes after close,
 * is counted in its stead. The limit of records is a promise about all shards together, so each
 * gets its share of it (the first ones one more where it does not divide), and at least one. A
 * ring's bytes are sized for records of `record_bytes`; where they are larger on average the ring
 * is full earlier, and that is counted alike.
 *
 * Waking: a producer signals when the consumer is armed and the producer's own ring holds at least
 * the level asked for (or is three quarters full). The consumer asks for 1 while it waits for a
 * first record, and for a share of a batch while it waits for one to fill. Arm, then look at the
 * queue once more: in this order no record is missed.
 *
 * Threads: reserve and commit by the shard's thread; peek, pop, arm by the consumer; close and
 * counts by any.
 * Memory: rings are mapped at init; they become resident as they are used.
 */
#ifndef TEL_BASE_QUEUE_H
#define TEL_BASE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/wakeup.h"

/* The largest record, in bytes: it must fit into half of the smallest ring. */
#define TEL__QUEUE_RING_MIN   16384
#define TEL__QUEUE_RECORD_MAX (TEL__QUEUE_RING_MIN / 2 - 8)
#define TEL__QUEUE_SHARDS_MAX 4096
/* Records; keeps a single shard's ring within what a ring can be. */
#define TEL__QUEUE_LIMIT_MAX 1048576

struct tel__signal; /* what the records are; known to those who make and take them */

struct tel__queue_shard {
    struct tel__ring ring; /* starts a cache line, and so does the next shard */
    _Alignas(64) _Atomic uint64_t dropped_full;
    _Atomic uint64_t dropped_closed;
};

struct tel__queue {
    const struct tel__signal *signal;
    struct tel__queue_shard *shards;
    size_t shard_count;
    struct tel__wakeup wakeup;
    _Atomic uint64_t wake_level;
    atomic_bool closed;
    /* The consumer's: whose turn it is, and whom the last peek found. */
    size_t next_shard;
    size_t peeked_shard;
};

struct tel__queue_options {
    const struct tel__signal *signal; /* kept for the consumer, not looked at */
    size_t shard_count;
    size_t record_limit; /* of all shards together; 0: it takes nothing, and has no memory */
    size_t record_bytes; /* what a record takes on average */
};

struct tel__queue_stats {
    uint64_t waiting;
    uint64_t capacity;       /* records */
    uint64_t dropped_full;   /* found no room */
    uint64_t dropped_closed; /* came after close */
};

/* Returns 0, -EINVAL (no shard, too many, a limit beyond reason) or -ENOMEM. fini is fine either
 * way. */
int tel__queue_init(struct tel__queue *queue, const struct tel__queue_options *options);
void tel__queue_fini(struct tel__queue *queue);

/* Room for a record of up to `length` bytes, or NULL: then it was dropped, and counted. */
void *tel__queue_reserve(struct tel__queue *queue, size_t shard, size_t length);
/* Hands over the first `length` bytes of what was reserved. */
void tel__queue_commit(struct tel__queue *queue, size_t shard, size_t length);
/* From now on nothing is taken. */
void tel__queue_close(struct tel__queue *queue);

/* The next record and its length, or NULL; it stays until pop. */
const void *tel__queue_peek(struct tel__queue *queue, size_t *length);
void tel__queue_pop(struct tel__queue *queue);
/* Asks to be woken from `level` records in one shard on; the wakeup's descriptor is then readable. */
void tel__queue_arm(struct tel__queue *queue, uint64_t level);

/* Records that wait: exact for the consumer, a moment's view for others. */
uint64_t tel__queue_count(const struct tel__queue *queue);
/* Whether some shard's ring is three quarters full. */
bool tel__queue_is_pressed(const struct tel__queue *queue);
/* Adds nothing up that did not happen: each term at its own moment. */
void tel__queue_get_stats(const struct tel__queue *queue, struct tel__queue_stats *stats);

/* Adds one to a counter that only the calling thread writes: a load and a store, no locked add. */
static inline void tel__count(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

#endif
