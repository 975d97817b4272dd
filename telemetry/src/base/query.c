/*
 * A query is a list of `name=value` between ampersands. Most have no such name, so it is looked for
 * first, and only then copied. Names are compared to the letter, as the conventions ask.
 */
#include "telemetry/query.h"

#include <stdbool.h>
#include <string.h>

static const struct secret {
    const char *name; /* with its `=` */
    size_t length;
} secrets[] = {
#define SECRET(name)           \
    {                          \
        name "=", sizeof(name) \
    }
    SECRET("AWSAccessKeyId"),
    SECRET("Signature"),
    SECRET("sig"),
    SECRET("X-Goog-Signature"),
#undef SECRET
};

/* The length of `name=` when the parameter is a secret's, else 0. */
static size_t secret_name(const char *parameter, size_t length)
{
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (length > secrets[i].length &&
            memcmp(parameter, secrets[i].name, secrets[i].length) == 0) {
            return secrets[i].length;
        }
    }
    return 0;
}

/* Length of the parameter at `at`, without the ampersand. */
static size_t parameter_length(const char *at, const char *end)
{
    const char *stop = memchr(at, '&', (size_t)(end - at));
    return (size_t)((stop != NULL ? stop : end) - at);
}

static bool has_secret(const char *query, const char *end)
{
    for (const char *at = query; at < end; at++) {
        size_t length = parameter_length(at, end);
        if (secret_name(at, length) > 0) {
            return true;
        }
        at += length;
    }
    return false;
}

static size_t put(char *out, size_t used, const char *bytes, size_t length)
{
    size_t room = TEL_QUERY_REDACTED_MAX - used;
    length = length < room ? length : room;
    memcpy(out + used, bytes, length);
    return used + length;
}

const char *tel_query_redact(const char *query, size_t *length, char out[TEL_QUERY_REDACTED_MAX])
{
    if (*length == 0 || !has_secret(query, query + *length)) {
        return query;
    }
    const char *end = query + *length;
    size_t used = 0;
    for (const char *at = query; at < end; at++) {
        size_t parameter = parameter_length(at, end);
        size_t name = secret_name(at, parameter);
        used = put(out, used, at, name > 0 ? name : parameter);
        used = put(out, used, "REDACTED", name > 0 ? 8 : 0);
        at += parameter;
        used = put(out, used, at, at < end ? 1 : 0); /* the ampersand */
    }
    *length = used;
    return out;
}
