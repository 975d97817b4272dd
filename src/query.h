/*
 * Query parameters: whole numbers in a range, by name.
 *
 * Pure functions; any thread.
 */
#ifndef GLASSBOX_QUERY_H
#define GLASSBOX_QUERY_H

#include <stdint.h>

#include "http/http.h"

enum query_result {
    QUERY_ABSENT, /* *value is untouched */
    QUERY_OK,
    QUERY_BAD,      /* not a whole number of ASCII digits, or out of range */
    QUERY_REPEATED, /* given more than once */
};

/* Looks for `name` in a query string (`a=1&b=2`, without `?`) and reads its value, which must lie in
 * minimum..maximum. */
enum query_result query_number(struct http_slice query, const char *name, uint64_t minimum,
                               uint64_t maximum, uint64_t *value);

#endif
