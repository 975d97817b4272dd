/*
 * The parts of the wire format that are not worth inlining. The reader trusts nothing: each length
 * is checked against what is left before a byte of it is looked at.
 */
#include "base/wire.h"

#include "base/text.h"

#define FIELD_NUMBER_MAX 536870911u /* 2^29 - 1 */

void tel__wire_append_uint(struct tel_buffer *buffer, unsigned field, uint64_t value)
{
    uint8_t *at = tel__wire_room(buffer, TEL__WIRE_HEAD_MAX);
    if (at != NULL) {
        tel__wire_end(buffer, tel__wire_put_uint(at, field, value));
    }
}

void tel__wire_append_double(struct tel_buffer *buffer, unsigned field, double value)
{
    uint8_t *at = tel__wire_room(buffer, TEL__WIRE_HEAD_MAX);
    if (at != NULL) {
        tel__wire_end(buffer, tel__wire_put_double(at, field, value));
    }
}

void tel__wire_append_bytes(struct tel_buffer *buffer, unsigned field, const void *bytes,
                            size_t length)
{
    uint8_t *at = tel__wire_room(buffer, TEL__WIRE_HEAD_MAX + length);
    if (at != NULL) {
        tel__wire_end(buffer, tel__wire_put_bytes(at, field, bytes, length));
    }
}

void tel__wire_append_text(struct tel_buffer *buffer, unsigned field, const char *text,
                           size_t length)
{
    uint8_t *at = length > 0 ? tel__wire_room(buffer, TEL__WIRE_HEAD_MAX + length) : NULL;
    if (at == NULL) {
        return;
    }
    at = tel__wire_put_bytes(at, field, text, length);
    if (!tel__utf8_is_valid(text, length)) {
        for (uint8_t *byte = at - length; byte < at; byte++) {
            if (*byte > 0x7f) {
                *byte = '?';
            }
        }
    }
    tel__wire_end(buffer, at);
}

size_t tel__wire_open(struct tel_buffer *buffer, unsigned field)
{
    uint8_t *at = tel__wire_room(buffer, TEL__WIRE_TAG_MAX + 1);
    if (at == NULL) {
        return 0;
    }
    if (field != 0) {
        at = tel__wire_put_tag(at, field, TEL__WIRE_BYTES);
    }
    tel__wire_end(buffer, at + 1); /* one byte for the length, patched by close */
    return buffer->length;
}

void tel__wire_close(struct tel_buffer *buffer, size_t start)
{
    if (buffer->error != 0) {
        return;
    }
    size_t length = buffer->length - start;
    size_t more = tel__wire_varint_size(length) - 1;
    if (more > 0) {
        if (tel__wire_room(buffer, more) == NULL) {
            return;
        }
        memmove(buffer->data + start + more, buffer->data + start, length);
        buffer->length += more;
    }
    tel__wire_put_varint((uint8_t *)buffer->data + start - 1, length);
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_varint(struct tel__wire_reader *reader, uint64_t *value)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1) {
            return false; /* more than 64 bits */
        }
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = sum;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct tel__wire_reader *reader, size_t size, uint64_t *value)
{
    if ((size_t)(reader->end - reader->at) < size) {
        return false;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum |= (uint64_t)reader->at[i] << (8 * i);
    }
    reader->at += size;
    *value = sum;
    return true;
}

static bool read_bytes(struct tel__wire_reader *reader, struct tel__wire_field *field)
{
    uint64_t length;
    if (!read_varint(reader, &length) || length > (size_t)(reader->end - reader->at)) {
        return false;
    }
    field->bytes = reader->at;
    field->length = (size_t)length;
    reader->at += length;
    return true;
}

static bool read_value(struct tel__wire_reader *reader, struct tel__wire_field *field)
{
    switch (field->type) {
    case TEL__WIRE_VARINT:
        return read_varint(reader, &field->value);
    case TEL__WIRE_FIXED64:
        return read_fixed(reader, 8, &field->value);
    case TEL__WIRE_FIXED32:
        return read_fixed(reader, 4, &field->value);
    case TEL__WIRE_BYTES:
        return read_bytes(reader, field);
    }
    return false;
}

bool tel__wire_next(struct tel__wire_reader *reader, struct tel__wire_field *field)
{
    if (reader->bad || reader->at >= reader->end) {
        return false;
    }
    uint64_t tag;
    *field = (struct tel__wire_field){0};
    if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX) {
        reader->bad = true;
        return false;
    }
    field->number = (unsigned)(tag >> 3);
    field->type = (enum tel__wire_type)(tag & 7);
    reader->bad = !read_value(reader, field);
    return !reader->bad;
}
