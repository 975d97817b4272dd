/*
 * Targets and hosts. One table of character classes carries the grammar; the forms of a target are
 * told apart by their first byte.
 */
#include "http/target.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { TOKEN = 1, NAME = 2, HEX = 4, VISIBLE = 8 };

#define ALPHA  (TOKEN | NAME | VISIBLE)
#define XDIGIT (TOKEN | NAME | HEX | VISIBLE)

/* TOKEN: tchar (RFC 9110, 5.6.2). NAME: unreserved and sub-delims (RFC 3986, 2), what a registered
 * name may hold besides percent-encoding. VISIBLE: what a target may hold at all. */
/* clang-format off */
static const unsigned char classes[256] = {
    ['!'] = TOKEN | NAME | VISIBLE, ['"'] = VISIBLE, ['#'] = TOKEN | VISIBLE,
    ['$'] = TOKEN | NAME | VISIBLE, ['%'] = TOKEN | VISIBLE, ['&'] = TOKEN | NAME | VISIBLE,
    ['\''] = TOKEN | NAME | VISIBLE, ['('] = NAME | VISIBLE, [')'] = NAME | VISIBLE,
    ['*'] = TOKEN | NAME | VISIBLE, ['+'] = TOKEN | NAME | VISIBLE, [','] = NAME | VISIBLE,
    ['-'] = TOKEN | NAME | VISIBLE, ['.'] = TOKEN | NAME | VISIBLE, ['/'] = VISIBLE,
    ['0' ... '9'] = XDIGIT, [':'] = VISIBLE, [';'] = NAME | VISIBLE, ['<'] = VISIBLE,
    ['='] = NAME | VISIBLE, ['>'] = VISIBLE, ['?'] = VISIBLE, ['@'] = VISIBLE,
    ['A' ... 'F'] = XDIGIT, ['G' ... 'Z'] = ALPHA, ['['] = VISIBLE, ['\\'] = VISIBLE,
    [']'] = VISIBLE, ['^'] = TOKEN | VISIBLE, ['_'] = TOKEN | NAME | VISIBLE,
    ['`'] = TOKEN | VISIBLE, ['a' ... 'f'] = XDIGIT, ['g' ... 'z'] = ALPHA, ['{'] = VISIBLE,
    ['|'] = TOKEN | VISIBLE, ['}'] = VISIBLE, ['~'] = TOKEN | NAME | VISIBLE,
};
/* clang-format on */

static bool is(char byte, unsigned char class)
{
    return (classes[(unsigned char)byte] & class) != 0;
}

size_t token_span(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && is(bytes[at], TOKEN)) {
        at++;
    }
    return at;
}

/* ---- hosts --------------------------------------------------------------------------------- */

/* The bytes between the brackets. inet_pton(3) is the grammar of an IPv6 address; what starts with
 * `v` is a literal of a version to come: v HEX+ . (unreserved | sub-delims | :)+ */
static bool literal_is_valid(const char *bytes, size_t length)
{
    if (length > 0 && (bytes[0] == 'v' || bytes[0] == 'V')) {
        size_t at = 1;
        while (at < length && is(bytes[at], HEX)) {
            at++;
        }
        if (at == 1 || at + 1 >= length || bytes[at] != '.') {
            return false;
        }
        for (at++; at < length && (is(bytes[at], NAME) || bytes[at] == ':'); at++) {
        }
        return at == length;
    }
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (length >= sizeof text || memchr(bytes, '\0', length) != NULL) {
        return false;
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* The length of the host part at the start, 0 when there is none or it is malformed. */
static size_t host_span(const char *bytes, size_t length)
{
    if (bytes[0] == '[') {
        const char *end = memchr(bytes, ']', length);
        const size_t inner = end != NULL ? (size_t)(end - bytes) - 1 : 0;
        return end != NULL && literal_is_valid(bytes + 1, inner) ? inner + 2 : 0;
    }
    size_t at = 0;
    while (at < length && bytes[at] != ':') {
        if (is(bytes[at], NAME)) {
            at++;
        } else if (bytes[at] == '%' && length - at > 2 && is(bytes[at + 1], HEX) &&
                   is(bytes[at + 2], HEX)) {
            at += 3;
        } else {
            return 0;
        }
    }
    return at;
}

bool host_is_valid(struct http_slice host)
{
    if (host.length == 0) {
        return false;
    }
    size_t at = host_span(host.data, host.length);
    if (at == 0 || (at < host.length && host.data[at] != ':')) {
        return false;
    }
    for (at++; at < host.length; at++) {
        if (host.data[at] < '0' || host.data[at] > '9') {
            return false;
        }
    }
    return true;
}

/* ---- targets ------------------------------------------------------------------------------- */

static struct http_slice slice(const char *data, size_t length)
{
    return (struct http_slice){data, length};
}

/* Splits path and query; false where a byte may not stand in either. */
static bool split_path(struct http_slice text, struct target *target)
{
    size_t mark = text.length;
    for (size_t at = 0; at < text.length; at++) {
        const char byte = text.data[at];
        if (!is(byte, VISIBLE) || byte == '#') {
            return false;
        }
        if (byte == '?' && mark == text.length) {
            mark = at;
        }
    }
    target->path = mark > 0 ? slice(text.data, mark) : slice("/", 1);
    if (mark < text.length) {
        target->query = slice(text.data + mark + 1, text.length - mark - 1);
    }
    return true;
}

static bool parse_absolute(struct http_slice text, struct target *target)
{
    static const struct http_slice schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const size_t skip = schemes[i].length;
        if (text.length <= skip || strncasecmp(text.data, schemes[i].data, skip) != 0) {
            continue;
        }
        size_t end = skip;
        while (end < text.length && text.data[end] != '/' && text.data[end] != '?') {
            end++;
        }
        target->authority = slice(text.data + skip, end - skip);
        return host_is_valid(target->authority) &&
               split_path(slice(text.data + end, text.length - end), target);
    }
    return false;
}

static bool parse_form(struct http_slice text, enum http_method method, struct target *target)
{
    if (text.length == 0) {
        return false;
    }
    if (method == HTTP_METHOD_CONNECT) {
        target->authority = text;
        return host_is_valid(text) && text.data[text.length - 1] != ']' &&
               memchr(text.data, ':', text.length) != NULL;
    }
    if (text.data[0] == '/') {
        return split_path(text, target);
    }
    if (text.data[0] == '*') {
        target->path = text;
        return text.length == 1 && method == HTTP_METHOD_OPTIONS;
    }
    return parse_absolute(text, target);
}

bool target_parse(struct http_slice text, enum http_method method, struct target *target)
{
    *target = (struct target){{NULL, 0}, {NULL, 0}, {NULL, 0}};
    if (parse_form(text, method, target)) {
        return true;
    }
    *target = (struct target){{NULL, 0}, {NULL, 0}, {NULL, 0}};
    return false;
}
