/*
 * Numbers as text, for what is printed by the hundred thousand: expositions and log lines.
 *
 * How it works: two digits a step, looked up in a table. Nothing asks for room: the caller has made
 * it, and each function says how much it may need.
 *
 *     char text[TEL__U64_DIGITS];
 *     char *end = tel__digits_u64(text, 42);   // "42", end = text + 2
 *
 * Threads: pure functions. Failure: none. All but count return the end of what they wrote.
 */
#ifndef TEL_BASE_DIGITS_H
#define TEL_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define TEL__U64_DIGITS    20
#define TEL__IPV4_DIGITS   15 /* dots included */
#define TEL__POWERS_OF_TEN 20 /* 10^0 to 10^19: those that 64 bits hold */

extern const uint64_t tel__powers_of_ten[TEL__POWERS_OF_TEN];

/* How many decimal digits the value has: 1 to TEL__U64_DIGITS. */
static inline size_t tel__digits_count(uint64_t value)
{
    /* 1233 / 4096 is log10(2), so this is one digit too many or just right. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    size_t most = (bits * 1233 >> 12) + 1;
    return most - ((value | 1) < tel__powers_of_ten[most - 1]);
}

/* Decimal without padding: tel__digits_count() bytes. */
char *tel__digits_u64(char *to, uint64_t value);

/* The last two and the last six decimal digits, with zeros in front. */
char *tel__digits_two(char *to, uint64_t value);
char *tel__digits_six(char *to, uint64_t value);

/* The four bytes in dotted decimal: 7 to TEL__IPV4_DIGITS bytes. */
char *tel__digits_ipv4(char *to, const uint8_t *bytes);

#endif
