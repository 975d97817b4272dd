/*
 * One table of all pairs of decimal digits, a string literal: a pair is two bytes at twice its
 * value.
 */
#include "base/digits.h"

#include <string.h>

#define TENS(tens) \
    tens "0" tens "1" tens "2" tens "3" tens "4" tens "5" tens "6" tens "7" tens "8" tens "9"

static const char pairs[] = TENS("0") TENS("1") TENS("2") TENS("3") TENS("4") TENS("5") TENS("6")
    TENS("7") TENS("8") TENS("9");

_Static_assert(sizeof(pairs) == 2 * 100 + 1, "all pairs of decimal digits");

const uint64_t tel__powers_of_ten[TEL__POWERS_OF_TEN] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

/* Backwards, as division gives the digits. */
char *tel__digits_u64(char *to, uint64_t value)
{
    char *end = to + tel__digits_count(value);
    char *at = end;
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        memcpy(at - 2, pairs + 2 * value, 2);
    } else {
        at[-1] = (char)('0' + value);
    }
    return end;
}

char *tel__digits_two(char *to, uint64_t value)
{
    memcpy(to, pairs + 2 * (value % 100), 2);
    return to + 2;
}

char *tel__digits_six(char *to, uint64_t value)
{
    to = tel__digits_two(to, value / 10000);
    to = tel__digits_two(to, value / 100);
    return tel__digits_two(to, value);
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
