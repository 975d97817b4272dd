/*
 * The tracer from within: what spans, propagation and the exporter's side share.
 *
 * How it works: a shard has its own queue and its own counters, on cache lines of its own, and one
 * thread that writes them; readers sum. The exporter takes records from the shards in turn.
 *
 * Threads: a shard's counters and its queue's producing side by the shard's thread; the consumer's
 * fields by the exporter's; the rest is read-only or atomic.
 */
#ifndef TEL_TRACE_TRACER_H
#define TEL_TRACE_TRACER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/wakeup.h"
#include "trace/record.h"

struct tel__tracer_shard {
    struct tel__ring ring; /* starts a cache line, and so does the next shard */
    _Alignas(64) _Atomic uint64_t started[TEL_PARENT_ORIGINS][2]; /* see tel_tracer_stats */
    _Atomic uint64_t ended;
    _Atomic uint64_t ended_server;
    _Atomic uint64_t unsampled;
    _Atomic uint64_t dropped_queue_full;
    _Atomic uint64_t dropped_shutdown;
};

struct tel_tracer {
    struct tel_tracer_options options;
    struct tel__wakeup wakeup;
    _Atomic uint64_t wake_level;
    atomic_bool closed;
    /* The consumer's: whose turn it is, and whom the last peek found. */
    size_t next_shard;
    size_t peeked_shard;
    struct tel__tracer_shard shards[];
};

/* Adds one to a counter that only the calling thread writes: a load and a store, no locked add. */
static inline void tel__tracer_count(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

/* Wakes the exporter if it sleeps and the shard has enough for it. Call after a commit. */
void tel__tracer_published(struct tel_tracer *tracer, struct tel__tracer_shard *shard);

#endif
