/*
 * The list is copied once and cut in place; values are decoded where they stand. What could end a header line, or belongs to the exporter, is refused: a header
 * that frames the body must say what is true of the body.
 */
#include "otlp/headers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/pairs.h"
#include "base/text.h"

static const char *const reserved[] = {
    "connection", "content-encoding", "content-length",    "content-type", "expect",
    "host",       "proxy-connection", "transfer-encoding", "upgrade",
};

static bool is_token(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && tel__token_length(name, length) == length;
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

static const char *add_header(struct tel__headers *headers, const struct tel__pair *pair)
{
    if (pair->value == NULL) {
        return "a member has no `=`";
    }
    if (headers->count == TEL__HEADERS_MAX) {
        return "there are too many";
    }
    if (!is_token(pair->key)) {
        return "a name is not a header's name";
    }
    if (is_reserved(pair->key)) {
        return "one of them is the exporter's own";
    }
    headers->items[headers->count++] = (struct tel__header){pair->key, pair->value};
    return decode_value(pair->value);
}

static const char *parse_members(struct tel__headers *headers)
{
    const char *reason = NULL;
    struct tel__pair pair;
    for (char *at = headers->text; reason == NULL && tel__pairs_next(&at, &pair);) {
        reason = add_header(headers, &pair);
    }
    return reason;
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
