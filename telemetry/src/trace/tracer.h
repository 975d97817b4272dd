/*
 * The tracer from within: what spans, propagation and the exporter's side share.
 *
 * How it works: a shard has counters of its own, on cache lines of their own, and one thread that
 * writes them; readers sum. What ended and is recorded goes into the queue, and what the queue has
 * no room for is counted there.
 *
 * Threads: a shard's counters by the shard's thread; the rest is read-only, or the queue's affair.
 */
#ifndef TEL_TRACE_TRACER_H
#define TEL_TRACE_TRACER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/queue.h"
#include "trace/record.h"

struct tel__tracer_shard {
    _Alignas(64) _Atomic uint64_t started[TEL_PARENT_ORIGINS][2]; /* see tel_tracer_stats */
    _Atomic uint64_t ended;
    _Atomic uint64_t ended_server;
    _Atomic uint64_t unsampled;
};

struct tel_tracer {
    struct tel_tracer_options options;
    struct tel__queue queue;
    struct tel__tracer_shard shards[];
};

#endif
