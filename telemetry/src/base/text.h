/*
 * Small pure functions on text that several modules need: UTF-8, hex, percent-decoding, dates.
 */
#ifndef TEL_BASE_TEXT_H
#define TEL_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF). */
bool tel__utf8_is_valid(const char *bytes, size_t length);

/* The largest length up to `limit` at which the bytes may be cut without splitting a character. */
size_t tel__utf8_cut(const char *bytes, size_t length, size_t limit);

/* Decodes %XX in place; returns the new length, or -1 on a bad escape. */
long tel__percent_decode(char *bytes, size_t length);

/* The value of a hex digit, or -1; upper case only when `upper`. */
int tel__hex_digit(char digit, bool upper);

#endif
