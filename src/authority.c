/*
 * The last colon is the port's, unless a bracket follows it: then it is an IPv6 address's own.
 */
#include "authority.h"

#include <string.h>

static uint16_t parse_port(const char *digits, const char *end)
{
    uint32_t port = 0;
    for (; digits < end && port <= UINT16_MAX; digits++) {
        port = port * 10 + (uint32_t)(*digits - '0');
    }
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

struct http_slice authority_split(struct http_slice authority, uint16_t *port)
{
    *port = 0;
    if (authority.length == 0) {
        return authority;
    }
    const char *end = authority.data + authority.length;
    const char *colon = memrchr(authority.data, ':', authority.length);
    if (colon != NULL && end[-1] != ']') {
        *port = parse_port(colon + 1, end);
        end = colon;
    }
    bool bracketed = authority.data[0] == '[' && end[-1] == ']';
    return (struct http_slice){authority.data + bracketed,
                               (size_t)(end - authority.data) - 2 * bracketed};
}
