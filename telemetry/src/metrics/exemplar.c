/*
 * The sequence lock. words: trace id (2), span id, wall_ns, value_ns.
 */
#include "metrics/exemplar.h"

#include <string.h>

#define LOAD_TRIES 8 /* a store takes a few nanoseconds; who loses eight times was preempted */

void tel__exemplar_store(struct tel__exemplar_slot *slot, const struct tel_exemplar *trace,
                         uint64_t value_ns)
{
    uint64_t words[TEL__EXEMPLAR_WORDS];
    memcpy(&words[0], trace->trace_id, 16);
    memcpy(&words[2], trace->span_id, 8);
    words[3] = trace->wall_ns;
    words[4] = value_ns;
    uint64_t sequence = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
    atomic_store_explicit(&slot->sequence, sequence + 1, memory_order_relaxed);
    for (int i = 0; i < TEL__EXEMPLAR_WORDS; i++) {
        atomic_store_explicit(&slot->words[i], words[i], memory_order_release);
    }
    atomic_store_explicit(&slot->sequence, sequence + 2, memory_order_release);
}

bool tel__exemplar_load(const struct tel__exemplar_slot *slot, struct tel__exemplar *out)
{
    for (int tries = 0; tries < LOAD_TRIES; tries++) {
        uint64_t words[TEL__EXEMPLAR_WORDS];
        uint64_t before = atomic_load_explicit(&slot->sequence, memory_order_acquire);
        if (before == 0) {
            return false;
        }
        for (int i = 0; i < TEL__EXEMPLAR_WORDS; i++) {
            words[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
        }
        uint64_t after = atomic_load_explicit(&slot->sequence, memory_order_relaxed);
        if (before == after && before % 2 == 0) {
            memcpy(out->trace.trace_id, &words[0], 16);
            memcpy(out->trace.span_id, &words[2], 8);
            out->trace.wall_ns = words[3];
            out->value_ns = words[4];
            return true;
        }
    }
    return false;
}
