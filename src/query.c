/*
 * Only digits are a number here: a sign, a space, a fraction, an exponent or a percent escape is a
 * bad value, and is told as such instead of being read as something else.
 */
#include "query.h"

#include <string.h>

static enum query_result parse_number(struct http_slice text, uint64_t minimum, uint64_t maximum,
                                      uint64_t *value)
{
    uint64_t number = 0;
    if (text.length == 0) {
        return QUERY_BAD;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number)) {
            return QUERY_BAD;
        }
    }
    if (number < minimum || number > maximum) {
        return QUERY_BAD;
    }
    *value = number;
    return QUERY_OK;
}

enum query_result query_number(struct http_slice query, const char *name, uint64_t minimum,
                               uint64_t maximum, uint64_t *value)
{
    size_t name_length = strlen(name);
    const char *at = query.data;
    const char *end = query.data != NULL ? query.data + query.length : NULL;
    struct http_slice found = {NULL, 0};
    while (at < end) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        const char *stop = next != NULL ? next : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        const char *name_end = equals != NULL ? equals : stop;
        if ((size_t)(name_end - at) == name_length && memcmp(at, name, name_length) == 0) {
            if (found.data != NULL) {
                return QUERY_REPEATED;
            }
            found.data = equals != NULL ? equals + 1 : stop;
            found.length = (size_t)(stop - found.data);
        }
        at = next != NULL ? next + 1 : end;
    }
    return found.data == NULL ? QUERY_ABSENT : parse_number(found, minimum, maximum, value);
}
