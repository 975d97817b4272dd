/*
 * What is kept, read without an exposition: sums, and a family's series one by one.
 *
 * Everything here reads what others write without stopping them, each number at its own moment. The
 * overflow series is read like any other, but has no label values: it stands for many.
 */
#include <assert.h>

#include "metrics/histogram.h"
#include "metrics/model.h"

/* ---- sums ---------------------------------------------------------------------------------- */

/* Gauges are signed: their sum wraps as two's complement does. Counters stay at the end. */
static uint64_t add(const struct tel_family *family, uint64_t a, uint64_t b)
{
    return family->options.type == TEL_GAUGE ? a + b : tel__add_saturating(a, b);
}

uint64_t tel_series_value(const struct tel_series *series)
{
    if (series->family->options.type == TEL_HISTOGRAM) {
        struct tel__snapshot snapshot;
        tel__histogram_snapshot(series, &snapshot);
        return snapshot.count;
    }
    uint64_t sum = 0;
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        sum = add(series->family, sum, tel__cell_get(series->slots[shard].cell));
    }
    return sum;
}

uint64_t tel_family_value(const struct tel_family *family)
{
    uint64_t sum = tel_series_value(family->spare);
    const struct tel_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    while (series != NULL) {
        sum = add(family, sum, tel_series_value(series));
        series = atomic_load_explicit(&series->next, memory_order_acquire);
    }
    return sum;
}

/* ---- series by series ---------------------------------------------------------------------- */

/* The spare series as far as it is exposed: a family's only one, or the overflow series in use. */
static const struct tel_series *exposed_spare(const struct tel_family *family)
{
    return atomic_load_explicit(&family->spare_used, memory_order_relaxed) ? family->spare : NULL;
}

const struct tel_series *tel_family_next_series(const struct tel_family *family,
                                                const struct tel_series *series)
{
    if (series == family->spare) {
        return NULL;
    }
    const struct tel_series *next =
        atomic_load_explicit(series == NULL ? &family->first : &series->next, memory_order_acquire);
    return next != NULL ? next : exposed_spare(family);
}

const char *tel_series_label(const struct tel_series *series, size_t index, size_t *length)
{
    assert(index < series->family->options.label_count);
    *length = 0;
    if (series == series->family->spare) {
        return NULL;
    }
    const char *value = series->values;
    for (size_t i = 0; i < index; i++) {
        value += series->value_lengths[i];
    }
    *length = series->value_lengths[index];
    return *length > 0 ? value : NULL;
}

/* ---- buckets ------------------------------------------------------------------------------- */

void tel_histogram_find_bucket(const struct tel_series *series, uint64_t duration_ns,
                               struct tel_bucket *bucket)
{
    assert(series->family->options.type == TEL_HISTOGRAM);
    const struct tel__buckets *buckets = series->family->buckets;
    bucket->index = buckets->classic[tel__buckets_find(buckets, duration_ns)];
    const struct tel__bound *bound = &buckets->bounds[bucket->index];
    bucket->le = bound->le + TEL__LE_BEFORE;
    bucket->le_length = bound->le_length - TEL__LE_BEFORE - TEL__LE_AFTER;
}

void tel_histogram_add_counts(const struct tel_series *series, uint64_t *counts)
{
    assert(series->family->options.type == TEL_HISTOGRAM);
    struct tel__snapshot snapshot;
    tel__histogram_snapshot(series, &snapshot);
    for (size_t cell = 0; cell < snapshot.buckets->cell_count; cell++) {
        counts[snapshot.buckets->classic[cell]] += snapshot.cells[cell];
    }
}
