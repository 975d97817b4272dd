/*
 * Small pure functions on text that several modules need: UTF-8, hex, percent-decoding, dates.
 */
#ifndef TEL_BASE_TEXT_H
#define TEL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF). */
bool tel__utf8_is_valid(const char *bytes, size_t length);

/* The length of the well-formed UTF-8 character that the `length` (1 or more) bytes begin with; 0
 * when they begin with none. */
size_t tel__utf8_character(const char *bytes, size_t length);

/* The largest length up to `limit` at which the bytes may be cut without splitting a character. */
size_t tel__utf8_cut(const char *bytes, size_t length, size_t limit);

/* How many bytes at the start belong to a token: a header's name, a media type (RFC 9110 5.6.2). */
size_t tel__token_length(const char *bytes, size_t length);

/* Decodes %XX in place; returns the new length, or -1 on a bad escape. */
long tel__percent_decode(char *bytes, size_t length);

/* The value of a hex digit, or -1; upper case only when `upper`. */
int tel__hex_digit(char digit, bool upper);

/* The two lowercase digits of each byte. */
extern const char tel__hex_pairs[2 * 256 + 1];

/* For a loop whose rounds are shorter than what counts them. */
#if defined(__clang__)
#define TEL__UNROLL _Pragma("clang loop unroll_count(8)")
#else
#define TEL__UNROLL _Pragma("GCC unroll 8")
#endif

/* Writes two lowercase digits a byte; returns what follows them. */
static inline char *tel__hex_encode(char *out, const uint8_t *bytes, size_t count)
{
    TEL__UNROLL
    for (size_t i = 0; i < count; i++) {
        memcpy(out + 2 * i, tel__hex_pairs + 2 * bytes[i], 2);
    }
    return out + 2 * count;
}

/* memcpy(3) for texts, short as a rule. Where the compiler can tell that a length has a bound it puts
 * `rep movs` in place of the call, and that takes longer to start than the whole copy does. */
static inline void tel__copy(char *to, const char *from, size_t length)
{
    __asm__("" : "+r"(length)); /* any value, as far as the compiler knows */
    if (length > 0) {           /* `from` may be NULL then */
        memcpy(to, from, length);
    }
}

#endif
