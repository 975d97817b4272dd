/*
 * JSON as it grows: commas and quotes are put where they belong.
 *
 * How it works: every value has a key, which is NULL within an array; what comes after another value
 * gets a comma first. The buffer's error is sticky, so nobody looks before the end. Any bytes will do
 * for text: what is not UTF-8 becomes U+FFFD, control characters are escaped, so a document is always
 * one line.
 *
 *     struct writer json = writer_of(&out);
 *     writer_open(&json, NULL, '{');
 *     writer_u64(&json, "count", 3);
 *     writer_close(&json, '}');
 *
 * Threads: none shared.
 */
#ifndef GLASSBOX_PAGE_WRITER_H
#define GLASSBOX_PAGE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/buffer.h"

struct writer {
    struct tel_buffer *out;
    bool comma; /* the next value comes after another */
};

static inline struct writer writer_of(struct tel_buffer *out)
{
    return (struct writer){.out = out};
}

/* `{` or `[`, and `}` or `]`. */
void writer_open(struct writer *json, const char *key, char bracket);
void writer_close(struct writer *json, char bracket);

void writer_null(struct writer *json, const char *key);
void writer_bool(struct writer *json, const char *key, bool value);
void writer_u64(struct writer *json, const char *key, uint64_t value);
/* Nanoseconds as milliseconds with three decimals. */
void writer_ms(struct writer *json, const char *key, uint64_t ns);
void writer_double(struct writer *json, const char *key, double value);
/* Text of any bytes; NULL becomes null. */
void writer_text(struct writer *json, const char *key, const char *data, size_t length);
void writer_string(struct writer *json, const char *key, const char *string);
/* Bytes as a string of hex digits. */
void writer_hex(struct writer *json, const char *key, const uint8_t *bytes, size_t length);

/* For a value that the caller appends to json->out itself. */
void writer_value(struct writer *json, const char *key);

#endif
