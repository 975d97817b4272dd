/*
 * The record is read twice: once for the span's own attributes, once for the events and links with
 * theirs, because JSON wants them apart and the record has them in the order they were added. This
 * is the console's format, for a terminal, so it is plain rather than quick.
 */
#include "otlp/span_json.h"

#include <math.h>
#include <string.h>

static const char *const kind_names[] = {"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT"};
static const char *const status_names[] = {"UNSET", "OK", "ERROR"};

#define NAME_OF(names, index) ((index) < sizeof(names) / sizeof((names)[0]) ? (names)[index] : "?")

static void append_key(struct tel_buffer *out, const char *key)
{
    tel_buffer_append_json(out, key, strlen(key));
    tel_buffer_append_char(out, ':');
}

static void append_text(struct tel_buffer *out, const char *key, const char *text)
{
    append_key(out, key);
    tel_buffer_append_json(out, text, strlen(text));
    tel_buffer_append_char(out, ',');
}

static void append_id(struct tel_buffer *out, const char *key, const uint8_t *id, size_t size)
{
    append_key(out, key);
    tel_buffer_append_char(out, '"');
    tel_buffer_append_hex(out, id, size);
    tel_buffer_append_string(out, "\",");
}

static void append_time(struct tel_buffer *out, const char *key, uint64_t wall_ns)
{
    append_key(out, key);
    tel_buffer_append_char(out, '"');
    tel_buffer_append_time(out, wall_ns, 6);
    tel_buffer_append_string(out, "\",");
}

static void append_value(struct tel_buffer *out, const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        tel_buffer_append_json(out, attribute->value.string.data, attribute->value.string.length);
        return;
    case TEL_VALUE_BOOL:
        tel_buffer_append_string(out, attribute->value.boolean ? "true" : "false");
        return;
    case TEL_VALUE_INT:
        tel_buffer_append_i64(out, attribute->value.integer);
        return;
    case TEL_VALUE_DOUBLE:
        if (isfinite(attribute->value.real)) {
            tel_buffer_append_double(out, attribute->value.real);
            return;
        }
        tel_buffer_append_char(out, '"'); /* JSON has no number for it */
        tel_buffer_append_double(out, attribute->value.real);
        tel_buffer_append_char(out, '"');
        return;
    }
    tel_buffer_append_string(out, "null");
}

static void append_attribute(struct tel_buffer *out, const struct tel_attribute *attribute,
                             bool *first)
{
    if (!*first) {
        tel_buffer_append_char(out, ',');
    }
    *first = false;
    append_key(out, attribute->key);
    append_value(out, attribute);
}

static void append_own_attributes(struct tel_buffer *out, const struct tel__span_record *record)
{
    struct tel_item item;
    size_t position = 0;
    bool first = true;
    append_key(out, "attributes");
    tel_buffer_append_char(out, '{');
    while (tel__item_next(record, &position, &item)) {
        if (item.what == TEL_ITEM_ATTRIBUTE) {
            append_attribute(out, &item.attribute, &first);
        }
    }
    tel_buffer_append_string(out, "},");
}

/* The beginning of an event or link, up to and with the brace of its attributes. */
static void append_opening(struct tel_buffer *out, const struct tel_item *item)
{
    tel_buffer_append_char(out, '{');
    if (item->what == TEL_ITEM_EVENT) {
        append_text(out, "name", item->attribute.key);
        append_time(out, "time", item->wall_ns);
    } else {
        append_id(out, "trace_id", item->trace_id, sizeof(item->trace_id));
        append_id(out, "span_id", item->span_id, sizeof(item->span_id));
    }
    append_key(out, "attributes");
    tel_buffer_append_char(out, '{');
}

/* The list of the items of one kind, each with the attributes that follow it. */
static void append_list(struct tel_buffer *out, const struct tel__span_record *record,
                        const char *key, enum tel_item_what what)
{
    struct tel_item item;
    size_t position = 0;
    bool any = false;
    bool inside = false;
    bool first = true;
    append_key(out, key);
    tel_buffer_append_char(out, '[');
    while (tel__item_next(record, &position, &item)) {
        if (item.what == TEL_ITEM_NESTED) {
            if (inside) {
                append_attribute(out, &item.attribute, &first);
            }
            continue;
        }
        if (inside) {
            tel_buffer_append_string(out, "}}");
        }
        inside = item.what == what;
        if (inside) {
            tel_buffer_append_string(out, any ? "," : "");
            append_opening(out, &item);
            any = first = true;
        }
    }
    tel_buffer_append_string(out, inside ? "}}]," : "],");
}

void tel__span_json_append(struct tel_buffer *out, const struct tel__span_record *record,
                           const char *service_name)
{
    uint64_t duration_ns = record->end_wall_ns > record->start_wall_ns
                               ? record->end_wall_ns - record->start_wall_ns
                               : 0;
    tel_buffer_append_char(out, '{');
    append_key(out, "name");
    tel_buffer_append_json(out, record->bytes, record->name_length);
    tel_buffer_append_char(out, ',');
    append_text(out, "kind", NAME_OF(kind_names, record->kind));
    append_id(out, "trace_id", record->trace_id, sizeof(record->trace_id));
    append_id(out, "span_id", record->span_id, sizeof(record->span_id));
    append_id(out, "parent_span_id", record->parent_span_id, record->has_parent ? 8 : 0);
    append_time(out, "start", record->start_wall_ns);
    append_time(out, "end", record->end_wall_ns);
    append_key(out, "duration_ms");
    tel_buffer_append_fixed(out, duration_ns, 6);
    tel_buffer_append_char(out, ',');
    append_text(out, "status", NAME_OF(status_names, record->status));
    append_own_attributes(out, record);
    append_list(out, record, "events", TEL_ITEM_EVENT);
    append_list(out, record, "links", TEL_ITEM_LINK);
    append_key(out, "resource");
    tel_buffer_append_char(out, '{');
    append_key(out, "service.name");
    tel_buffer_append_json(out, service_name, strlen(service_name));
    tel_buffer_append_string(out, "}}\n");
}
