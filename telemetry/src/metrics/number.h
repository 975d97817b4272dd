/*
 * Numbers as the formats want them, without printf: a scrape prints thousands.
 *
 * How it works: the put functions write at a pointer into room the caller has, and return the end.
 * Counters and gauges are integers over a divisor; when that is a power of ten the decimal point is
 * set between digits, so nothing is rounded.
 *
 * Threads: pure functions.
 */
#ifndef TEL_METRICS_NUMBER_H
#define TEL_METRICS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "telemetry/buffer.h"

#define TEL__NUMBER_MAX 24 /* bytes any of the put functions below may write */

enum tel__number_kind { TEL__UNSIGNED, TEL__SIGNED, TEL__REAL };

/* A sample's value as it is kept: an integer over a divisor, or a double. */
struct tel__number {
    enum tel__number_kind kind;
    int decimals;     /* divisor = 10^decimals, 0..18; -1: it is no power of ten */
    uint64_t divisor; /* of the two integer kinds */
    uint64_t integer; /* SIGNED: as two's complement */
    double real;
};

static inline char *tel__put(char *at, const char *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

/* value / 10^decimals (0..18), exactly, without trailing zeros: (1500, 3) gives `1.5`. */
char *tel__put_scaled(char *at, uint64_t value, unsigned decimals);

/* A bucket bound in seconds as OpenMetrics writes floats: `0.005`, `1.0`, `1e-06`, `1e+06`. The
 * bound is at most 10^15 ns, so this is the shortest text that reads back as the same double. */
char *tel__put_le(char *at, uint64_t bound_ns);

/* d when divisor is 10^d with d <= 18, else -1. */
int tel__decimals_of(uint64_t divisor);

void tel__number_append(struct tel_buffer *out, const struct tel__number *number);
double tel__number_to_double(const struct tel__number *number);

#endif
