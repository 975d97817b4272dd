/*
 * Protobuf's wire format, as far as the messages that go out and come in need it.
 *
 * How it works: the put functions write bytes at a pointer and return the pointer behind them, into
 * an array or into room that a buffer has, so a message of known size costs one check for room and
 * then plain stores. The append functions do the same for a single field and look after the room
 * themselves. A nested message whose size is not known beforehand is opened with a length of one
 * byte and closed by patching it; only one that grew over 127 bytes is moved by the few bytes that
 * its length then needs.
 *
 *     uint8_t *at = tel__wire_room(out, TEL__WIRE_HEAD_MAX + length);
 *     if (at != NULL) {
 *         at = tel__wire_put_bytes(at, 1, bytes, length);
 *         tel__wire_end(out, at);
 *     }
 *
 * Threads: none, as the buffer. Memory: the buffer's. Failure: tel__wire_room() returns NULL and
 * leaves the buffer's sticky error; append and close do nothing then. An append asks for the room
 * of its longest form, so it may find a buffer full some bytes before its ceiling.
 * Source: protobuf.dev, "Encoding".
 */
#ifndef TEL_BASE_WIRE_H
#define TEL_BASE_WIRE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "telemetry/buffer.h"

enum tel__wire_type {
    TEL__WIRE_VARINT = 0,
    TEL__WIRE_FIXED64 = 1,
    TEL__WIRE_BYTES = 2, /* strings, bytes, messages */
    TEL__WIRE_FIXED32 = 5,
};

#define TEL__WIRE_VARINT_MAX 10 /* bytes of the longest varint */
#define TEL__WIRE_TAG_MAX    2  /* bytes of a tag: field numbers up to 2047 */
#define TEL__WIRE_HEAD_MAX   (TEL__WIRE_TAG_MAX + TEL__WIRE_VARINT_MAX) /* tag and length, or value */

/* ---- sizes --------------------------------------------------------------------------------- */

static inline size_t tel__wire_varint_size(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* Bytes of a varint field with a field number below 16. */
static inline size_t tel__wire_uint_size(uint64_t value)
{
    return 1 + tel__wire_varint_size(value);
}

/* Bytes of a length-delimited field with a field number below 16. */
static inline size_t tel__wire_bytes_size(size_t length)
{
    return 1 + tel__wire_varint_size(length) + length;
}

/* Bytes of a double or fixed64 with a field number below 16. */
#define TEL__WIRE_DOUBLE_SIZE 9

/* How sint32 and sint64 go as varints: 0, -1, 1, -2 become 0, 1, 2, 3, so that small negative
 * numbers take few bytes. */
static inline uint64_t tel__wire_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

/* ---- putting at a pointer ------------------------------------------------------------------ */

static inline uint8_t *tel__wire_put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *tel__wire_put_tag(uint8_t *at, unsigned field, enum tel__wire_type type)
{
    return tel__wire_put_varint(at, field << 3 | (unsigned)type);
}

static inline uint8_t *tel__wire_put_uint(uint8_t *at, unsigned field, uint64_t value)
{
    return tel__wire_put_varint(tel__wire_put_tag(at, field, TEL__WIRE_VARINT), value);
}

static inline uint8_t *tel__wire_put_fixed64(uint8_t *at, unsigned field, uint64_t value)
{
    at = tel__wire_put_tag(at, field, TEL__WIRE_FIXED64);
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

static inline uint8_t *tel__wire_put_fixed32(uint8_t *at, unsigned field, uint32_t value)
{
    at = tel__wire_put_tag(at, field, TEL__WIRE_FIXED32);
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

static inline uint8_t *tel__wire_put_double(uint8_t *at, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return tel__wire_put_fixed64(at, field, bits);
}

/* Tag and length of a length-delimited field whose bytes follow. */
static inline uint8_t *tel__wire_put_length(uint8_t *at, unsigned field, size_t length)
{
    return tel__wire_put_varint(tel__wire_put_tag(at, field, TEL__WIRE_BYTES), length);
}

/* Bytes as they are: the content of a field, or whole fields that were encoded before. */
static inline uint8_t *tel__wire_put_raw(uint8_t *at, const void *bytes, size_t length)
{
    if (length > 0) { /* `bytes` may be NULL then */
        memcpy(at, bytes, length);
    }
    return at + length;
}

static inline uint8_t *tel__wire_put_bytes(uint8_t *at, unsigned field, const void *bytes,
                                           size_t length)
{
    return tel__wire_put_raw(tel__wire_put_length(at, field, length), bytes, length);
}

/* ---- into a buffer ------------------------------------------------------------------------- */

/* A place for at least `length` bytes at the buffer's end, or NULL with the buffer's error set. */
static inline uint8_t *tel__wire_room(struct tel_buffer *buffer, size_t length)
{
    if (buffer->error != 0 ||
        (buffer->capacity - buffer->length < length && tel_buffer_reserve(buffer, length) != 0)) {
        return NULL;
    }
    return (uint8_t *)buffer->data + buffer->length;
}

/* Counts as used what was put up to `end`. */
static inline void tel__wire_end(struct tel_buffer *buffer, const uint8_t *end)
{
    buffer->length = (size_t)(end - (const uint8_t *)buffer->data);
}

void tel__wire_append_uint(struct tel_buffer *buffer, unsigned field, uint64_t value);
void tel__wire_append_double(struct tel_buffer *buffer, unsigned field, double value);
void tel__wire_append_bytes(struct tel_buffer *buffer, unsigned field, const void *bytes,
                            size_t length);

/* Appends a string field; bytes that are not UTF-8 make every one above 0x7f a `?`: a receiver
 * refuses the whole request for a single bad string. Nothing is written for an empty string. */
void tel__wire_append_text(struct tel_buffer *buffer, unsigned field, const char *text,
                           size_t length);

/* Opens a nested message as `field` and returns where its content starts. Field 0 writes no tag:
 * a whole message behind its length, as in a stream of them. */
size_t tel__wire_open(struct tel_buffer *buffer, unsigned field);
/* Closes the message whose content starts at `start`. */
void tel__wire_close(struct tel_buffer *buffer, size_t start);

/* ---- reading ------------------------------------------------------------------------------- */

/* A cursor over a message. What it returns is borrowed from the bytes. */
struct tel__wire_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad; /* the bytes are not a protobuf message */
};

struct tel__wire_field {
    unsigned number;
    enum tel__wire_type type;
    uint64_t value;       /* of VARINT and fixed types */
    const uint8_t *bytes; /* of BYTES */
    size_t length;
};

static inline struct tel__wire_reader tel__wire_read(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    return (struct tel__wire_reader){.at = at, .end = length > 0 ? at + length : at};
}

/* Reads the next field. Returns false at the end, or with `bad` set. Groups, long dead, are bad. */
bool tel__wire_next(struct tel__wire_reader *reader, struct tel__wire_field *field);

#endif
