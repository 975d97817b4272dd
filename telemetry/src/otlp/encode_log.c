/*
 * A log record as a field of ScopeLogs.
 */
#include "base/wire.h"
#include "logs/logger.h"
#include "otlp/encode.h"
#include "trace/item.h"

enum { /* LogRecord */
       LOG_TIME = 1,
       LOG_SEVERITY_NUMBER = 2,
       LOG_SEVERITY_TEXT = 3,
       LOG_BODY = 5,
       LOG_ATTRIBUTES = 6,
       LOG_DROPPED_ATTRIBUTES = 7,
       LOG_FLAGS = 8,
       LOG_TRACE_ID = 9,
       LOG_SPAN_ID = 10,
       LOG_OBSERVED_TIME = 11,
       LOG_EVENT_NAME = 12,
};

/* Bytes that times, severity, count, flags, ids and all tags take at most. */
#define LOG_FIXED_MAX 128

struct severity {
    const char *text;
    uint8_t length;
    uint8_t number;
};

static const struct severity severities[] = {
    [TEL_DEBUG] = {"DEBUG", 5, 5},
    [TEL_INFO_LEVEL] = {"INFO", 4, 9},
    [TEL_WARN] = {"WARN", 4, 13},
    [TEL_ERROR] = {"ERROR", 5, 17},
};

static uint8_t *put_severity(uint8_t *at, uint8_t value)
{
    if (value >= sizeof(severities) / sizeof(severities[0])) {
        return at; /* unspecified, as in proto3 */
    }
    const struct severity *severity = &severities[value];
    at = tel__wire_put_uint(at, LOG_SEVERITY_NUMBER, severity->number);
    return tel__wire_put_bytes(at, LOG_SEVERITY_TEXT, severity->text, severity->length);
}

static uint8_t *put_ids(uint8_t *at, const struct tel__log_record *record)
{
    if (!record->traced) {
        return at;
    }
    at = tel__wire_put_bytes(at, LOG_TRACE_ID, record->trace_id, sizeof(record->trace_id));
    at = tel__wire_put_bytes(at, LOG_SPAN_ID, record->span_id, sizeof(record->span_id));
    return tel__wire_put_fixed32(at, LOG_FLAGS, record->flags);
}

/* All but event name and attributes. */
static void append_fixed(const struct tel__log_record *record, struct tel_buffer *out)
{
    uint8_t *at = tel__wire_room(out, LOG_FIXED_MAX + record->body_length);
    if (at == NULL) {
        return;
    }
    at = tel__wire_put_fixed64(at, LOG_TIME, record->wall_ns);
    at = tel__wire_put_fixed64(at, LOG_OBSERVED_TIME, record->observed_wall_ns);
    at = put_severity(at, record->severity);
    at = put_ids(at, record);
    if (record->dropped_attributes != 0) {
        at = tel__wire_put_uint(at, LOG_DROPPED_ATTRIBUTES, record->dropped_attributes);
    }
    if (record->body_length > 0) {
        at = tel__wire_put_length(at, LOG_BODY, tel__encode_string_size(record->body_length));
        at = tel__encode_put_string(at, record->bytes, record->body_length);
    }
    tel__wire_end(out, at);
}

int tel__encode_log(struct tel__encoder *encoder, const void *opaque, struct tel_buffer *logs)
{
    const struct tel__log_record *record = opaque;
    const char *items = record->bytes + record->body_length;
    size_t before = logs->length;
    size_t start = tel__wire_open(logs, TEL__ENCODE_RECORD);
    size_t position = 0;
    struct tel_item item;
    append_fixed(record, logs);
    if (record->event_name != NULL) {
        tel__wire_append_text(logs, LOG_EVENT_NAME, record->event_name,
                              tel__encode_key(encoder, record->event_name)->length);
    }
    while (tel__items_step(items, record->items_length, &position, &item)) {
        tel__encode_attribute(encoder, logs, LOG_ATTRIBUTES, &item.attribute);
    }
    tel__wire_close(logs, start);
    return tel__encode_settle(logs, before);
}
