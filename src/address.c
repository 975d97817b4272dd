/*
 * Addresses. The text is split at its last colon, so that the colons of an IPv6 address, which
 * brackets must enclose, are never taken for the port's.
 */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0 to 65535 in decimal, or -1. */
static long parse_port(const char *text, size_t length)
{
    if (length == 0 || length > 5) {
        return -1;
    }
    long port = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        port = port * 10 + (text[i] - '0');
    }
    return port <= 65535 ? port : -1;
}

/* A scope is an interface's name or its number; 0: neither. */
static unsigned parse_scope(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && number <= UINT32_MAX) {
        return (unsigned)number;
    }
    return if_nametoindex(text);
}

static int parse_v6(char *host, struct address *address)
{
    char *scope = strchr(host, '%');
    if (scope != NULL) {
        *scope++ = '\0';
        address->v6.sin6_scope_id = parse_scope(scope);
        if (address->v6.sin6_scope_id == 0) {
            return -EINVAL;
        }
    }
    address->v6.sin6_family = AF_INET6;
    address->length = sizeof(address->v6);
    return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1 ? 0 : -EINVAL;
}

/* `host` is NUL-terminated and may be written to. */
static int parse_host(char *host, size_t length, struct address *address)
{
    if (length == 0 || strcmp(host, "*") == 0) {
        address->every_family = true;
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_addr = in6addr_any;
        address->length = sizeof(address->v6);
        return 0;
    }
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        return parse_v6(host + 1, address);
    }
    address->v4.sin_family = AF_INET;
    address->length = sizeof(address->v4);
    return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

int address_parse(const char *text, size_t length, struct address *address)
{
    char host[ADDRESS_TEXT_MAX];
    const char *colon = memrchr(text, ':', length);
    if (colon == NULL || (size_t)(colon - text) >= sizeof(host) ||
        memchr(text, '\0', length) != NULL) {
        return -EINVAL;
    }
    size_t host_length = (size_t)(colon - text);
    memcpy(host, text, host_length);
    host[host_length] = '\0';

    struct address parsed;
    memset(&parsed, 0, sizeof(parsed));
    long port = parse_port(colon + 1, length - host_length - 1);
    if (port < 0 || parse_host(host, host_length, &parsed) != 0) {
        return -EINVAL;
    }
    if (parsed.any.sa_family == AF_INET) {
        parsed.v4.sin_port = htons((uint16_t)port);
    } else {
        parsed.v6.sin6_port = htons((uint16_t)port);
    }
    *address = parsed;
    return 0;
}

static void format_v6(const struct sockaddr_in6 *v6, char out[ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN];
    unsigned port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, port);
        return;
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
    if (v6->sin6_scope_id != 0) {
        snprintf(out, ADDRESS_TEXT_MAX, "[%s%%%u]:%u", host, v6->sin6_scope_id, port);
    } else {
        snprintf(out, ADDRESS_TEXT_MAX, "[%s]:%u", host, port);
    }
}

char *address_format(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX])
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        char host[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(out, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(v4->sin_port));
    } else if (address->sa_family == AF_INET6) {
        format_v6((const struct sockaddr_in6 *)address, out);
    } else {
        snprintf(out, ADDRESS_TEXT_MAX, "unknown");
    }
    return out;
}
