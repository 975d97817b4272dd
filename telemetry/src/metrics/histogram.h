/*
 * Histograms: one array of cells a series and shard, and what a scrape reads from it.
 *
 * How it works: see buckets.h for the cells. A shard's array is made on its first observation, its
 * exemplars on the first traced one, so a series that stands at 0 costs a pointer a shard. The
 * family's spare series alone has them from the start: it takes the observations for whose cells
 * there is no memory. A snapshot adds up the shards once; count, classic and native buckets all
 * come from it.
 *
 * Threads: observe by the shard; snapshot and exemplar by any. The sum is read apart from the
 * cells: it may be an observation ahead or behind, the buckets never disagree with the count.
 */
#ifndef TEL_METRICS_HISTOGRAM_H
#define TEL_METRICS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/exemplar.h"
#include "metrics/model.h"

/* All shards of a series at one moment. */
struct tel__snapshot {
    const struct tel__buckets *buckets;
    uint64_t count; /* the sum of `cells` */
    uint64_t sum_ns;
    uint64_t cells[TEL__CELLS_MAX]; /* buckets->cell_count of them */
};

void tel__histogram_snapshot(const struct tel_series *series, struct tel__snapshot *snapshot);

/* The latest exemplar of a classic bucket (bound_count: +Inf) over all shards; false: none. */
bool tel__histogram_exemplar(const struct tel_series *series, size_t bucket,
                             struct tel__exemplar *out);

/* Observations up to each classic bound, the last for +Inf: bound_count + 1 numbers. */
void tel__snapshot_classic(const struct tel__snapshot *snapshot,
                           uint64_t cumulative[TEL_BUCKETS_MAX + 1]);

/* Observations in each native slot (buckets.h). */
void tel__snapshot_native(const struct tel__snapshot *snapshot, uint64_t slots[TEL__NATIVE_SLOTS]);

/* Makes the cells of all shards. Returns 0 or -ENOMEM; what was made is the series'. */
int tel__histogram_init(struct tel_series *series);

/* Frees the cells of a series' shards. */
void tel__histogram_fini(struct tel_series *series);

#endif
