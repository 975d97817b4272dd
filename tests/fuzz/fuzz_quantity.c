/*
 * Quantities from arbitrary text: what is read is what arithmetic with more bits says, and is written
 * in a form that reads back as the same number.
 */
#include "quantity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__extension__ typedef unsigned __int128 wide; /* strict conversions see a type of its own */

static const struct quantity_unit units[] = {
    {"GiB", 1u << 30}, {"h", 3600000}, {"KiB", 1024}, {"s", 1000}, {"b", 1}, {"", 1}, {NULL, 0}};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The same by another way: digits over a power of ten times the factor, all in 128 bits. False: not of
 * the form, or not to be had exactly in 64. */
static bool reference(const char *text, uint64_t *value)
{
    wide digits = 0;
    wide scale = 1;
    size_t at = 0;
    size_t whole;
    for (; text[at] >= '0' && text[at] <= '9'; at++) {
        digits = digits * 10 + (wide)(text[at] - '0');
        if (digits > UINT64_MAX) {
            return false;
        }
    }
    whole = at;
    if (text[at] == '.') {
        for (at++; text[at] >= '0' && text[at] <= '9'; at++, scale *= 10) {
            if (at - whole > 9) {
                return false;
            }
            digits = digits * 10 + (wide)(text[at] - '0');
        }
    }
    if (whole == 0 || (at > whole && at == whole + 1)) {
        return false;
    }
    for (const struct quantity_unit *unit = units; unit->name != NULL; unit++) {
        if (strcasecmp(unit->name, text + at) == 0) {
            const wide product = digits * unit->factor;
            *value = (uint64_t)(product / scale);
            return product % scale == 0 && product / scale <= UINT64_MAX;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    uint64_t value = 0;
    uint64_t expected = 0;
    check(text != NULL);
    const int error = quantity_parse(units, text, &value);
    check((error == 0) == reference(text, &expected));
    check(error == 0 || error == -EINVAL || error == -ERANGE);
    if (error == 0) {
        struct tel_buffer out;
        uint64_t again = 0;
        check(value == expected);
        tel_buffer_init(&out, 64);
        quantity_append(units, value, &out);
        tel_buffer_append_char(&out, '\0');
        check(out.error == 0 && quantity_parse(units, out.data, &again) == 0 && again == value);
        tel_buffer_fini(&out);
    }
    free(text);
    return 0;
}
