/*
 * Merging classic and native bounds into cells, once a family.
 *
 * Invariants: upper[] ascends strictly and ends with UINT64_MAX, so a search always ends; every
 * classic and every native bound is the upper bound of some cell, so no cell straddles one.
 */
#include "metrics/buckets.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/number.h"

#define NATIVE_BOUNDS (TEL__NATIVE_SLOTS - 1) /* zero threshold and the regular buckets' ends */

/* 2^(i/8): what the bounds of one octave are multiples of. */
static const double octave[8] = {
    1.0,
    1.0905077326652577,
    1.189207115002721,
    1.2968395546510096,
    1.4142135623730951,
    1.5422108254079407,
    1.681792830507429,
    1.8340080864093424,
};

uint64_t tel__native_bound_ns(int k)
{
    int step = k & 7; /* also right for negative k: two's complement */
    return (uint64_t)floor(ldexp(octave[step], (k - step) / 8) * 1e9);
}

static void fill_native_bounds(uint64_t bounds[NATIVE_BOUNDS])
{
    bounds[0] = TEL_NATIVE_MIN_NS;
    for (int k = TEL__NATIVE_FIRST; k <= TEL__NATIVE_LAST; k++) {
        bounds[1 + k - TEL__NATIVE_FIRST] = tel__native_bound_ns(k);
    }
}

static bool bounds_are_good(const uint64_t *bounds_ns, size_t count)
{
    if (count > TEL_BUCKETS_MAX || (count > 0 && bounds_ns == NULL)) {
        return false;
    }
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        if (bounds_ns[i] <= before || bounds_ns[i] > TEL__BOUND_MAX_NS) {
            return false;
        }
        before = bounds_ns[i];
    }
    return true;
}

/* One pass over both ascending lists; equal bounds become one cell. */
static void merge(struct tel__buckets *buckets, const uint64_t *classic, size_t classic_count)
{
    uint64_t native[NATIVE_BOUNDS];
    fill_native_bounds(native);
    size_t c = 0;
    size_t n = 0;
    size_t cell = 0;
    for (;; cell++) {
        uint64_t next_classic = c < classic_count ? classic[c] : UINT64_MAX;
        uint64_t next_native = n < NATIVE_BOUNDS ? native[n] : UINT64_MAX;
        uint64_t upper = next_classic < next_native ? next_classic : next_native;
        buckets->upper[cell] = upper;
        buckets->classic[cell] = (uint8_t)c;
        buckets->native[cell] = (uint8_t)n;
        if (upper == UINT64_MAX) {
            break;
        }
        c += next_classic == upper;
        n += next_native == upper;
    }
    buckets->cell_count = cell + 1;
}

/* start[e, m] is the cell of the smallest value with exponent e and top mantissa bits m. */
static void fill_start(struct tel__buckets *buckets)
{
    uint16_t cell = 0;
    for (unsigned exponent = 4; exponent < 64; exponent++) {
        for (unsigned mantissa = 0; mantissa < 8; mantissa++) {
            uint64_t low = (uint64_t)(8 + mantissa) << (exponent - 3);
            while (buckets->upper[cell] < low) {
                cell++;
            }
            buckets->start[exponent << 3 | mantissa] = cell;
        }
    }
}

static void set_bound(struct tel__bound *bound, double seconds, const char *text, size_t length)
{
    char *at = bound->le;
    at = tel__put(at, "le=\"", TEL__LE_BEFORE);
    at = tel__put(at, text, length);
    at = tel__put(at, "\"} ", TEL__LE_AFTER);
    bound->seconds = seconds;
    bound->le_length = (uint8_t)(at - bound->le);
}

struct tel__buckets *tel__buckets_create(const uint64_t *bounds_ns, size_t count)
{
    if (!bounds_are_good(bounds_ns, count)) {
        errno = EINVAL;
        return NULL;
    }
    struct tel__buckets *buckets = calloc(1, sizeof(*buckets));
    if (buckets == NULL) {
        return NULL;
    }
    buckets->bound_count = count;
    merge(buckets, bounds_ns, count);
    fill_start(buckets);
    for (size_t i = 0; i < count; i++) {
        char text[TEL__NUMBER_MAX];
        char *end = tel__put_le(text, bounds_ns[i]);
        set_bound(&buckets->bounds[i], (double)bounds_ns[i] / 1e9, text, (size_t)(end - text));
    }
    set_bound(&buckets->bounds[count], HUGE_VAL, "+Inf", 4);
    return buckets;
}
