/*
 * A span as it lies in the queue: packed by the request's thread, unpacked by the exporter's.
 *
 *     [tel__span_record][name][tracestate][item][item]…
 *
 * An item is an attribute, an event or a link, in the order in which they were set. The span's own
 * attributes, wherever they stand, are TEL_ITEM_ATTRIBUTE; TEL_ITEM_NESTED belong to the event or
 * link before them. Keys are addresses of static strings and differ among the span's own. Items
 * are not aligned; read them through tel__item_next().
 */
#ifndef TEL_TRACE_RECORD_H
#define TEL_TRACE_RECORD_H

#include "telemetry/trace.h"

struct tel__span_record {
    uint64_t start_wall_ns;
    uint64_t end_wall_ns;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t parent_span_id[8];
    uint8_t flags;
    uint8_t kind;
    uint8_t status;
    bool has_parent;
    bool parent_remote;
    uint16_t dropped_attributes;
    uint16_t dropped_events;
    uint16_t dropped_links;
    uint16_t name_length;
    uint16_t tracestate_length;
    uint16_t items_length;
    char bytes[]; /* name, tracestate, items */
};

/* Reads the item at *position (0 at first) of the record and moves it on; false at the end. */
bool tel__item_next(const struct tel__span_record *record, size_t *position, struct tel_item *item);

#endif
