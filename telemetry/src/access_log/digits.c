/*
 * Two tables, of all pairs of decimal and of hexadecimal digits, each one string literal. A pair is
 * two bytes at twice its value.
 */
#include "access_log/digits.h"

#include <string.h>

#define TENS(tens) \
    tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"
#define SIXTEENS(high) TENS(high) high "a" high "b" high "c" high "d" high "e" high "f"

static const char decimal[] = TENS("0") TENS("1") TENS("2") TENS("3") TENS("4") TENS("5") TENS("6")
    TENS("7") TENS("8") TENS("9");

static const char hexadecimal[] = SIXTEENS("0") SIXTEENS("1") SIXTEENS("2") SIXTEENS("3")
    SIXTEENS("4") SIXTEENS("5") SIXTEENS("6") SIXTEENS("7") SIXTEENS("8") SIXTEENS("9")
        SIXTEENS("a") SIXTEENS("b") SIXTEENS("c") SIXTEENS("d") SIXTEENS("e") SIXTEENS("f");

_Static_assert(sizeof(decimal) == 2 * 100 + 1, "all pairs of decimal digits");
_Static_assert(sizeof(hexadecimal) == 2 * 256 + 1, "all pairs of hexadecimal digits");

/* At most ten deep: a pair a level. */
char *tel__digits_u64(char *to, uint64_t value)
{
    if (value < 10) {
        *to = (char)('0' + value);
        return to + 1;
    }
    if (value >= 100) {
        to = tel__digits_u64(to, value / 100);
        value %= 100;
    }
    memcpy(to, decimal + 2 * value, 2);
    return to + 2;
}

char *tel__digits_six(char *to, uint64_t value)
{
    memcpy(to + 4, decimal + 2 * (value % 100), 2);
    memcpy(to + 2, decimal + 2 * (value / 100 % 100), 2);
    memcpy(to, decimal + 2 * (value / 10000 % 100), 2);
    return to + 6;
}

char *tel__digits_hex(char *to, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        memcpy(to + 2 * i, hexadecimal + 2 * (size_t)bytes[i], 2);
    }
    return to + 2 * length;
}

char *tel__digits_ipv4(char *to, const uint8_t *bytes)
{
    to = tel__digits_u64(to, bytes[0]);
    for (size_t i = 1; i < 4; i++) {
        *to++ = '.';
        to = tel__digits_u64(to, bytes[i]);
    }
    return to;
}
