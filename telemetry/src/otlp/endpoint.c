/*
 * A URL is cut from the left: scheme, authority up to the first of `/?#`, then the target. The
 * authority is cut in turn: user up to the last `@`, host, port. Only bytes that may stand in a
 * request line come through: what is read here is later written into one.
 */
#include "otlp/endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

struct scheme {
    const char *name;
    bool tls;
    uint16_t port;
};

static const struct scheme schemes[] = {
    {"http://", false, 80},
    {"https://", true, 443},
};

static const struct scheme *find_scheme(const char *url)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strncasecmp(url, schemes[i].name, strlen(schemes[i].name)) == 0) {
            return &schemes[i];
        }
    }
    return NULL;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= 0x20 || *text == 0x7f || (*text & 0x80) != 0) {
            return false;
        }
    }
    return true;
}

static bool is_host_char(char byte, bool bracketed)
{
    return isalnum((unsigned char)byte) ||
           strchr(bracketed ? ":." : "-._", byte) != NULL; /* no zones of IPv6: evdns knows none */
}

static const char *parse_user(const char *text, size_t length, struct tel__endpoint *endpoint)
{
    char decoded[3 * TEL__ENDPOINT_USER_MAX + 1];
    if (length >= sizeof(decoded)) {
        return "user and password are too long";
    }
    memcpy(decoded, text, length);
    long decoded_length = tel__percent_decode(decoded, length);
    if (decoded_length < 0 || decoded_length > TEL__ENDPOINT_USER_MAX ||
        memchr(decoded, '\0', (size_t)decoded_length) != NULL) {
        return "user or password cannot be decoded";
    }
    if (decoded_length > 0) {
        char *at = stpcpy(endpoint->authorization, "Basic ");
        EVP_EncodeBlock((unsigned char *)at, (const unsigned char *)decoded, (int)decoded_length);
    }
    return NULL;
}

static const char *parse_port(const char *text, size_t length, uint16_t *port)
{
    if (length == 0) {
        return NULL; /* `host:` means the scheme's port (RFC 3986 3.2.3) */
    }
    unsigned value = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]) ||
            (value = value * 10 + (unsigned)(text[i] - '0')) > 65535) {
            return "the port is not a number from 1 to 65535";
        }
    }
    *port = (uint16_t)value;
    return value != 0 ? NULL : "the port is not a number from 1 to 65535";
}

/* Finds the host's bytes and what follows them, behind the brackets of an IPv6 address. */
static const char *split_host(const char **host, size_t *host_length, const char *end,
                              const char **rest)
{
    if (*host < end && **host == '[') {
        const char *close = memchr(*host, ']', (size_t)(end - *host));
        if (close == NULL) {
            return "the bracket of an IPv6 address is not closed";
        }
        *host_length = (size_t)(close - ++*host);
        *rest = close + 1;
        return NULL;
    }
    const char *colon = memchr(*host, ':', (size_t)(end - *host));
    *rest = colon != NULL ? colon : end;
    *host_length = (size_t)(*rest - *host);
    return NULL;
}

static const char *parse_host(const char *host, const char *end, struct tel__endpoint *endpoint)
{
    const char *rest;
    size_t length;
    bool bracketed = host < end && *host == '[';
    const char *reason = split_host(&host, &length, end, &rest);
    if (reason != NULL) {
        return reason;
    }
    if (length == 0 || length > TEL__ENDPOINT_HOST_MAX) {
        return length == 0 ? "the host is missing" : "the host is too long";
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_host_char(host[i], bracketed)) {
            return "the host has a character that no host has";
        }
    }
    memcpy(endpoint->host, host, length);
    endpoint->host[length] = '\0';
    if (rest < end && *rest != ':') {
        return "only a port may follow the host";
    }
    return rest < end ? parse_port(rest + 1, (size_t)(end - rest - 1), &endpoint->port) : NULL;
}

static const char *parse_authority(const char *text, size_t length, struct tel__endpoint *endpoint)
{
    const char *end = text + length;
    const char *at = memrchr(text, '@', length);
    if (at != NULL) {
        const char *reason = parse_user(text, (size_t)(at - text), endpoint);
        if (reason != NULL) {
            return reason;
        }
        text = at + 1;
    }
    return parse_host(text, end, endpoint);
}

static const char *parse_target(const char *text, struct tel__endpoint *endpoint)
{
    size_t length = strcspn(text, "#"); /* a fragment is never sent */
    bool needs_slash = length == 0 || text[0] == '?';
    if (length + needs_slash > TEL__ENDPOINT_TARGET_MAX) {
        return "the path is too long";
    }
    char *at = endpoint->target;
    if (needs_slash) {
        *at++ = '/';
    }
    memcpy(at, text, length);
    at[length] = '\0';
    return NULL;
}

static void format_names(struct tel__endpoint *endpoint, const struct scheme *scheme)
{
    bool ipv6 = strchr(endpoint->host, ':') != NULL;
    char port[8] = "";
    if (endpoint->port != scheme->port) {
        snprintf(port, sizeof(port), ":%u", endpoint->port);
    }
    snprintf(endpoint->authority, sizeof(endpoint->authority), "%s%s%s%s", ipv6 ? "[" : "",
             endpoint->host, ipv6 ? "]" : "", port);
    snprintf(endpoint->display, sizeof(endpoint->display), "%s%s%.*s", scheme->name,
             endpoint->authority, (int)strcspn(endpoint->target, "?"), endpoint->target);
}

int tel__endpoint_parse(const char *url, struct tel__endpoint *endpoint, const char **reason)
{
    *endpoint = (struct tel__endpoint){0};
    const struct scheme *scheme = find_scheme(url);
    if (scheme == NULL) {
        *reason = "it does not start with http:// or https://";
        return -EINVAL;
    }
    if (!is_printable(url)) {
        *reason = "it has a blank, a control character or one that is not ASCII";
        return -EINVAL;
    }
    endpoint->tls = scheme->tls;
    endpoint->port = scheme->port;
    const char *authority = url + strlen(scheme->name);
    size_t length = strcspn(authority, "/?#");
    *reason = parse_authority(authority, length, endpoint);
    if (*reason == NULL) {
        *reason = parse_target(authority + length, endpoint);
    }
    if (*reason != NULL) {
        return -EINVAL;
    }
    format_names(endpoint, scheme);
    return 0;
}
