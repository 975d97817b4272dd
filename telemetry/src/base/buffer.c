/*
 * The bounded byte buffer.
 *
 * Invariant: length <= capacity <= limit as it was when the memory was taken, and once `error` is
 * set nothing but clear and fini changes the content. Every append goes through
 * tel_buffer_extend(), so the ceiling and the sticky error are decided in one place.
 *
 * Numbers are formatted here rather than by printf(3) because an exposition is thousands of them,
 * and because printf asks the locale.
 */
#include "telemetry/buffer.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/text.h"

#define FIRST_CAPACITY   256
#define FIXED_DIGITS_MAX 18
#define DOUBLE_BYTES     64 /* %.17g, with room for a decimal point of several bytes */

void tel_buffer_init(struct tel_buffer *buffer, size_t limit_bytes)
{
    *buffer = (struct tel_buffer){.limit = limit_bytes};
}

void tel_buffer_fini(struct tel_buffer *buffer)
{
    free(buffer->data);
    tel_buffer_init(buffer, buffer->limit);
}

void tel_buffer_clear(struct tel_buffer *buffer)
{
    buffer->length = 0;
    buffer->error = 0;
}

/* Doubles, so that n appends cost O(n), but never beyond the ceiling. */
static int grow(struct tel_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buffer->capacity;
    while (capacity < needed) {
        capacity = capacity > buffer->limit / 2 ? buffer->limit : capacity * 2;
    }
    if (capacity > buffer->limit) {
        capacity = buffer->limit;
    }
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->error = -ENOMEM;
        return buffer->error;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

/* Out of line, so that an append that finds room, nearly each, stays short. */
__attribute__((noinline)) static int make_room(struct tel_buffer *buffer, size_t length)
{
    if (buffer->length > buffer->limit || length > buffer->limit - buffer->length) {
        buffer->error = -EMSGSIZE;
        return buffer->error;
    }
    return grow(buffer, buffer->length + length);
}

int tel_buffer_reserve(struct tel_buffer *buffer, size_t length)
{
    if (buffer->error != 0) {
        return buffer->error;
    }
    return length <= buffer->capacity - buffer->length ? 0 : make_room(buffer, length);
}

char *tel_buffer_extend(struct tel_buffer *buffer, size_t length)
{
    static char nothing[1];
    if (tel_buffer_reserve(buffer, length) != 0) {
        return NULL;
    }
    if (buffer->data == NULL) {
        return nothing; /* of length 0: valid to point at, never written */
    }
    char *room = buffer->data + buffer->length;
    buffer->length += length;
    return room;
}

void tel_buffer_append(struct tel_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0) {
        return; /* memcpy from NULL would be undefined even for no bytes */
    }
    char *room = tel_buffer_extend(buffer, length);
    if (room != NULL) {
        memcpy(room, bytes, length);
    }
}

void tel_buffer_append_string(struct tel_buffer *buffer, const char *string)
{
    tel_buffer_append(buffer, string, strlen(string));
}

void tel_buffer_append_char(struct tel_buffer *buffer, char byte)
{
    char *room = tel_buffer_extend(buffer, 1);
    if (room != NULL) {
        *room = byte;
    }
}

void tel_buffer_append_u64(struct tel_buffer *buffer, uint64_t value)
{
    char *room = tel_buffer_extend(buffer, tel__digits_count(value));
    if (room != NULL) {
        tel__digits_u64(room, value);
    }
}

void tel_buffer_append_i64(struct tel_buffer *buffer, int64_t value)
{
    /* Negated as unsigned: -INT64_MIN does not exist. */
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t sign = value < 0 ? 1 : 0;
    char *room = tel_buffer_extend(buffer, sign + tel__digits_count(magnitude));
    if (room != NULL) {
        room[0] = '-'; /* or a digit in its place */
        tel__digits_u64(room + sign, magnitude);
    }
}

/* What printf took for the decimal point is whatever the locale says, possibly several bytes; it is
 * the one run of bytes that is not part of a number in C's notation. */
static size_t replace_decimal_point(char *text)
{
    static const char number[] = "0123456789+-eE";
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (strchr(number, *from) != NULL) {
            *to++ = *from++;
            continue;
        }
        *to++ = '.';
        while (*from != '\0' && strchr(number, *from) == NULL) {
            from++;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* Up to 15 digits survive decimal -> double -> decimal, and %g prints no trailing zeros, so 15
 * digits that read back are the shortest there are; else 16 may do, and 17 always do. Subnormal
 * numbers have fewer bits: there every length has to be tried. */
static size_t format_shortest(char text[DOUBLE_BYTES], double value)
{
    for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, DOUBLE_BYTES, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    return replace_decimal_point(text);
}

void tel_buffer_append_double(struct tel_buffer *buffer, double value)
{
    static const double exact_integers = 9007199254740992.0; /* 2^53 */
    if (isnan(value)) {
        tel_buffer_append_string(buffer, "NaN");
    } else if (isinf(value)) {
        tel_buffer_append_string(buffer, value > 0 ? "+Inf" : "-Inf");
    } else if (fabs(value) < exact_integers && trunc(value) == value) {
        if (value == 0 && signbit(value)) {
            tel_buffer_append_char(buffer, '-');
        }
        tel_buffer_append_i64(buffer, (int64_t)value);
    } else {
        char text[DOUBLE_BYTES];
        tel_buffer_append(buffer, text, format_shortest(text, value));
    }
}

void tel_buffer_append_fixed(struct tel_buffer *buffer, uint64_t numerator, unsigned digits)
{
    char text[1 + FIXED_DIGITS_MAX];
    char *end = text + sizeof(text);
    char *first = end;
    for (unsigned i = 0; i < digits && i < FIXED_DIGITS_MAX; i++) {
        *--first = (char)('0' + numerator % 10);
        numerator /= 10;
    }
    if (digits > 0) {
        *--first = '.';
    }
    tel_buffer_append_u64(buffer, numerator);
    tel_buffer_append(buffer, first, (size_t)(end - first));
}

void tel_buffer_append_hex(struct tel_buffer *buffer, const uint8_t *bytes, size_t length)
{
    if (length > SIZE_MAX / 2) {
        buffer->error = buffer->error != 0 ? buffer->error : -EMSGSIZE;
        return;
    }
    char *room = tel_buffer_extend(buffer, length * 2);
    if (room != NULL) {
        tel__hex_encode(room, bytes, length);
    }
}

void tel_buffer_append_format(struct tel_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    /* vsnprintf ends with a NUL, which needs room but is not content; at the very ceiling there is
     * none, and the text then goes the long way round. */
    if (length > 0 && tel_buffer_reserve(buffer, (size_t)length) == 0) {
        if (buffer->capacity - buffer->length > (size_t)length) {
            vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
            buffer->length += (size_t)length;
        } else {
            char *text = NULL;
            if (vasprintf(&text, format, again) < 0) {
                buffer->error = -ENOMEM;
            } else {
                tel_buffer_append(buffer, text, (size_t)length);
                free(text);
            }
        }
    }
    va_end(again);
}

char *tel_buffer_take(struct tel_buffer *buffer, size_t *length)
{
    char *data = buffer->length > 0 ? buffer->data : NULL;
    if (length != NULL) {
        *length = data != NULL ? buffer->length : 0;
    }
    if (data == NULL) {
        free(buffer->data);
    }
    tel_buffer_init(buffer, buffer->limit);
    return data;
}
