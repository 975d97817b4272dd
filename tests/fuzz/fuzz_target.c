/*
 * Targets and hosts from arbitrary bytes: what is taken lies within what was given, puts back
 * together to it, and holds no byte that may not stand there.
 *
 * The first byte is the method.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_within(struct http_slice part, struct http_slice whole)
{
    return part.data >= whole.data && part.data + part.length <= whole.data + whole.length;
}

static void check_target(struct http_slice text, const struct target *target)
{
    const bool default_path = target->path.data != NULL && !is_within(target->path, text);
    size_t length = default_path ? 0 : target->path.length;
    if (default_path) {
        check(target->authority.data != NULL && target->path.length == 1 &&
              target->path.data[0] == '/');
    }
    if (target->query.data != NULL) {
        check(is_within(target->query, text));
        length += target->query.length + 1;
    }
    if (target->authority.data != NULL) {
        check(is_within(target->authority, text) && host_is_valid(target->authority));
        length = (size_t)(target->authority.data - text.data) + target->authority.length + length;
    }
    check(length == text.length); /* nothing was left out */
    for (size_t i = 0; i < text.length; i++) {
        check(text.data[i] > ' ' && text.data[i] < 127 && text.data[i] != '#');
    }
}

/* Put together again it is what it was: the port is its digits, or too large to be one. */
static void check_authority(struct http_slice authority)
{
    uint16_t port;
    const struct http_slice host = authority_split(authority, &port);
    check(authority.length == 0 || is_within(host, authority));
    const bool bracketed = authority.length > 0 && authority.data[0] == '[';
    const char *rest = host.data + host.length + bracketed;
    const char *end = authority.data + authority.length;
    check(host.length <= authority.length && rest <= end && (rest == end || *rest == ':'));
    check(rest < end || port == 0);
    unsigned long long number = 0;
    for (const char *digit = rest + 1; digit < end && number <= UINT16_MAX; digit++) {
        check(*digit >= '0' && *digit <= '9');
        number = number * 10 + (unsigned)(*digit - '0');
    }
    check(port == (number <= UINT16_MAX ? number : 0));
}

static void check_host(struct http_slice host)
{
    check_authority(host);
    for (size_t i = 0; i < host.length; i++) {
        check(host.data[i] > ' ' && host.data[i] < 127 &&
              memchr("/?#@\\\"<>^`{|}", host.data[i], 13) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;
    if (size < 1) {
        return 0;
    }
    /* In memory of its own, so that a read past the end is found. */
    char *copy = malloc(size);
    check(copy != NULL);
    memcpy(copy, data, size);
    const struct http_slice text = {copy + 1, size - 1};
    const enum http_method method = (enum http_method)(data[0] % HTTP_METHODS);
    if (target_parse(text, method, &target)) {
        check_target(text, &target);
    } else {
        check(target.path.data == NULL && target.query.data == NULL &&
              target.authority.data == NULL);
    }
    if (host_is_valid(text)) {
        check_host(text);
    }
    check(token_span(text.data, text.length) <= text.length);
    free(copy);
    return 0;
}
