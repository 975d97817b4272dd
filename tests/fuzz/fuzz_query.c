/*
 * Query strings from arbitrary bytes: a number that is read stands there in digits and only once,
 * and no secret's value is left in what goes to spans and logs.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"
#include "redact.h"

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

static bool is_secret(const char *name, size_t length)
{
    static const char *const names[] = {"AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (length == strlen(names[i]) && memcmp(name, names[i], length) == 0) {
            return true;
        }
    }
    return false;
}

/* Every secret's value is gone; the last one may have been cut. */
static void check_redacted(struct http_slice query, bool cut)
{
    const char *end = query.data + query.length;
    for (const char *at = query.data; at < end;) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        const char *stop = next != NULL ? next : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        if (equals != NULL && is_secret(at, (size_t)(equals - at))) {
            const size_t length = (size_t)(stop - equals - 1);
            check(length <= 8 && memcmp(equals + 1, "REDACTED", length) == 0);
            check(length == 8 || length == 0 || (cut && stop == end));
        }
        at = stop + 1;
    }
}

static void check_secrets(struct http_slice query)
{
    char out[REDACT_BYTES];
    char again[REDACT_BYTES];
    const struct http_slice redacted = redact_query(query, out);
    const bool changed = redacted.data != query.data;
    check(changed ? redacted.data == out && redacted.length <= REDACT_BYTES
                  : redacted.length == query.length);
    check_redacted(redacted, changed && redacted.length == REDACT_BYTES);
    if (changed && redacted.length < REDACT_BYTES) {
        const struct http_slice same = redact_query(redacted, again);
        check(same.length == redacted.length && memcmp(same.data, out, same.length) == 0);
    }
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
    check_secrets((struct http_slice){copy, size});
    free(longer);
    free(copy);
    return 0;
}
