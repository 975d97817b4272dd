/*
 * Putting URLs together and covering what is secret in them.
 *
 *     http://user:password@host:4318/path?query
 *            └────────authority────┘
 */
#include "config/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The authority: where it starts and how long it is. NULL when there is none. */
static const char *find_authority(const char *url, size_t *length)
{
    const char *slashes = strstr(url, "://");
    if (slashes == NULL) {
        return NULL;
    }
    *length = strcspn(slashes + 3, "/?#");
    return slashes + 3;
}

/* Host and port without the user information before the last `@`. */
static const char *skip_user(const char *authority, size_t *length)
{
    const char *at = memrchr(authority, '@', *length);
    if (at == NULL) {
        return authority;
    }
    *length -= (size_t)(at + 1 - authority);
    return at + 1;
}

char *tel__url_compose(const char *base, const char *path)
{
    size_t length = strlen(base);
    const char *separator = length > 0 && base[length - 1] == '/' ? "" : "/";
    char *url = NULL;
    return asprintf(&url, "%s%s%s", base, separator, path) < 0 ? NULL : url;
}

char *tel__url_complete(const char *url)
{
    size_t length;
    const char *authority = find_authority(url, &length);
    if (authority == NULL || authority[length] == '/') {
        return strdup(url);
    }
    const char *rest = authority + length; /* a query, or nothing */
    char *complete = NULL;
    return asprintf(&complete, "%.*s/%s", (int)(rest - url), url, rest) < 0 ? NULL : complete;
}

void tel__url_mask(const char *url, char *out, size_t size)
{
    size_t length;
    const char *authority = find_authority(url, &length);
    const char *host = authority != NULL ? skip_user(authority, &length) : NULL;
    if (host == authority) {
        snprintf(out, size, "%s", url);
    } else {
        snprintf(out, size, "%.*s***@%s", (int)(authority - url), url, host);
    }
}
