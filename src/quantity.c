/*
 * Quantities. Read by hand rather than by strtod(3) and its kin: those take signs, blanks, hex and
 * the locale's decimal point, none of which belongs into a setting.
 */
#include "quantity.h"

#include <errno.h>
#include <stddef.h>
#include <strings.h>

#define FRACTION_DIGITS_MAX 9 /* so that a fraction times a factor stays within 64 bits */

const char *quantity_digits(const char *text, uint64_t *number)
{
    const char *at = text;
    *number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*at - '0'), number)) {
            return NULL;
        }
    }
    return at == text ? NULL : at;
}

const char *quantity_fraction(const char *text, uint64_t *fraction, uint64_t *scale)
{
    *fraction = 0;
    *scale = 1;
    if (*text != '.') {
        return text;
    }
    const char *end = quantity_digits(text + 1, fraction);
    if (end == NULL || end - text - 1 > FRACTION_DIGITS_MAX) {
        return NULL;
    }
    for (const char *at = text + 1; at < end; at++) {
        *scale *= 10;
    }
    return end;
}

static const struct quantity_unit *find_unit(const struct quantity_unit *units, const char *name)
{
    for (; units->name != NULL; units++) {
        if (strcasecmp(units->name, name) == 0) {
            return units;
        }
    }
    return NULL;
}

int quantity_parse(const struct quantity_unit *units, const char *text, uint64_t *value)
{
    uint64_t whole;
    uint64_t fraction;
    uint64_t scale;
    const char *at = quantity_digits(text, &whole);
    at = at == NULL ? NULL : quantity_fraction(at, &fraction, &scale);
    const struct quantity_unit *unit = at == NULL ? NULL : find_unit(units, at);
    if (unit == NULL) {
        return -EINVAL;
    }
    if (fraction * unit->factor % scale != 0) {
        return -ERANGE;
    }
    if (__builtin_mul_overflow(whole, unit->factor, &whole) ||
        __builtin_add_overflow(whole, fraction * unit->factor / scale, value)) {
        return -ERANGE;
    }
    return 0;
}

void quantity_append(const struct quantity_unit *units, uint64_t value, struct tel_buffer *out)
{
    while (value % units->factor != 0) {
        units++;
    }
    tel_buffer_append_u64(out, value / units->factor);
    tel_buffer_append_string(out, units->name);
}
