/*
 * The encoder runs once a span at tens of thousands a second, beside the threads that make them, so
 * it is written for few branches and one check for room an item: each item's bound is added up
 * first, then it is put with plain stores. Fields may come in any order in protobuf; they come here
 * in the order in which the record holds them.
 *
 * Attribute keys and event names are static strings of which only the address is known. Their
 * lengths are remembered by address in a small direct-mapped table: a program has a few dozen.
 */
#include "otlp/encode.h"

#include <errno.h>

#include "base/text.h"
#include "base/wire.h"

enum { RESOURCE_SPANS = 1 };                                     /* the request */
enum { RESOURCE = 1, SCOPE_SPANS = 2, RESOURCE_SCHEMA_URL = 3 }; /* ResourceSpans */
enum { SCOPE = 1, SCOPE_SPAN = 2, SCOPE_SCHEMA_URL = 3 };        /* ScopeSpans */
enum { RESOURCE_ATTRIBUTES = 1 };                                /* Resource */
enum { SCOPE_NAME = 1, SCOPE_VERSION = 2 };                      /* Scope */
enum { KEY = 1, VALUE = 2 };                                     /* KeyValue */
enum { STRING = 1, BOOL = 2, INT = 3, DOUBLE = 4, BYTES = 7 };   /* AnyValue */
enum { EVENT_TIME = 1, EVENT_NAME = 2, EVENT_ATTRIBUTES = 3 };   /* Span.Event */
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
/* The same of an attribute (tags, lengths, a number), an event and a link. */
#define ATTRIBUTE_FIXED_MAX 48
#define EVENT_FIXED_MAX     32
#define LINK_FIXED_MAX      48

static size_t key_length(struct tel__encoder *encoder, const char *key)
{
    size_t slot = ((uintptr_t)key ^ (uintptr_t)key >> 8) % TEL__ENCODE_KEYS;
    if (encoder->keys[slot].key != key) {
        encoder->keys[slot].key = key;
        encoder->keys[slot].length = strlen(key);
    }
    return encoder->keys[slot].length;
}

/* ---- attributes ---------------------------------------------------------------------------- */

static size_t value_size(const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        return tel__wire_bytes_size(attribute->value.string.length);
    case TEL_VALUE_BOOL:
        return 2;
    case TEL_VALUE_INT:
        return tel__wire_uint_size((uint64_t)attribute->value.integer);
    case TEL_VALUE_DOUBLE:
        return TEL__WIRE_DOUBLE_SIZE;
    }
    return 0;
}

/* The fields of an AnyValue. A string that is not UTF-8 goes as bytes: as a string it would make
 * the receiver refuse the whole request. */
static uint8_t *put_value(uint8_t *at, const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING: {
        const char *data = attribute->value.string.data;
        size_t length = attribute->value.string.length;
        return tel__wire_put_bytes(at, tel__utf8_is_valid(data, length) ? STRING : BYTES, data,
                                   length);
    }
    case TEL_VALUE_BOOL:
        return tel__wire_put_uint(at, BOOL, attribute->value.boolean);
    case TEL_VALUE_INT:
        return tel__wire_put_uint(at, INT, (uint64_t)attribute->value.integer);
    case TEL_VALUE_DOUBLE:
        return tel__wire_put_double(at, DOUBLE, attribute->value.real);
    }
    return at;
}

/* Appends a KeyValue as `field`. */
static void append_attribute(struct tel_buffer *out, unsigned field, size_t key_bytes,
                             const struct tel_attribute *attribute)
{
    size_t value_bytes = value_size(attribute);
    size_t length = tel__wire_bytes_size(key_bytes) + tel__wire_bytes_size(value_bytes);
    uint8_t *at = tel__wire_room(out, length + ATTRIBUTE_FIXED_MAX);
    if (at == NULL) {
        return;
    }
    at = tel__wire_put_length(at, field, length);
    at = tel__wire_put_bytes(at, KEY, attribute->key, key_bytes);
    at = tel__wire_put_length(at, VALUE, value_bytes);
    tel__wire_end(out, put_value(at, attribute));
}

/* ---- spans --------------------------------------------------------------------------------- */

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
                       const struct tel__item *item, struct open_item *open)
{
    size_t name_length = key_length(encoder, item->attribute.key);
    open->start = tel__wire_open(out, SPAN_EVENTS);
    open->attributes_field = EVENT_ATTRIBUTES;
    uint8_t *at = tel__wire_room(out, name_length + EVENT_FIXED_MAX);
    if (at != NULL) {
        at = tel__wire_put_fixed64(at, EVENT_TIME, item->wall_ns);
        at = tel__wire_put_bytes(at, EVENT_NAME, item->attribute.key, name_length);
        tel__wire_end(out, at);
    }
}

