/*
 * Numbers as text, for lines that are printed by the hundred thousand.
 *
 * How it works: two digits a step, looked up in a table. Nothing asks for room: the caller has made
 * it, and each function says how much it may need.
 *
 *     char text[TEL__U64_DIGITS];
 *     char *end = tel__digits_u64(text, 42);   // "42", end = text + 2
 *
 * Threads: pure functions. Failure: none. All return the end of what they wrote.
 */
#ifndef TEL_ACCESS_LOG_DIGITS_H
#define TEL_ACCESS_LOG_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define TEL__U64_DIGITS  20
#define TEL__IPV4_DIGITS 15 /* dots included */

/* Decimal without padding: 1 to TEL__U64_DIGITS bytes. */
char *tel__digits_u64(char *to, uint64_t value);

/* The last six decimal digits: six bytes. */
char *tel__digits_six(char *to, uint64_t value);

/* Two lowercase hex digits a byte. */
char *tel__digits_hex(char *to, const uint8_t *bytes, size_t length);

/* The four bytes in dotted decimal: 7 to TEL__IPV4_DIGITS bytes. */
char *tel__digits_ipv4(char *to, const uint8_t *bytes);

#endif
