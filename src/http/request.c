/*
 * Names: of methods, and of the headers that are found in O(1).
 *
 * A header's name is looked up by its length first: no length has more than three candidates. They
 * are compared eight bytes at a time with the case bit set: exact, because a name that got here
 * is a token, and no other character of a token becomes a letter or a hyphen that way.
 *
 * To make another header known: a value in enum http_known, a row in `headers`, and its place in
 * `by_length`; test_request.c goes through all rows.
 */
#include <string.h>
#include <strings.h>

#include "http/internal.h"

static const struct {
    const char *name;
    size_t length;
    enum http_method method;
} methods[] = {
    {"GET", 3, HTTP_METHOD_GET},         {"HEAD", 4, HTTP_METHOD_HEAD},
    {"POST", 4, HTTP_METHOD_POST},       {"PUT", 3, HTTP_METHOD_PUT},
    {"DELETE", 6, HTTP_METHOD_DELETE},   {"CONNECT", 7, HTTP_METHOD_CONNECT},
    {"OPTIONS", 7, HTTP_METHOD_OPTIONS}, {"TRACE", 5, HTTP_METHOD_TRACE},
    {"PATCH", 5, HTTP_METHOD_PATCH},
};

#define METHOD_ROWS (sizeof methods / sizeof methods[0])

const char *http_method_name(enum http_method method)
{
    for (size_t i = 0; i < METHOD_ROWS; i++) {
        if (methods[i].method == method) {
            return methods[i].name;
        }
    }
    return "_OTHER";
}

enum http_method request_method(struct http_slice token)
{
    for (size_t i = 0; i < METHOD_ROWS; i++) {
        if (methods[i].length == token.length &&
            memcmp(methods[i].name, token.data, token.length) == 0) {
            return methods[i].method;
        }
    }
    return HTTP_METHOD_OTHER;
}

/* ---- headers ------------------------------------------------------------------------------- */

#define HEADER_NAME_MAX 17

static const struct {
    char name[24];
    int number;
} headers[] = {
    {"host", HTTP_KNOWN_HOST},
    {"accept", HTTP_KNOWN_ACCEPT},
    {"expect", HTTP_KNOWN_EXPECT},
    {"baggage", HTTP_KNOWN_BAGGAGE},
    {"referer", HTTP_KNOWN_REFERER},
    {"user-agent", HTTP_KNOWN_USER_AGENT},
    {"tracestate", HTTP_KNOWN_TRACESTATE},
    {"connection", HEADER_CONNECTION},
    {"traceparent", HTTP_KNOWN_TRACEPARENT},
    {"content-type", HTTP_KNOWN_CONTENT_TYPE},
    {"authorization", HTTP_KNOWN_AUTHORIZATION},
    {"accept-encoding", HTTP_KNOWN_ACCEPT_ENCODING},
    {"transfer-encoding", HEADER_TRANSFER_ENCODING},
};

/* The rows of `headers` whose name has that length: first, and how many. */
static const struct {
    uint8_t first, count;
} by_length[HEADER_NAME_MAX + 1] = {
    [4] = {0, 1},  [6] = {1, 2},   [7] = {3, 2},   [10] = {5, 3},  [11] = {8, 1},
    [12] = {9, 1}, [13] = {10, 1}, [15] = {11, 1}, [17] = {12, 1},
};

/* Both arguments are readable to the next multiple of eight bytes. */
static bool name_is(const char *name, const char *lower, size_t length)
{
    for (size_t at = 0; at < length; at += 8) {
        uint64_t left;
        uint64_t right;
        memcpy(&left, name + at, 8);
        memcpy(&right, lower + at, 8);
        left |= 0x2020202020202020u;
        if (length - at < 8) {
            /* Both sides' bytes after the end become equal; text order is memory order. */
            static const unsigned char ones[16] = {255, 255, 255, 255, 255, 255, 255, 255};
            uint64_t mask;
            memcpy(&mask, ones + 8 - (length - at), 8);
            left &= mask;
            right &= mask;
        }
        if (left != right) {
            return false;
        }
    }
    return true;
}

int request_header_number(struct http_slice name)
{
    if (name.length > HEADER_NAME_MAX) {
        return HEADER_UNKNOWN;
    }
    const size_t first = by_length[name.length].first;
    for (size_t i = first; i < first + by_length[name.length].count; i++) {
        if (name_is(name.data, headers[i].name, name.length)) {
            return headers[i].number;
        }
    }
    return HEADER_UNKNOWN;
}

struct http_slice http_request_header(const struct http_request *request, const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->name.length == length && strncasecmp(field->name.data, name, length) == 0) {
            return field->value;
        }
    }
    return (struct http_slice){NULL, 0};
}

/* ---- values -------------------------------------------------------------------------------- */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

bool request_list_next(struct http_slice *list, struct http_slice *element)
{
    while (list->length > 0) {
        const char *comma = memchr(list->data, ',', list->length);
        size_t end = comma != NULL ? (size_t)(comma - list->data) : list->length;
        const size_t skip = comma != NULL ? end + 1 : end;
        const char *start = list->data;
        list->data += skip;
        list->length -= skip;
        while (end > 0 && is_blank(*start)) {
            start++;
            end--;
        }
        while (end > 0 && is_blank(start[end - 1])) {
            end--;
        }
        if (end > 0) {
            *element = (struct http_slice){start, end};
            return true;
        }
    }
    return false;
}

bool slice_is(struct http_slice slice, const char *text)
{
    return strlen(text) == slice.length && strncasecmp(slice.data, text, slice.length) == 0;
}
