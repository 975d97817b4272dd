/*
 * Pages of cells, and the hot calls of counters and gauges.
 *
 * A page's own words (next, used) fill a cache line of their own: they are written under the lock
 * by whichever thread makes a series, the cells only by the shard.
 */
#include "metrics/cells.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/model.h"

#define PAGE_BYTES 1024
#define PAGE_CELLS ((PAGE_BYTES - TEL__CACHE_LINE) / sizeof(_Atomic uint64_t))

struct tel__cell_page {
    struct tel__cell_page *next;
    size_t used;
    _Alignas(TEL__CACHE_LINE) _Atomic uint64_t cells[PAGE_CELLS];
};

_Static_assert(sizeof(struct tel__cell_page) == PAGE_BYTES, "a page wastes nothing");

_Atomic uint64_t *tel__cell_take(struct tel__cell_page **pages)
{
    struct tel__cell_page *page = *pages;
    if (page == NULL || page->used == PAGE_CELLS) {
        page = aligned_alloc(TEL__CACHE_LINE, sizeof(*page));
        if (page == NULL) {
            return NULL;
        }
        memset(page, 0, sizeof(*page));
        page->next = *pages;
        *pages = page;
    }
    return &page->cells[page->used++];
}

void tel__cell_pages_free(struct tel__cell_page *pages)
{
    while (pages != NULL) {
        struct tel__cell_page *next = pages->next;
        free(pages);
        pages = next;
    }
}

void tel_counter_add(struct tel_series *series, size_t shard, uint64_t amount)
{
    assert(series->family->options.type == TEL_COUNTER && shard < series->shard_count);
    tel__cell_add(series->slots[shard].cell, amount);
}

void tel_counter_inc(struct tel_series *series, size_t shard)
{
    tel_counter_add(series, shard, 1);
}

void tel_gauge_add(struct tel_series *series, size_t shard, int64_t amount)
{
    assert(series->family->options.type == TEL_GAUGE && shard < series->shard_count);
    _Atomic uint64_t *cell = series->slots[shard].cell;
    atomic_store_explicit(cell, tel__cell_get(cell) + (uint64_t)amount, memory_order_relaxed);
}

void tel_gauge_set(struct tel_series *series, size_t shard, int64_t value)
{
    assert(series->family->options.type == TEL_GAUGE && shard < series->shard_count);
    atomic_store_explicit(series->slots[shard].cell, (uint64_t)value, memory_order_relaxed);
}
