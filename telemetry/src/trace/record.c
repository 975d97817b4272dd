/*
 * Reading items back out of a record, for those who are in no hurry; item.h has their layout.
 */
#include "trace/record.h"

#include <string.h>

#include "trace/item.h"

bool tel__item_next(const struct tel__span_record *record, size_t *position, struct tel_item *item)
{
    const char *items = record->bytes + record->name_length + record->tracestate_length;
    return tel__items_step(items, record->items_length, position, item);
}
