/*
 * Counter and gauge cells: one 64-bit word a series and shard, with one writer.
 *
 * How it works: a shard's cells lie together in pages of its own, aligned to cache lines, so two
 * writing threads never share a line. A write is a relaxed load and a relaxed store: no lock
 * prefix, because nobody else writes. A page is a kilobyte: many series cost little.
 *
 * Threads: tel__cell_take() under the registry's lock; tel__cell_add() by the shard; reads by any.
 * Memory: pages live until tel__cell_pages_free().
 */
#ifndef TEL_METRICS_CELLS_H
#define TEL_METRICS_CELLS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TEL__CACHE_LINE 64

struct tel__cell_page;

/* A cell at 0 from the shard's pages, or NULL without memory. */
_Atomic uint64_t *tel__cell_take(struct tel__cell_page **pages);
void tel__cell_pages_free(struct tel__cell_page *pages);

static inline uint64_t tel__cell_get(const _Atomic uint64_t *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

static inline uint64_t tel__add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum < a ? UINT64_MAX : sum;
}

/* Adds as the cell's only writer; stays at 2^64-1. */
static inline void tel__cell_add(_Atomic uint64_t *cell, uint64_t amount)
{
    uint64_t sum = tel__add_saturating(tel__cell_get(cell), amount);
    atomic_store_explicit(cell, sum, memory_order_relaxed);
}

#endif
