/*
 * Query strings from arbitrary bytes: a number that is read stands there in digits and only once.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The query with `&more` behind it, in `out` of enough bytes. */
static struct http_slice with(struct http_slice query, const char *more, char *out)
{
    memcpy(out, query.data, query.length);
    memcpy(out + query.length, more, strlen(more));
    return (struct http_slice){out, query.length + strlen(more)};
}

static void check_number(struct http_slice query, char *longer)
{
    uint64_t value = 77;
    uint64_t again = 77;
    const enum query_result result = query_number(query, "ms", 10, 99999, &value);
    const enum query_result twice =
        query_number(with(query, "&ms=50", longer), "ms", 10, 99999, &again);
    switch (result) {
    case QUERY_ABSENT:
        check(value == 77 && twice == QUERY_OK && again == 50);
        break;
    case QUERY_OK:
        check(value >= 10 && value <= 99999 && twice == QUERY_REPEATED && again == 77);
        break;
    case QUERY_BAD:
    case QUERY_REPEATED:
        check(value == 77 && twice == QUERY_REPEATED);
        break;
    }
    /* What was read stands there, perhaps behind zeros. */
    char text[32];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    check(result != QUERY_OK || memmem(query.data, query.length, text, strlen(text)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* In memory of its own, so that a read past the end is found. */
    char *copy = malloc(size > 0 ? size : 1);
    char *longer = malloc(size + 16);
    check(copy != NULL && longer != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    check_number((struct http_slice){copy, size}, longer);
    free(longer);
    free(copy);
    return 0;
}
