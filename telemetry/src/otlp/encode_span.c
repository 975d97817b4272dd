/*
 * A span's record as a field of ScopeSpans. Items come in the order in which the record holds them,
 * and an event or link is opened when it is met and closed by what follows it.
 */
#include "base/wire.h"
#include "otlp/encode.h"
#include "trace/item.h"

enum { EVENT_TIME = 1, EVENT_NAME = 2, EVENT_ATTRIBUTES = 3 };                     /* Span.Event */
enum { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2, LINK_ATTRIBUTES = 4, LINK_FLAGS = 6 }; /* Span.Link */
enum { STATUS_CODE = 3 };                                                          /* Status */
enum {                                                                             /* Span */
       SPAN_TRACE_ID = 1,
       SPAN_ID = 2,
       SPAN_TRACE_STATE = 3,
       SPAN_PARENT_ID = 4,
       SPAN_NAME = 5,
       SPAN_KIND = 6,
       SPAN_START = 7,
       SPAN_END = 8,
       SPAN_ATTRIBUTES = 9,
       SPAN_DROPPED_ATTRIBUTES = 10,
       SPAN_EVENTS = 11,
       SPAN_DROPPED_EVENTS = 12,
       SPAN_LINKS = 13,
       SPAN_DROPPED_LINKS = 14,
       SPAN_STATUS = 15,
       SPAN_FLAGS = 16,
};

#define FLAGS_HAS_IS_REMOTE 0x100u
#define FLAGS_IS_REMOTE     0x200u

/* Bytes that the fixed part of a span takes at most: ids, times, counts, status, flags, tags. */
#define SPAN_FIXED_MAX 160
/* The same of an event and a link. */
#define EVENT_FIXED_MAX 32
#define LINK_FIXED_MAX  48

/* The event or link whose attributes are being read; `field` is where they go. */
struct open_item {
    size_t start; /* 0: none is open */
    unsigned attributes_field;
};

static void close_item(struct tel_buffer *out, struct open_item *open)
{
    if (open->start != 0) {
        tel__wire_close(out, open->start);
        open->start = 0;
    }
}

static void open_event(struct tel__encoder *encoder, struct tel_buffer *out,
                       const struct tel_item *item, struct open_item *open)
{
    size_t name_length = tel__encode_key(encoder, item->attribute.key)->length;
    open->start = tel__wire_open(out, SPAN_EVENTS);
    open->attributes_field = EVENT_ATTRIBUTES;
    uint8_t *at = tel__wire_room(out, name_length + EVENT_FIXED_MAX);
    if (at != NULL) {
        at = tel__wire_put_fixed64(at, EVENT_TIME, item->wall_ns);
        at = tel__wire_put_bytes(at, EVENT_NAME, item->attribute.key, name_length);
        tel__wire_end(out, at);
    }
}

static void open_link(struct tel_buffer *out, const struct tel_item *item, struct open_item *open)
{
    open->start = tel__wire_open(out, SPAN_LINKS);
    open->attributes_field = LINK_ATTRIBUTES;
    uint8_t *at = tel__wire_room(out, LINK_FIXED_MAX);
    if (at != NULL) {
        at = tel__wire_put_bytes(at, LINK_TRACE_ID, item->trace_id, sizeof(item->trace_id));
        at = tel__wire_put_bytes(at, LINK_SPAN_ID, item->span_id, sizeof(item->span_id));
        at = tel__wire_put_fixed32(at, LINK_FLAGS, item->flags);
        tel__wire_end(out, at);
    }
}

static void append_items(struct tel__encoder *encoder, const struct tel__span_record *record,
                         struct tel_buffer *out)
{
    struct tel_item item;
    struct open_item open = {0};
    const char *items = record->bytes + record->name_length + record->tracestate_length;
    size_t position = 0;
    while (tel__items_step(items, record->items_length, &position, &item)) {
        if (item.what == TEL_ITEM_NESTED) {
            if (open.start != 0) {
                tel__encode_attribute(encoder, out, open.attributes_field, &item.attribute);
            }
            continue;
        }
        close_item(out, &open);
        if (item.what == TEL_ITEM_ATTRIBUTE) {
            tel__encode_attribute(encoder, out, SPAN_ATTRIBUTES, &item.attribute);
        } else if (item.what == TEL_ITEM_EVENT) {
            open_event(encoder, out, &item, &open);
        } else {
            open_link(out, &item, &open);
        }
    }
    close_item(out, &open);
}

/* A count that stands at 0 is not written, as in proto3. */
static uint8_t *put_count(uint8_t *at, unsigned field, uint64_t count)
{
    return count != 0 ? tel__wire_put_uint(at, field, count) : at;
}

static uint8_t *put_status(uint8_t *at, uint8_t status)
{
    if (status == TEL_STATUS_UNSET) {
        return at;
    }
    at = tel__wire_put_length(at, SPAN_STATUS, 2);
    return tel__wire_put_uint(at, STATUS_CODE, status);
}

/* All but name and items, whose lengths are another matter. */
static void append_fixed(const struct tel__span_record *record, struct tel_buffer *out)
{
    uint8_t *at = tel__wire_room(out, SPAN_FIXED_MAX + record->tracestate_length);
    if (at == NULL) {
        return;
    }
    at = tel__wire_put_bytes(at, SPAN_TRACE_ID, record->trace_id, sizeof(record->trace_id));
    at = tel__wire_put_bytes(at, SPAN_ID, record->span_id, sizeof(record->span_id));
    if (record->tracestate_length > 0) {
        at = tel__wire_put_bytes(at, SPAN_TRACE_STATE, record->bytes + record->name_length,
                                 record->tracestate_length);
    }
    if (record->has_parent) {
        at = tel__wire_put_bytes(at, SPAN_PARENT_ID, record->parent_span_id,
                                 sizeof(record->parent_span_id));
    }
    at = tel__wire_put_uint(at, SPAN_KIND, record->kind);
    at = tel__wire_put_fixed64(at, SPAN_START, record->start_wall_ns);
    at = tel__wire_put_fixed64(at, SPAN_END, record->end_wall_ns);
    at = put_count(at, SPAN_DROPPED_ATTRIBUTES, record->dropped_attributes);
    at = put_count(at, SPAN_DROPPED_EVENTS, record->dropped_events);
    at = put_count(at, SPAN_DROPPED_LINKS, record->dropped_links);
    at = put_status(at, record->status);
    at = tel__wire_put_fixed32(at, SPAN_FLAGS,
                               record->flags | FLAGS_HAS_IS_REMOTE |
                                   (record->parent_remote ? FLAGS_IS_REMOTE : 0));
    tel__wire_end(out, at);
}

int tel__encode_span(struct tel__encoder *encoder, const void *opaque, struct tel_buffer *spans)
{
    const struct tel__span_record *record = opaque;
    size_t before = spans->length;
    size_t start = tel__wire_open(spans, TEL__ENCODE_RECORD);
    append_fixed(record, spans);
    tel__wire_append_text(spans, SPAN_NAME, record->bytes, record->name_length);
    append_items(encoder, record, spans);
    tel__wire_close(spans, start);
    return tel__encode_settle(spans, before);
}
