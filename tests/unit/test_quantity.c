/*
 * Quantities: the grammar, and the two ends of 64 bits. How options use it: test_option_value.c.
 */
#include "quantity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct quantity_unit lengths[] = {{"km", 1000000}, {"m", 1000}, {"mm", 1}, {NULL, 0}};

static void test_digits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *rest; /* NULL: refused */
        uint64_t number;
    } rows[] = {
        {"0", "", 0},
        {"0012x", "x", 12},
        {"18446744073709551615", "", UINT64_MAX},
        {"18446744073709551616", NULL, 0},
        {"99999999999999999999999", NULL, 0},
        {"", NULL, 0},
        {"x", NULL, 0},
        {"-1", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t number;
        const char *rest = quantity_digits(rows[i].text, &number);
        assert_int_equal(rest == NULL, rows[i].rest == NULL);
        if (rest != NULL) {
            assert_string_equal(rest, rows[i].rest);
            assert_int_equal(number, rows[i].number);
        }
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        uint64_t mm;
    } rows[] = {
        {"0mm", 0, 0},
        {"5mm", 0, 5},
        {"5M", 0, 5000},
        {"1.5m", 0, 1500},
        {"0.001m", 0, 1},
        {"2.000000km", 0, 2000000},
        {"18446744073709551615mm", 0, UINT64_MAX},
        {"0.0001m", -ERANGE, 0}, /* a tenth of a millimetre */
        {"18446744073709551m", 0, 18446744073709551000u},
        {"18446744073709552m", -ERANGE, 0}, /* beyond 64 bits */
        {"18446744073709551.999m", -ERANGE, 0},
        {"5", -EINVAL, 0},
        {"5 m", -EINVAL, 0},
        {"5mmm", -EINVAL, 0},
        {"m", -EINVAL, 0},
        {".5m", -EINVAL, 0},
        {"1.m", -EINVAL, 0},
        {"1.0000000000m", -EINVAL, 0}, /* ten digits */
        {"1.2.3m", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t mm = 0;
        assert_int_equal(quantity_parse(lengths, rows[i].text, &mm), rows[i].result);
        if (rows[i].result == 0) {
            assert_int_equal(mm, rows[i].mm);
        }
    }
}

static void test_append(void **state)
{
    (void)state;
    static const struct {
        uint64_t mm;
        const char *text;
    } rows[] = {
        {0, "0km"},       {1, "1mm"},       {1000, "1m"},
        {1500, "1500mm"}, {3000000, "3km"}, {UINT64_MAX, "18446744073709551615mm"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tel_buffer out;
        tel_buffer_init(&out, 64);
        quantity_append(lengths, rows[i].mm, &out);
        tel_buffer_append_char(&out, '\0');
        assert_string_equal(out.data, rows[i].text);
        tel_buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