static void open_link(struct tel_buffer *out, const struct tel__item *item, struct open_item *open)
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
    struct tel__item item;
    struct open_item open = {0};
    size_t position = 0;
    while (tel__item_next(record, &position, &item)) {
        if (item.what == TEL__ITEM_NESTED) {
            if (open.start != 0) {
                append_attribute(out, open.attributes_field,
                                 key_length(encoder, item.attribute.key), &item.attribute);
            }
            continue;
        }
        close_item(out, &open);
        if (item.what == TEL__ITEM_ATTRIBUTE) {
            append_attribute(out, SPAN_ATTRIBUTES, key_length(encoder, item.attribute.key),
                             &item.attribute);
        } else if (item.what == TEL__ITEM_EVENT) {
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

int tel__encode_span(struct tel__encoder *encoder, const struct tel__span_record *record,
                     struct tel_buffer *spans)
{
    size_t before = spans->length;
    size_t start = tel__wire_open(spans, SCOPE_SPAN);
    append_fixed(record, spans);
    tel__wire_append_text(spans, SPAN_NAME, record->bytes, record->name_length);
    append_items(encoder, record, spans);
    tel__wire_close(spans, start);
    int error = spans->error;
    if (error != 0) {
        spans->length = before;
        spans->error = 0;
    }
    return error;
}

/* ---- what is alike ------------------------------------------------------------------------- */

/* Resource values are text; the one that the conventions make a number goes out as one. */
static bool parse_number(const struct tel_resource_attribute *attribute, int64_t *number)
{
    if (strcmp(attribute->key, "process.pid") != 0) {
        return false;
    }
    size_t length = strspn(attribute->value, "0123456789");
    if (length == 0 || length > 18 || attribute->value[length] != '\0') {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        *number = *number * 10 + (attribute->value[i] - '0');
    }
    return true;
}

static void append_resource(struct tel_buffer *out, const struct tel_resource *resource)
{
    size_t start = tel__wire_open(out, RESOURCE);
    for (size_t i = 0; i < tel_resource_count(resource); i++) {
        const struct tel_resource_attribute given = tel_resource_at(resource, i);
        if (!tel__utf8_is_valid(given.key, strlen(given.key))) {
            continue; /* a key has no other form than text */
        }
        struct tel_attribute attribute = {.key = given.key, .type = TEL_VALUE_STRING};
        if (parse_number(&given, &attribute.value.integer)) {
            attribute.type = TEL_VALUE_INT;
        } else {
            attribute.value.string.data = given.value;
            attribute.value.string.length = strlen(given.value);
        }
        append_attribute(out, RESOURCE_ATTRIBUTES, strlen(given.key), &attribute);
    }
    tel__wire_close(out, start);
    tel__wire_append_text(out, RESOURCE_SCHEMA_URL, TEL__SCHEMA_URL, strlen(TEL__SCHEMA_URL));
}

static void append_scope(struct tel_buffer *out, const char *name, const char *version)
{
    size_t start = tel__wire_open(out, SCOPE);
    if (name != NULL) {
        tel__wire_append_text(out, SCOPE_NAME, name, strlen(name));
    }
    if (version != NULL) {
        tel__wire_append_text(out, SCOPE_VERSION, version, strlen(version));
    }
    tel__wire_close(out, start);
    tel__wire_append_text(out, SCOPE_SCHEMA_URL, TEL__SCHEMA_URL, strlen(TEL__SCHEMA_URL));
}

int tel__encoder_init(struct tel__encoder *encoder, const struct tel_resource *resource,
                      const char *scope_name, const char *scope_version)
{
    *encoder = (struct tel__encoder){0};
    tel_buffer_init(&encoder->resource, TEL__ENCODE_HEAD_MAX);
    tel_buffer_init(&encoder->scope, TEL__ENCODE_HEAD_MAX);
    append_resource(&encoder->resource, resource);
    append_scope(&encoder->scope, scope_name, scope_version);
    int error = encoder->resource.error != 0 ? encoder->resource.error : encoder->scope.error;
    if (error != 0) {
        tel__encoder_fini(encoder);
    }
    return error;
}

void tel__encoder_fini(struct tel__encoder *encoder)
{
    tel_buffer_fini(&encoder->resource);
    tel_buffer_fini(&encoder->scope);
}

int tel__encode_head(const struct tel__encoder *encoder, size_t spans_length,
                     struct tel_buffer *head)
{
    size_t scope_spans = encoder->scope.length + spans_length;
    size_t resource_spans = encoder->resource.length + tel__wire_bytes_size(scope_spans);
    tel_buffer_clear(head);
    uint8_t *at = tel__wire_room(head, resource_spans - spans_length + 2 * TEL__WIRE_VARINT_MAX);
    if (at == NULL) {
        return head->error;
    }
    at = tel__wire_put_length(at, RESOURCE_SPANS, resource_spans);
    at = tel__wire_put_raw(at, encoder->resource.data, encoder->resource.length);
    at = tel__wire_put_length(at, SCOPE_SPANS, scope_spans);
    at = tel__wire_put_raw(at, encoder->scope.data, encoder->scope.length);
    tel__wire_end(head, at);
    return 0;
}
