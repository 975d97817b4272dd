/*
 * Decimal digits by hand: two at a time from a table, written from the back.
 */
#include "metrics/number.h"

static const uint64_t powers_of_ten[] = {
    1ull,
    10ull,
    100ull,
    1000ull,
    10000ull,
    100000ull,
    1000000ull,
    10000000ull,
    100000000ull,
    1000000000ull,
    10000000000ull,
    100000000000ull,
    1000000000000ull,
    10000000000000ull,
    100000000000000ull,
    1000000000000000ull,
    10000000000000000ull,
    100000000000000000ull,
    1000000000000000000ull,
};
#define POWERS (int)(sizeof(powers_of_ten) / sizeof(powers_of_ten[0]))

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

char *tel__put_u64(char *at, uint64_t value)
{
    char digits[20];
    char *first = digits + sizeof(digits);
    while (value >= 100) {
        first -= 2;
        memcpy(first, &pairs[value % 100 * 2], 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(first, &pairs[value * 2], 2);
    } else {
        *--first = (char)('0' + value);
    }
    return tel__put(at, first, (size_t)(digits + sizeof(digits) - first));
}

char *tel__put_scaled(char *at, uint64_t value, unsigned decimals)
{
    uint64_t fraction = value % powers_of_ten[decimals];
    at = tel__put_u64(at, value / powers_of_ten[decimals]);
    if (fraction == 0) {
        return at;
    }
    while (fraction % 10 == 0) {
        fraction /= 10;
        decimals--;
    }
    *at = '.';
    for (unsigned place = decimals; place > 0; place--) {
        at[place] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    return at + 1 + decimals;
}

/* d.ddde-07: for what %g of six digits would not write out. */
static char *put_exponential(char *at, const char *digits, size_t count, int exponent)
{
    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        at = tel__put(at, digits + 1, count - 1);
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    return tel__put(at, &pairs[magnitude % 100 * 2], 2);
}

char *tel__put_le(char *at, uint64_t bound_ns)
{
    char digits[20];
    size_t count = (size_t)(tel__put_u64(digits, bound_ns) - digits);
    int exponent = (int)count - 1 - 9; /* of the first digit, in seconds */
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    if (bound_ns != 0 && (exponent < -4 || exponent >= 6)) {
        return put_exponential(at, digits, count, exponent);
    }
    at = tel__put_scaled(at, bound_ns, 9);
    if (bound_ns % powers_of_ten[9] == 0) {
        at = tel__put(at, ".0", 2);
    }
    return at;
}

int tel__decimals_of(uint64_t divisor)
{
    for (int i = 0; i < POWERS; i++) {
        if (powers_of_ten[i] == divisor) {
            return i;
        }
    }
    return -1;
}

double tel__number_to_double(const struct tel__number *number)
{
    switch (number->kind) {
    case TEL__UNSIGNED:
        return (double)number->integer / (double)number->divisor;
    case TEL__SIGNED:
        return (double)(int64_t)number->integer / (double)number->divisor;
    case TEL__REAL:
        break;
    }
    return number->real;
}

void tel__number_append(struct tel_buffer *out, const struct tel__number *number)
{
    if (number->kind == TEL__REAL || number->decimals < 0) {
        tel_buffer_append_double(out, tel__number_to_double(number));
        return;
    }
    char text[TEL__NUMBER_MAX];
    char *at = text;
    uint64_t magnitude = number->integer;
    if (number->kind == TEL__SIGNED && (int64_t)magnitude < 0) {
        *at++ = '-';
        magnitude = 0 - magnitude;
    }
    at = tel__put_scaled(at, magnitude, (unsigned)number->decimals);
    tel_buffer_append(out, text, (size_t)(at - text));
}
