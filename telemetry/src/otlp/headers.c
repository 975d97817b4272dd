/*
 * The list is copied once and cut in place: blanks around names and values go, values are decoded
 * where they stand. What could end a header line, or belongs to the exporter, is refused: a header
 * that frames the body must say what is true of the body.
 */
#include "otlp/headers.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char *const reserved[] = {
    "connection", "content-encoding", "content-length",    "content-type", "expect",
    "host",       "proxy-connection", "transfer-encoding", "upgrade",
};

static char *trim(char *start, char *end)
{
    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *end = '\0';
    return start;
}

static bool is_token(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL) {
            return false;
        }
    }
    return name[0] != '\0';
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcasecmp(name, reserved[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *decode_value(char *value)
{
    long length = tel__percent_decode(value, strlen(value));
    if (length < 0) {
        return "a value has a % that two hex digits do not follow";
    }
    value[length] = '\0';
    for (long i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)value[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return "a value has a control character";
        }
    }
    return NULL;
}

/* One `k=v` between `start` and `end`, where a NUL may be written. */
static const char *add_member(struct tel__headers *headers, char *start, char *end)
{
    start = trim(start, end);
    if (*start == '\0') {
        return NULL; /* an empty member is nobody's fault */
    }
    char *equals = strchr(start, '=');
    if (equals == NULL) {
        return "a member has no `=`";
    }
    if (headers->count == TEL__HEADERS_MAX) {
        return "there are too many";
    }
    struct tel__header *header = &headers->items[headers->count];
    char *value = trim(equals + 1, equals + 1 + strlen(equals + 1));
    header->value = value;
    header->name = trim(start, equals);
    if (!is_token(header->name)) {
        return "a name is not a header's name";
    }
    if (is_reserved(header->name)) {
        return "one of them is the exporter's own";
    }
    headers->count++;
    return decode_value(value);
}

static const char *parse_members(struct tel__headers *headers)
{
    char *at = headers->text;
    for (;;) {
        char *end = strchrnul(at, ',');
        bool last = *end == '\0';
        const char *reason = add_member(headers, at, end);
        if (reason != NULL || last) {
            return reason;
        }
        at = end + 1;
    }
}

int tel__headers_parse(const char *list, struct tel__headers *headers, const char **reason)
{
    *headers = (struct tel__headers){0};
    *reason = NULL;
    if (list == NULL || list[0] == '\0') {
        return 0;
    }
    if (strlen(list) > TEL__HEADERS_TEXT_MAX) {
        *reason = "they are too long";
        return -EINVAL;
    }
    headers->text = strdup(list);
    if (headers->text == NULL) {
        *reason = "there is no memory for them";
        return -ENOMEM;
    }
    *reason = parse_members(headers);
    if (*reason != NULL) {
        tel__headers_fini(headers);
        return -EINVAL;
    }
    return 0;
}

void tel__headers_fini(struct tel__headers *headers)
{
    free(headers->text);
    *headers = (struct tel__headers){0};
}

const char *tel__headers_get(const struct tel__headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (strcasecmp(headers->items[i].name, name) == 0) {
            return headers->items[i].value;
        }
    }
    return NULL;
}
