/*
 * Digits around a decimal point; base/digits.h writes those of an integer.
 */
#include "metrics/number.h"

#include "base/digits.h"

#define DECIMALS_MAX 18

char *tel__put_scaled(char *at, uint64_t value, unsigned decimals)
{
    uint64_t fraction = value % tel__powers_of_ten[decimals];
    at = tel__digits_u64(at, value / tel__powers_of_ten[decimals]);
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
    return tel__digits_two(at, magnitude);
}

char *tel__put_le(char *at, uint64_t bound_ns)
{
    char digits[20];
    size_t count = (size_t)(tel__digits_u64(digits, bound_ns) - digits);
    int exponent = (int)count - 1 - 9; /* of the first digit, in seconds */
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    if (bound_ns != 0 && (exponent < -4 || exponent >= 6)) {
        return put_exponential(at, digits, count, exponent);
    }
    at = tel__put_scaled(at, bound_ns, 9);
    if (bound_ns % tel__powers_of_ten[9] == 0) {
        at = tel__put(at, ".0", 2);
    }
    return at;
}

int tel__decimals_of(uint64_t divisor)
{
    for (int i = 0; i <= DECIMALS_MAX; i++) {
        if (tel__powers_of_ten[i] == divisor) {
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
