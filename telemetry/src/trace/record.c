/*
 * Reading items back out of a span's record; item.h has their layout.
 */
#include "trace/record.h"

#include <string.h>

#include "trace/item.h"

static void get_value(const char *at, size_t length, struct tel_attribute *attribute)
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

const char *tel__item_unpack(const char *at, struct tel__item *item)
{
    struct tel__item_head head;
    memcpy(&head, at, sizeof(head));
    at += sizeof(head);
    item->what = (enum tel__item_what)head.what;
    item->attribute.type = (enum tel_value_type)head.type;
    item->attribute.key = head.key;
    switch (item->what) {
    case TEL__ITEM_ATTRIBUTE:
    case TEL__ITEM_NESTED:
        get_value(at, head.length, &item->attribute);
        break;
    case TEL__ITEM_EVENT:
        memcpy(&item->wall_ns, at, sizeof(item->wall_ns));
        break;
    case TEL__ITEM_LINK:
        memcpy(item->trace_id, at, sizeof(item->trace_id));
        memcpy(item->span_id, at + 16, sizeof(item->span_id));
        item->flags = (uint8_t)at[24];
        break;
    }
    return at + head.length;
}

bool tel__items_next(const char *items, size_t length, size_t *position, struct tel__item *item)
{
    if (*position >= length) {
        return false;
    }
    *position = (size_t)(tel__item_unpack(items + *position, item) - items);
    return true;
}

bool tel__item_next(const struct tel__span_record *record, size_t *position, struct tel__item *item)
{
    const char *items = record->bytes + record->name_length + record->tracestate_length;
    return tel__items_next(items, record->items_length, position, item);
}
