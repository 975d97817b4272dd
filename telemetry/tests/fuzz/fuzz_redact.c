/*
 * Query strings from arbitrary bytes: no secret's value is left in what goes to spans and logs, and
 * what was redacted is not changed again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
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
static void check_redacted(const char *query, size_t size, bool cut)
{
    const char *end = query + size;
    for (const char *at = query; at < end;) {
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[TEL_QUERY_REDACTED_MAX];
    char again[TEL_QUERY_REDACTED_MAX];
    /* In memory of its own, so that a read past the end is found. */
    char *query = malloc(size > 0 ? size : 1);
    size_t length = size;
    check(query != NULL);
    if (size > 0) {
        memcpy(query, data, size);
    }
    const char *redacted = tel_query_redact(query, &length, out);
    const bool changed = redacted != query;
    check(changed ? redacted == out && length <= sizeof(out) : length == size);
    check_redacted(redacted, length, changed && length == sizeof(out));
    if (changed && length < sizeof(out)) {
        size_t same = length;
        const char *twice = tel_query_redact(redacted, &same, again);
        check(same == length && memcmp(twice, out, same) == 0);
    }
    free(query);
    return 0;
}
