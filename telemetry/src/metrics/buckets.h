/*
 * The cells of a histogram: what is counted, and how both views are read from it.
 *
 * How it works: classic and native bounds are merged into one ascending list of cells, their common
 * refinement. Every cell lies in exactly one classic and exactly one native bucket, so one
 * increment an observation serves both, and both add up to the same count by construction:
 *
 *     classic   |----------- 0.005 -----------|------------ 0.01 -----
 *     native    |--- k ---|---- k+1 ----|---- k+2 ----|---- k+3 ---
 *     cells     |----a----|------b------|--c--|---d---|----e---
 *
 * Bounds are whole nanoseconds, floor(seconds * 1e9): an observation is a whole number too, so it
 * is <= the bound in seconds exactly when it is <= the floor. A cell's upper bound belongs to it.
 * The last cell has none (UINT64_MAX).
 *
 * Threads: built once, read-only afterwards.
 * Memory: one allocation of about 6 KiB a histogram family.
 * Source: native histograms, prometheus.io/docs/specs/native_histograms: bucket k of schema n
 * covers (2^((k-1)/2^n), 2^(k/2^n)].
 */
#ifndef TEL_METRICS_BUCKETS_H
#define TEL_METRICS_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "telemetry/metrics.h"

/* Native indexes k in use. The first bucket's upper bound is the first one above TEL_NATIVE_MIN_NS;
 * the last regular one ends at TEL_NATIVE_MAX_NS = 2^(48/8) s; one more takes all that is above. */
#define TEL__NATIVE_FIRST (-159)
#define TEL__NATIVE_LAST  48

/* Slots of the native view: 0 is the zero bucket, slot i > 0 is native index
 * TEL__NATIVE_FIRST - 1 + i, the last one is TEL__NATIVE_LAST + 1. */
#define TEL__NATIVE_SLOTS (1 + (TEL__NATIVE_LAST - TEL__NATIVE_FIRST + 1) + 1)

/* Every native bound (zero threshold included), every classic one, and the open end. */
#define TEL__CELLS_MAX (TEL__NATIVE_SLOTS - 1 + TEL_BUCKETS_MAX + 1)

/* Bounds stay below 10^15 ns (11 days), so that 15 digits print them exactly. */
#define TEL__BOUND_MAX_NS 1000000000000000ull

#define TEL__LE_MAX    32 /* bytes of a rendered `le="…"} ` */
#define TEL__LE_BEFORE 4  /* of these before the bound: `le="` */
#define TEL__LE_AFTER  3  /* and after it: `"} ` */

/* A classic bound as both kinds of format want it. */
struct tel__bound {
    double seconds;       /* +Inf for the last */
    uint8_t le_length;    /* bytes of `le` */
    char le[TEL__LE_MAX]; /* `le="0.005"} `, what follows the other labels of a bucket's line */
};

struct tel__buckets {
    size_t cell_count;
    size_t bound_count; /* classic bounds, +Inf not counted */
    uint64_t upper[TEL__CELLS_MAX];
    uint8_t classic[TEL__CELLS_MAX]; /* cell -> classic bucket, bound_count for +Inf */
    uint8_t native[TEL__CELLS_MAX];  /* cell -> native slot */
    uint16_t start[64 * 8];          /* where to begin to look: exponent, three bits of mantissa */
    struct tel__bound bounds[TEL_BUCKETS_MAX + 1];
};

/* Builds the cells for `count` classic bounds. NULL with errno EINVAL (too many, not ascending, 0,
 * or above TEL__BOUND_MAX_NS) or ENOMEM. Free with free(3). */
struct tel__buckets *tel__buckets_create(const uint64_t *bounds_ns, size_t count);

/* The upper bound of native index k, TEL__NATIVE_FIRST..TEL__NATIVE_LAST, in nanoseconds. */
uint64_t tel__native_bound_ns(int k);

/* The cell a value belongs to. An eighth of an octave holds two native bounds at most, so it is
 * found within a few comparisons, without floating point. */
static inline size_t tel__buckets_find(const struct tel__buckets *buckets, uint64_t value_ns)
{
    size_t cell = 0;
    if (value_ns >= 16) {
        unsigned exponent = 63u - (unsigned)__builtin_clzll(value_ns);
        cell = buckets->start[exponent << 3 | ((value_ns >> (exponent - 3)) & 7)];
    }
    while (buckets->upper[cell] < value_ns) {
        cell++;
    }
    return cell;
}

#endif
