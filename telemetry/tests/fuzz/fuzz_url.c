/*
 * Endpoint URLs as they are put together and shown: whatever the text, what is shown has no user and
 * no password, and a URL that is usable is still so with its path.
 */
#include "config/url.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Between the slashes and the end of the authority nothing but `***` may stand before an `@`. */
static void check_masked(const char *shown)
{
    const char *slashes = strstr(shown, "://");
    if (slashes == NULL) {
        return;
    }
    const char *authority = slashes + 3;
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));
    check(at == NULL || (at == authority + 3 && memcmp(authority, "***", 3) == 0));
}

static void check_mask(const char *url)
{
    char shown[128];
    char again[sizeof(shown)];
    memset(shown, 'x', sizeof(shown));
    tel__url_mask(url, shown, sizeof(shown));
    check(memchr(shown, '\0', sizeof(shown)) != NULL);
    check_masked(shown);
    tel__url_mask(shown, again, sizeof(again));
    check(strcmp(shown, again) == 0);
}

/* Adds a path in both ways; an endpoint stays one, on the same host. */
static void check_paths(const char *url)
{
    char *composed = tel__url_compose(url, "v1/traces");
    char *complete = tel__url_complete(url);
    char *twice = complete != NULL ? tel__url_complete(complete) : NULL;
    struct tel__endpoint before;
    struct tel__endpoint after;
    const char *reason;
    check(composed != NULL && complete != NULL && twice != NULL);
    check(strcmp(complete, twice) == 0);
    check(strlen(composed) <= strlen(url) + 10 && strlen(complete) <= strlen(url) + 1);
    if (tel__endpoint_parse(url, &before, &reason) == 0) {
        check(tel__endpoint_parse(complete, &after, &reason) == 0);
        check(strcmp(before.host, after.host) == 0 && before.port == after.port);
        check(before.tls == after.tls && strcmp(before.target, after.target) == 0);
        if (strpbrk(url, "?#") == NULL && tel__endpoint_parse(composed, &after, &reason) == 0) {
            const size_t length = strlen(after.target);
            check(strcmp(before.host, after.host) == 0 && before.port == after.port);
            check(length >= 10 && strcmp(after.target + length - 10, "/v1/traces") == 0);
        }
    }
    free(twice);
    free(complete);
    free(composed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *url = strndup((const char *)data, size);
    check(url != NULL);
    check_mask(url);
    check_paths(url);
    free(url);
    return 0;
}
