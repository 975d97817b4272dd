/*
 * Quantities: numbers with a unit, as people write them: `16k`, `1.5m`, `500ms`.
 *
 *     digits [ . digits ] unit      no sign, no blank, no exponent; the unit in any case
 *
 * Threads: any; nothing is shared.
 * Failure: results are untouched, or say so.
 */
#ifndef GLASSBOX_QUANTITY_H
#define GLASSBOX_QUANTITY_H

#include <stdint.h>

#include "telemetry/buffer.h"

/* A table of units ends with a NULL name. */
struct quantity_unit {
    const char *name;
    uint64_t factor; /* at most 2^33, so that a fraction of it can be computed exactly */
};

/* Reads decimal digits; returns what follows them, or NULL without a digit or on overflow. */
const char *quantity_digits(const char *text, uint64_t *number);

/* Reads `.digits` if it is there: *fraction over *scale (a power of ten). Returns what follows, or
 * NULL when it is malformed or has more than nine digits. */
const char *quantity_fraction(const char *text, uint64_t *fraction, uint64_t *scale);

/* Reads a quantity into units of factor 1. Returns 0, -EINVAL (not of that form, no such unit) or
 * -ERANGE (too large, or not a whole number of the smallest unit). */
int quantity_parse(const struct quantity_unit *units, const char *text, uint64_t *value);

/* Appends the value in the first unit that divides it; one of them must have factor 1. */
void quantity_append(const struct quantity_unit *units, uint64_t value, struct tel_buffer *out);

#endif
