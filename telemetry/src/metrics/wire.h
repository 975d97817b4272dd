/*
 * Protobuf on the wire: the few pieces that io.prometheus.client messages are made of.
 *
 * How it works: a nested message is opened, filled and closed. Its length is not known when it is
 * opened, so room for the longest is left, and closing moves the content up to the real length. The
 * messages are small: a scrape moves each byte two or three times.
 *
 *     tag [ 5 bytes ] content          open
 *     tag len content                  closed
 *
 * Threads and failure: as the buffer's. After an error everything is a no-op.
 * Source: protobuf.dev/programming-guides/encoding.
 */
#ifndef TEL_METRICS_WIRE_H
#define TEL_METRICS_WIRE_H

#include <stdint.h>
#include <string.h>

#include "metrics/number.h"
#include "telemetry/buffer.h"

#define TEL__WIRE_LENGTH_ROOM 5 /* bytes of the longest length: 2^35 */
#define TEL__WIRE_VARINT_MAX  10

enum tel__wire_type { TEL__WIRE_VARINT = 0, TEL__WIRE_FIXED64 = 1, TEL__WIRE_LENGTH = 2 };

static inline char *tel__put_varint(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}

/* Fields 1..15 have a tag of one byte; the one above is written with two. */
static inline char *tel__put_tag(char *at, unsigned field, enum tel__wire_type type)
{
    return tel__put_varint(at, field << 3 | type);
}

static inline char *tel__put_double(char *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    for (int i = 0; i < 8; i++) {
        *at++ = (char)(bits >> (8 * i));
    }
    return at;
}

/* Small negative numbers take few bytes: 0, -1, 1, -2 become 0, 1, 2, 3. */
static inline uint64_t tel__zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

/* Begins a length-delimited field; field 0 writes no tag (the length before a whole message).
 * Returns what tel__wire_close() wants. */
static inline size_t tel__wire_open(struct tel_buffer *out, unsigned field)
{
    char tag[TEL__WIRE_VARINT_MAX];
    if (field != 0) {
        tel_buffer_append(out, tag, (size_t)(tel__put_tag(tag, field, TEL__WIRE_LENGTH) - tag));
    }
    size_t at = out->length;
    tel_buffer_extend(out, TEL__WIRE_LENGTH_ROOM);
    return at;
}

static inline void tel__wire_close(struct tel_buffer *out, size_t at)
{
    if (out->error != 0) {
        return;
    }
    char *length_at = out->data + at;
    size_t length = out->length - at - TEL__WIRE_LENGTH_ROOM;
    char *content = tel__put_varint(length_at, length);
    memmove(content, length_at + TEL__WIRE_LENGTH_ROOM, length);
    out->length = (size_t)(content - out->data) + length;
}

static inline void tel__wire_bytes(struct tel_buffer *out, unsigned field, const char *bytes,
                                   size_t length)
{
    char head[2 * TEL__WIRE_VARINT_MAX];
    char *end = tel__put_varint(tel__put_tag(head, field, TEL__WIRE_LENGTH), length);
    tel_buffer_append(out, head, (size_t)(end - head));
    tel_buffer_append(out, bytes, length);
}

static inline void tel__wire_varint(struct tel_buffer *out, unsigned field, uint64_t value)
{
    char bytes[2 * TEL__WIRE_VARINT_MAX];
    char *end = tel__put_varint(tel__put_tag(bytes, field, TEL__WIRE_VARINT), value);
    tel_buffer_append(out, bytes, (size_t)(end - bytes));
}

static inline void tel__wire_double(struct tel_buffer *out, unsigned field, double value)
{
    char bytes[TEL__WIRE_VARINT_MAX + 8];
    char *end = tel__put_double(tel__put_tag(bytes, field, TEL__WIRE_FIXED64), value);
    tel_buffer_append(out, bytes, (size_t)(end - bytes));
}

#endif
