/*
 * Items: what is packed into a span's bytes, and read back out of its record.
 *
 *     ATTRIBUTE, NESTED  [what][type][key address][value]
 *     EVENT              [what][   0][name address][wall_ns]
 *     LINK               [what][   0][           0][trace_id][span_id][flags]
 *
 * A value is a length of 16 bits and bytes for a string, one byte for a bool, eight for a number.
 * Items follow each other without padding. Whoever adds an item adds its size to
 * tel__item_size(), its writing to tel__item_pack() and its reading to tel__item_next().
 */
#include "trace/record.h"

#include <string.h>

#include "base/text.h"
#include "trace/item.h"

#define HEAD_BYTES (2 + sizeof(const char *))
#define LINK_BYTES (16 + 8 + 1)

/* Bytes that a string value is cut to. */
static size_t cut_length(const struct tel_attribute *attribute)
{
    if (attribute->value.string.data == NULL) {
        return 0;
    }
    return tel__utf8_cut(attribute->value.string.data, attribute->value.string.length,
                         TEL_ATTRIBUTE_VALUE_MAX);
}

static size_t value_size(const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        return sizeof(uint16_t) + cut_length(attribute);
    case TEL_VALUE_BOOL:
        return 1;
    case TEL_VALUE_INT:
    case TEL_VALUE_DOUBLE:
        return 8;
    }
    return 0;
}

size_t tel__item_size(const struct tel__item *item)
{
    switch (item->what) {
    case TEL__ITEM_EVENT:
        return HEAD_BYTES + sizeof(item->wall_ns);
    case TEL__ITEM_LINK:
        return HEAD_BYTES + LINK_BYTES;
    case TEL__ITEM_ATTRIBUTE:
    case TEL__ITEM_NESTED:
        return HEAD_BYTES + value_size(&item->attribute);
    }
    return HEAD_BYTES;
}

static char *put(char *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static char *put_value(char *at, const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING: {
        uint16_t length = (uint16_t)cut_length(attribute);
        at = put(at, &length, sizeof(length));
        return length > 0 ? put(at, attribute->value.string.data, length) : at;
    }
    case TEL_VALUE_BOOL:
        *at = attribute->value.boolean ? 1 : 0;
        return at + 1;
    case TEL_VALUE_INT:
        return put(at, &attribute->value.integer, sizeof(attribute->value.integer));
    case TEL_VALUE_DOUBLE:
        return put(at, &attribute->value.real, sizeof(attribute->value.real));
    }
    return at;
}

char *tel__item_pack(char *at, const struct tel__item *item)
{
    const struct tel_attribute *attribute = &item->attribute;
    bool typed = item->what == TEL__ITEM_ATTRIBUTE || item->what == TEL__ITEM_NESTED;
    *at++ = (char)item->what;
    *at++ = typed ? (char)attribute->type : 0;
    at = put(at, &attribute->key, sizeof(attribute->key));
    if (typed) {
        return put_value(at, attribute);
    }
    if (item->what == TEL__ITEM_EVENT) {
        return put(at, &item->wall_ns, sizeof(item->wall_ns));
    }
    at = put(at, item->trace_id, sizeof(item->trace_id));
    at = put(at, item->span_id, sizeof(item->span_id));
    *at = (char)item->flags;
    return at + 1;
}

static const char *get(const char *at, void *bytes, size_t length)
{
    memcpy(bytes, at, length);
    return at + length;
}

static const char *get_value(const char *at, struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING: {
        uint16_t length;
        at = get(at, &length, sizeof(length));
        attribute->value.string.data = at;
        attribute->value.string.length = length;
        return at + length;
    }
    case TEL_VALUE_BOOL:
        attribute->value.boolean = *at != 0;
        return at + 1;
    case TEL_VALUE_INT:
        return get(at, &attribute->value.integer, sizeof(attribute->value.integer));
    case TEL_VALUE_DOUBLE:
        return get(at, &attribute->value.real, sizeof(attribute->value.real));
    }
    return at;
}

const char *tel__item_unpack(const char *at, struct tel__item *item)
{
    item->what = (enum tel__item_what)(unsigned char)*at++;
    item->attribute.type = (enum tel_value_type)(unsigned char)*at++;
    at = get(at, &item->attribute.key, sizeof(item->attribute.key));
    switch (item->what) {
    case TEL__ITEM_ATTRIBUTE:
    case TEL__ITEM_NESTED:
        return get_value(at, &item->attribute);
    case TEL__ITEM_EVENT:
        return get(at, &item->wall_ns, sizeof(item->wall_ns));
    case TEL__ITEM_LINK:
        at = get(at, item->trace_id, sizeof(item->trace_id));
        at = get(at, item->span_id, sizeof(item->span_id));
        item->flags = (uint8_t)*at;
        return at + 1;
    }
    return at;
}

bool tel__item_next(const struct tel__span_record *record, size_t *position, struct tel__item *item)
{
    if (*position >= record->items_length) {
        return false;
    }
    const char *items = record->bytes + record->name_length + record->tracestate_length;
    *position = (size_t)(tel__item_unpack(items + *position, item) - items);
    return true;
}
