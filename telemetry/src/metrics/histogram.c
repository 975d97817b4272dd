/*
 * Observing and adding up.
 *
 *     series ── slot of shard ──> [sum_ns | exemplars | cells ............]
 *                                              └──> [slot a classic bucket]
 *
 * Invariant: an observation is exactly one increment of exactly one cell.
 */
#include "metrics/histogram.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tel__histogram {
    _Alignas(TEL__CACHE_LINE) _Atomic uint64_t sum_ns;
    _Atomic(struct tel__exemplar_slot *) exemplars;
    _Atomic uint64_t cells[];
};

/* Whole cache lines at 0: no other thread's data shares them. */
static void *create_lines(size_t size)
{
    size = (size + TEL__CACHE_LINE - 1) / TEL__CACHE_LINE * TEL__CACHE_LINE;
    void *memory = aligned_alloc(TEL__CACHE_LINE, size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

static struct tel__histogram *get_cells(const struct tel_series *series, size_t shard)
{
    return atomic_load_explicit(&series->slots[shard].histogram, memory_order_relaxed);
}

static struct tel__histogram *create_cells(struct tel_series *series, size_t shard)
{
    size_t count = series->family->buckets->cell_count;
    struct tel__histogram *histogram =
        create_lines(sizeof(*histogram) + count * sizeof(histogram->cells[0]));
    atomic_store_explicit(&series->slots[shard].histogram, histogram, memory_order_release);
    return histogram;
}

int tel__histogram_init(struct tel_series *series)
{
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        const struct tel__histogram *histogram = create_cells(series, shard);
        if (histogram == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* Returns whether it is kept. */
static bool keep_exemplar(struct tel__histogram *histogram, const struct tel__buckets *buckets,
                          size_t bucket, uint64_t duration_ns, const struct tel_exemplar *trace)
{
    struct tel__exemplar_slot *slots =
        atomic_load_explicit(&histogram->exemplars, memory_order_relaxed);
    if (slots == NULL) {
        slots = create_lines((buckets->bound_count + 1) * sizeof(*slots));
        if (slots == NULL) {
            return false; /* the observation counts; only its link is missing */
        }
        atomic_store_explicit(&histogram->exemplars, slots, memory_order_release);
    }
    tel__exemplar_store(&slots[bucket], trace, duration_ns);
    return true;
}

bool tel_histogram_observe(struct tel_series *series, size_t shard, uint64_t duration_ns,
                           const struct tel_exemplar *exemplar)
{
    assert(series->family->options.type == TEL_HISTOGRAM && shard < series->shard_count);
    struct tel__histogram *histogram = get_cells(series, shard);
    if (histogram == NULL) {
        histogram = create_cells(series, shard);
    }
    if (histogram == NULL) { /* not lost: the overflow series has had its cells from the start */
        histogram = get_cells(tel__family_overflow(series->family), shard);
    }
    const struct tel__buckets *buckets = series->family->buckets;
    size_t cell = tel__buckets_find(buckets, duration_ns);
    tel__cell_add(&histogram->cells[cell], 1);
    tel__cell_add(&histogram->sum_ns, duration_ns);
    return exemplar != NULL &&
           keep_exemplar(histogram, buckets, buckets->classic[cell], duration_ns, exemplar) &&
           histogram == get_cells(series, shard); /* else the overflow series has it */
}

static void add_shard(struct tel__snapshot *snapshot, const struct tel__histogram *histogram)
{
    snapshot->sum_ns = tel__add_saturating(snapshot->sum_ns, tel__cell_get(&histogram->sum_ns));
    for (size_t cell = 0; cell < snapshot->buckets->cell_count; cell++) {
        uint64_t value = tel__cell_get(&histogram->cells[cell]);
        snapshot->cells[cell] += value;
        snapshot->count += value;
    }
}

void tel__histogram_snapshot(const struct tel_series *series, struct tel__snapshot *snapshot)
{
    snapshot->buckets = series->family->buckets;
    snapshot->count = 0;
    snapshot->sum_ns = 0;
    memset(snapshot->cells, 0, snapshot->buckets->cell_count * sizeof(snapshot->cells[0]));
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        const struct tel__histogram *histogram =
            atomic_load_explicit(&series->slots[shard].histogram, memory_order_acquire);
        if (histogram != NULL) {
            add_shard(snapshot, histogram);
        }
    }
}

bool tel__histogram_exemplar(const struct tel_series *series, size_t bucket,
                             struct tel__exemplar *out)
{
    bool found = false;
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        const struct tel__histogram *histogram =
            atomic_load_explicit(&series->slots[shard].histogram, memory_order_acquire);
        const struct tel__exemplar_slot *slots =
            histogram != NULL ? atomic_load_explicit(&histogram->exemplars, memory_order_acquire)
                              : NULL;
        struct tel__exemplar candidate;
        if (slots == NULL || !tel__exemplar_load(&slots[bucket], &candidate)) {
            continue;
        }
        if (!found || candidate.trace.wall_ns > out->trace.wall_ns) {
            *out = candidate;
            found = true;
        }
    }
    return found;
}

void tel__snapshot_classic(const struct tel__snapshot *snapshot,
                           uint64_t cumulative[TEL_BUCKETS_MAX + 1])
{
    const struct tel__buckets *buckets = snapshot->buckets;
    uint64_t sum = 0;
    for (size_t cell = 0; cell < buckets->cell_count; cell++) {
        sum += snapshot->cells[cell];
        cumulative[buckets->classic[cell]] = sum; /* the bucket's last cell has the last word */
    }
}

void tel__snapshot_native(const struct tel__snapshot *snapshot, uint64_t slots[TEL__NATIVE_SLOTS])
{
    const struct tel__buckets *buckets = snapshot->buckets;
    memset(slots, 0, TEL__NATIVE_SLOTS * sizeof(slots[0]));
    for (size_t cell = 0; cell < buckets->cell_count; cell++) {
        slots[buckets->native[cell]] += snapshot->cells[cell];
    }
}

void tel__histogram_fini(struct tel_series *series)
{
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        struct tel__histogram *histogram = atomic_load(&series->slots[shard].histogram);
        if (histogram != NULL) {
            free(atomic_load(&histogram->exemplars));
            free(histogram);
        }
    }
}
