/*
 * Exemplars: the latest trace seen by each classic bucket, a shard each.
 *
 * How it works: a slot under a sequence lock. The writer makes the sequence odd, stores the words,
 * makes it even again; a reader takes a copy and keeps it only if the sequence was even and the
 * same before and after. The writer never waits; a reader that was overtaken too often goes
 * without.
 *
 * The usual fences are not needed, because every word is stored with release and read with acquire:
 * a reader that saw one new word has also seen the odd sequence before it. On x86 these are plain
 * moves.
 *
 * Threads: store by the shard; load by any.
 */
#ifndef TEL_METRICS_EXEMPLAR_H
#define TEL_METRICS_EXEMPLAR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "telemetry/metrics.h"

#define TEL__EXEMPLAR_WORDS 5

struct tel__exemplar_slot {
    _Atomic uint64_t sequence; /* 0: never written; odd: being written */
    _Atomic uint64_t words[TEL__EXEMPLAR_WORDS];
};

/* What a slot holds. */
struct tel__exemplar {
    struct tel_exemplar trace;
    uint64_t value_ns;
};

void tel__exemplar_store(struct tel__exemplar_slot *slot, const struct tel_exemplar *trace,
                         uint64_t value_ns);

/* False when there is none, or the writer was faster each time. */
bool tel__exemplar_load(const struct tel__exemplar_slot *slot, struct tel__exemplar *out);

#endif
