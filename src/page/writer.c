/*
 * Numbers are finite and small enough for everybody's doubles: counts, and times in milliseconds.
 */
#include "page/writer.h"

#include <string.h>

#include "telemetry/clock.h"

void writer_value(struct writer *json, const char *key)
{
    if (json->comma) {
        tel_buffer_append_char(json->out, ',');
    }
    json->comma = true;
    if (key != NULL) {
        tel_buffer_append_json(json->out, key, strlen(key));
        tel_buffer_append_char(json->out, ':');
    }
}

void writer_open(struct writer *json, const char *key, char bracket)
{
    writer_value(json, key);
    tel_buffer_append_char(json->out, bracket);
    json->comma = false;
}

void writer_close(struct writer *json, char bracket)
{
    tel_buffer_append_char(json->out, bracket);
    json->comma = true;
}

void writer_null(struct writer *json, const char *key)
{
    writer_value(json, key);
    tel_buffer_append_string(json->out, "null");
}

void writer_bool(struct writer *json, const char *key, bool value)
{
    writer_value(json, key);
    tel_buffer_append_string(json->out, value ? "true" : "false");
}

void writer_u64(struct writer *json, const char *key, uint64_t value)
{
    writer_value(json, key);
    tel_buffer_append_u64(json->out, value);
}

void writer_ms(struct writer *json, const char *key, uint64_t ns)
{
    writer_value(json, key);
    tel_buffer_append_fixed(json->out, ns / TEL_NS_PER_US, 3);
}

void writer_double(struct writer *json, const char *key, double value)
{
    writer_value(json, key);
    tel_buffer_append_double(json->out, value);
}

void writer_text(struct writer *json, const char *key, const char *data, size_t length)
{
    if (data == NULL) {
        writer_null(json, key);
        return;
    }
    writer_value(json, key);
    tel_buffer_append_json(json->out, data, length);
}

void writer_string(struct writer *json, const char *key, const char *string)
{
    writer_text(json, key, string, string != NULL ? strlen(string) : 0);
}

void writer_hex(struct writer *json, const char *key, const uint8_t *bytes, size_t length)
{
    writer_value(json, key);
    tel_buffer_append_char(json->out, '"');
    tel_buffer_append_hex(json->out, bytes, length);
    tel_buffer_append_char(json->out, '"');
}
