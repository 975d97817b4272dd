/*
 * A query is a list of `name=value` between ampersands. Most have no such name, so it is looked for
 * first, and only then copied. Names are compared to the letter, as the conventions ask.
 */
#include "redact.h"

#include <string.h>

static const struct http_slice secrets[] = {
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
            memcmp(parameter, secrets[i].data, secrets[i].length) == 0) {
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

static bool has_secret(struct http_slice query)
{
    const char *end = query.data + query.length;
    for (const char *at = query.data; at < end; at++) {
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
    size_t room = REDACT_BYTES - used;
    length = length < room ? length : room;
    memcpy(out + used, bytes, length);
    return used + length;
}

struct http_slice redact_query(struct http_slice query, char out[REDACT_BYTES])
{
    if (query.length == 0 || !has_secret(query)) {
        return query;
    }
    const char *end = query.data + query.length;
    size_t used = 0;
    for (const char *at = query.data; at < end; at++) {
        size_t length = parameter_length(at, end);
        size_t name = secret_name(at, length);
        used = put(out, used, at, name > 0 ? name : length);
        used = put(out, used, "REDACTED", name > 0 ? 8 : 0);
        at += length;
        used = put(out, used, at, at < end ? 1 : 0); /* the ampersand */
    }
    return (struct http_slice){out, used};
}
