/*
 * What registry, families and series look like inside.
 *
 *     registry ── families (a list, in the order made)
 *                   ├── table: hash of label values -> series (grows; read without a lock)
 *                   ├── list:  series in the order made, what a scrape walks
 *                   └── spare: the overflow series, or the only one of a family without labels
 *
 * Threads: the registry's lock orders those who add series. Table slots, list links and histogram
 * cells are published with release and read with acquire, so neither lookups nor scrapes lock.
 * Nothing that was published is freed before the registry is; a table that was outgrown is kept for
 * the readers that may still look at it (all of them together are smaller than the last).
 */
#ifndef TEL_METRICS_MODEL_H
#define TEL_METRICS_MODEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/buckets.h"
#include "metrics/cells.h"
#include "metrics/labels.h"
#include "telemetry/metrics.h"

struct tel__histogram;
struct tel__series_table;

struct tel_registry {
    size_t shard_count;
    pthread_mutex_t lock; /* over everything that adds a series */
    struct tel_family *first;
    struct tel_family *last;
    _Atomic uint64_t overflowed;
    struct tel__cell_page *pages[TEL_SHARDS_MAX];
};

/* A shard's part of a series. A histogram's is NULL until the shard's first observation. */
union tel__slot {
    _Atomic uint64_t *cell;
    _Atomic(struct tel__histogram *) histogram;
};

/* A rendered label list, without braces: `a="b",c="d"`, or LabelPair fields. */
struct tel__fragment {
    const char *data;
    size_t length;
};

/* One block of memory: struct, slots, values, both fragments. */
struct tel_series {
    struct tel_family *family;
    _Atomic(struct tel_series *) next;
    uint64_t hash;
    size_t shard_count;
    const uint16_t *value_lengths; /* the family's label_count of them */
    const char *values;            /* one after the other */
    struct tel__fragment text;
    struct tel__fragment protobuf;
    union tel__slot slots[];
};

struct tel_family {
    struct tel_family *next;
    struct tel_registry *registry;
    struct tel_family_options options; /* defaults filled in; label_names is our copy */
    size_t name_length;
    size_t base_length;           /* of the OpenMetrics family name: without _total or _info */
    int decimals;                 /* divisor = 10^decimals, or -1 */
    struct tel__buckets *buckets; /* histograms only */

    _Atomic(struct tel__series_table *) table;
    _Atomic(struct tel_series *) first;
    struct tel_series *last;
    size_t series_count; /* in the list */
    atomic_bool full;    /* series_limit is reached */

    struct tel_series *spare;
    atomic_bool spare_used; /* it is exposed */
};

/* A series for `labels`, named `names`, not linked anywhere yet; NULL without memory. Under the
 * lock, or in setup. */
struct tel_series *tel__series_create(struct tel_family *family, const char *const *names,
                                      const struct tel__labels *labels);
void tel__series_destroy(struct tel_series *series);

/* The family of this name, or NULL. */
struct tel_family *tel__registry_find(const struct tel_registry *registry, const char *name);

/* The series for what has no place of its own: counts it, and exposes it from now on. */
struct tel_series *tel__family_overflow(struct tel_family *family);

/* Frees the family's series and tables. */
void tel__family_series_fini(struct tel_family *family);
void tel__family_destroy(struct tel_family *family);

#endif
