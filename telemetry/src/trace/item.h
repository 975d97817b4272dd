/*
 * Packing and unpacking of items; record.h says what an item is.
 *
 * How it works: every item is a head of one shape and as many bytes as the head says, so whoever
 * looks for one steps over the others without knowing what they are:
 *
 *     ATTRIBUTE, NESTED  [key address ][length][what][type] [value]
 *     EVENT              [name address][     8][what][   0] [wall_ns]
 *     LINK               [           0][    25][what][   0] [trace_id][span_id][flags]
 *
 * A value is the bytes of a string, one byte for a bool, eight for a number. Items follow each
 * other without padding. Packing is always inlined: where it is called the kind of item is a
 * constant, and what is left of it then is the few stores that this kind needs.
 *
 * Packed items are trusted: they never leave the process, so unpacking checks nothing.
 *
 * Threads: pure functions. Memory: keys are kept by address, string values are copied.
 * Failure: none; the caller looks at tel__item_size() first.
 */
#ifndef TEL_TRACE_ITEM_H
#define TEL_TRACE_ITEM_H

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "trace/record.h"

#define TEL__LINK_BYTES (16 + 8 + 1)
#define TEL__FOLDED     static inline __attribute__((always_inline))

/* Without padding, of 12 bytes. */
struct __attribute__((packed)) tel__item_head {
    const char *key;
    uint16_t length; /* of what follows the head */
    uint8_t what;    /* enum tel_item_what */
    uint8_t type;    /* enum tel_value_type; 0 for events and links */
};

TEL__FOLDED bool tel__item_has_value(const struct tel_item *item)
{
    return item->what == TEL_ITEM_ATTRIBUTE || item->what == TEL_ITEM_NESTED;
}

/* What is short enough is not looked at. */
TEL__FOLDED size_t tel__item_text_size(const char *data, size_t length)
{
    if (data == NULL) {
        return 0;
    }
    return length <= TEL_ATTRIBUTE_VALUE_MAX ? length
                                             : tel__utf8_cut(data, length, TEL_ATTRIBUTE_VALUE_MAX);
}

/* Bytes after the head. */
TEL__FOLDED size_t tel__item_body_size(const struct tel_item *item)
{
    const struct tel_attribute *attribute = &item->attribute;
    if (!tel__item_has_value(item)) {
        return item->what == TEL_ITEM_EVENT ? sizeof(item->wall_ns) : TEL__LINK_BYTES;
    }
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        return tel__item_text_size(attribute->value.string.data, attribute->value.string.length);
    case TEL_VALUE_BOOL:
        return 1;
    case TEL_VALUE_INT:
    case TEL_VALUE_DOUBLE:
        return 8;
    }
    return 0;
}

TEL__FOLDED void tel__item_put_value(char *at, const struct tel_attribute *attribute, size_t length)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        tel__copy(at, attribute->value.string.data, length);
        break;
    case TEL_VALUE_BOOL:
        *at = attribute->value.boolean ? 1 : 0;
        break;
    case TEL_VALUE_INT:
        memcpy(at, &attribute->value.integer, sizeof(attribute->value.integer));
        break;
    case TEL_VALUE_DOUBLE:
        memcpy(at, &attribute->value.real, sizeof(attribute->value.real));
        break;
    }
}

/* Bytes that tel__item_pack() will write. Strings count as cut to TEL_ATTRIBUTE_VALUE_MAX. */
TEL__FOLDED size_t tel__item_size(const struct tel_item *item)
{
    return sizeof(struct tel__item_head) + tel__item_body_size(item);
}

/* Writes the item at `at`; returns the byte after it. */
TEL__FOLDED char *tel__item_pack(char *at, const struct tel_item *item)
{
    const struct tel__item_head head = {
        .key = item->attribute.key,
        .length = (uint16_t)tel__item_body_size(item),
        .what = (uint8_t)item->what,
        .type = tel__item_has_value(item) ? (uint8_t)item->attribute.type : 0};
    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    if (tel__item_has_value(item)) {
        tel__item_put_value(at, &item->attribute, head.length);
    } else if (item->what == TEL_ITEM_EVENT) {
        memcpy(at, &item->wall_ns, sizeof(item->wall_ns));
    } else {
        memcpy(at, item->trace_id, sizeof(item->trace_id));
        memcpy(at + 16, item->span_id, sizeof(item->span_id));
        at[24] = (char)item->flags;
    }
    return at + head.length;
}

TEL__FOLDED void tel__item_get_value(const char *at, size_t length, struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        attribute->value.string.data = at;
        attribute->value.string.length = length;
        break;
    case TEL_VALUE_BOOL:
        attribute->value.boolean = *at != 0;
        break;
    case TEL_VALUE_INT:
        memcpy(&attribute->value.integer, at, sizeof(attribute->value.integer));
        break;
    case TEL_VALUE_DOUBLE:
        memcpy(&attribute->value.real, at, sizeof(attribute->value.real));
        break;
    }
}

/* Reads the item at `at`; returns the byte after it. */
TEL__FOLDED const char *tel__item_unpack(const char *at, struct tel_item *item)
{
    struct tel__item_head head;
    memcpy(&head, at, sizeof(head));
    at += sizeof(head);
    item->what = (enum tel_item_what)head.what;
    item->attribute.type = (enum tel_value_type)head.type;
    item->attribute.key = head.key;
    switch (item->what) {
    case TEL_ITEM_ATTRIBUTE:
    case TEL_ITEM_NESTED:
        tel__item_get_value(at, head.length, &item->attribute);
        break;
    case TEL_ITEM_EVENT:
        memcpy(&item->wall_ns, at, sizeof(item->wall_ns));
        break;
    case TEL_ITEM_LINK:
        memcpy(item->trace_id, at, sizeof(item->trace_id));
        memcpy(item->span_id, at + 16, sizeof(item->span_id));
        item->flags = (uint8_t)at[24];
        break;
    }
    return at + head.length;
}

/* Reads the item at *position (0 at first) of `length` bytes of items and moves it on; false at the
 * end. */
TEL__FOLDED bool tel__items_step(const char *items, size_t length, size_t *position,
                                 struct tel_item *item)
{
    if (*position >= length) {
        return false;
    }
    *position = (size_t)(tel__item_unpack(items + *position, item) - items);
    return true;
}

#endif
