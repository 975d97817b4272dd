/*
 * A byte buffer with a ceiling and a sticky error.
 *
 * What it is for: building what goes out (an exposition, a log line, an OTLP body, an HTTP
 * response) out of many small appends without looking at each one's result.
 *
 * How it works: memory grows by doubling up to `limit`. The first append that cannot be served
 * sets `error` (-ENOMEM when the allocator refused, -EMSGSIZE at the limit); from then on every
 * append is a no-op, so the content is always a prefix of what was meant and never has a hole.
 * Look at `error` once, at the end.
 *
 * Threads: none; a buffer has one owner.
 * Memory: the caller's struct; the bytes belong to the buffer until tel_buffer_fini() or
 * tel_buffer_take(). tel_buffer_clear() keeps the memory, so a reused buffer stops allocating.
 *
 *     struct tel_buffer out;
 *     tel_buffer_init(&out, 64 * 1024);
 *     tel_buffer_append_string(&out, "answer ");
 *     tel_buffer_append_u64(&out, 42);
 *     if (out.error == 0) { write(1, out.data, out.length); }
 *     tel_buffer_fini(&out);
 */
#ifndef TELEMETRY_BUFFER_H
#define TELEMETRY_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the caller's memory; read its members, change them through the functions. */
struct tel_buffer {
    char *data;      /* the bytes; NULL while nothing was appended; not NUL-terminated */
    size_t length;   /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* ceiling of `length`, in bytes */
    int error;       /* 0, or the first error: -ENOMEM or -EMSGSIZE */
};

/* Makes an empty buffer that may grow to `limit_bytes`. Cannot fail; allocates nothing. */
void tel_buffer_init(struct tel_buffer *buffer, size_t limit_bytes);

/* Frees the bytes. The buffer is empty afterwards and may be used again. */
void tel_buffer_fini(struct tel_buffer *buffer);

/* Forgets content and error, keeps the memory. */
void tel_buffer_clear(struct tel_buffer *buffer);

/* Returns room for `length` bytes at the end and counts them as used, or NULL with `error` set.
 * The pointer is valid until the next append. */
char *tel_buffer_extend(struct tel_buffer *buffer, size_t length);

/* Makes room for `length` more bytes without using them, so that the appends that follow cannot
 * fail. Returns 0, or sets and returns the error. */
int tel_buffer_reserve(struct tel_buffer *buffer, size_t length);

/* Append `length` bytes, a string without its NUL, one byte. What does not fit sets `error`. */
void tel_buffer_append(struct tel_buffer *buffer, const void *bytes, size_t length);
void tel_buffer_append_string(struct tel_buffer *buffer, const char *string);
void tel_buffer_append_char(struct tel_buffer *buffer, char byte);

/* Decimal, without padding. */
void tel_buffer_append_u64(struct tel_buffer *buffer, uint64_t value);
void tel_buffer_append_i64(struct tel_buffer *buffer, int64_t value);

/* The shortest decimal that reads back as the same double; `NaN`, `+Inf`, `-Inf` as Prometheus
 * spells them. Independent of the locale. */
void tel_buffer_append_double(struct tel_buffer *buffer, double value);

/* `numerator` / 10^`digits` in fixed point with exactly `digits` (0..18) decimals: (1234567, 6)
 * gives `1.234567`. */
void tel_buffer_append_fixed(struct tel_buffer *buffer, uint64_t numerator, unsigned digits);

/* Two lowercase hex digits a byte. */
void tel_buffer_append_hex(struct tel_buffer *buffer, const uint8_t *bytes, size_t length);

/* The bytes as a JSON string, quotes included: control characters, `"` and `\\` escaped, what is not
 * UTF-8 replaced by U+FFFD. */
void tel_buffer_append_json(struct tel_buffer *buffer, const char *bytes, size_t length);

/* A time since the Unix epoch as RFC 3339 has it, in UTC, with `digits` (1..9) decimals cut, not
 * rounded: `2025-01-02T03:04:05.678Z`. Not for hot paths. */
void tel_buffer_append_time(struct tel_buffer *buffer, uint64_t wall_ns, unsigned digits);

/* printf into the buffer. Not for hot paths. */
void tel_buffer_append_format(struct tel_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Moves the bytes to the caller, who frees them with free(3); the buffer is empty afterwards.
 * Returns NULL when it was empty. `length` may be NULL. */
char *tel_buffer_take(struct tel_buffer *buffer, size_t *length);

#ifdef __cplusplus
}
#endif

#endif
