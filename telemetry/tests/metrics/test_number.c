/*
 * Numbers digit by digit: nothing is rounded that is kept as an integer.
 */
#include <math.h>
#include <stdio.h>

#include "expose.h"
#include "metrics/number.h"

#define MAX UINT64_MAX

static void test_scaled_is_exact_and_trimmed(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        unsigned decimals;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 9, "0"},
        {7, 0, "7"},
        {1500, 3, "1.5"},
        {1000, 3, "1"},
        {1001, 3, "1.001"},
        {1, 9, "0.000000001"},
        {10, 9, "0.00000001"},
        {999999999, 9, "0.999999999"},
        {1234567890123456789ull, 9, "1234567890.123456789"},
        {MAX, 9, "18446744073.709551615"},
        {MAX, 18, "18.446744073709551615"},
        {MAX, 0, "18446744073709551615"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[TEL__NUMBER_MAX + 1];
        char *end = tel__put_scaled(text, cases[i].value, cases[i].decimals);
        assert_true(end - text <= TEL__NUMBER_MAX);
        *end = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

/* As Prometheus itself writes `le`: %g of the shortest digits, `.0` when nothing says float. */
static void test_bucket_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {1, "1e-09"},
        {1000, "1e-06"},
        {1500, "1.5e-06"},
        {50000, "5e-05"},
        {99999, "9.9999e-05"},
        {100000, "0.0001"},
        {250000, "0.00025"},
        {5000000, "0.005"},
        {75000000, "0.075"},
        {500000000, "0.5"},
        {1000000000, "1.0"},
        {2500000000, "2.5"},
        {10000000000, "10.0"},
        {999999000000000, "999999.0"},
        {999999500000000, "999999.5"},
        {1000000000000000, "1e+06"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[TEL__NUMBER_MAX + 1];
        *tel__put_le(text, cases[i].ns) = '\0';
        assert_string_equal(text, cases[i].text);
        assert_true(strtod(text, NULL) == (double)cases[i].ns / 1e9);
    }
}

static void test_decimals_of_a_divisor(void **state)
{
    (void)state;
    assert_int_equal(tel__decimals_of(1), 0);
    assert_int_equal(tel__decimals_of(10), 1);
    assert_int_equal(tel__decimals_of(1000000000), 9);
    assert_int_equal(tel__decimals_of(1000000000000000000ull), 18);
    assert_int_equal(tel__decimals_of(10000000000000000000ull), -1);
    assert_int_equal(tel__decimals_of(1024), -1);
    assert_int_equal(tel__decimals_of(0), -1);
}

static void test_numbers_are_appended_as_their_kind_says(void **state)
{
    (void)state;
    static const struct {
        struct tel__number number;
        const char *text;
        double real;
    } cases[] = {
        {{TEL__UNSIGNED, 0, 1, MAX, 0}, "18446744073709551615", 18446744073709551615.0},
        {{TEL__UNSIGNED, 3, 1000, 1500, 0}, "1.5", 1.5},
        {{TEL__UNSIGNED, -1, 1024, 1536, 0}, "1.5", 1.5},
        {{TEL__UNSIGNED, -1, 1024, 2048, 0}, "2", 2},
        {{TEL__SIGNED, 0, 1, (uint64_t)-3, 0}, "-3", -3},
        {{TEL__SIGNED, 3, 1000, (uint64_t)-500, 0}, "-0.5", -0.5},
        {{TEL__SIGNED, 0, 1, (uint64_t)INT64_MIN, 0},
         "-9223372036854775808",
         -9223372036854775808.0},
        {{TEL__SIGNED, -1, 4, (uint64_t)-6, 0}, "-1.5", -1.5},
        {{TEL__REAL, 0, 1, 0, 0.1}, "0.1", 0.1},
        {{TEL__REAL, 0, 1, 0, 42}, "42", 42},
        {{TEL__REAL, 0, 1, 0, HUGE_VAL}, "+Inf", HUGE_VAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_buffer out;
        tel_buffer_init(&out, 64);
        tel__number_append(&out, &cases[i].number);
        assert_int_equal(out.length, strlen(cases[i].text));
        assert_memory_equal(out.data, cases[i].text, out.length);
        assert_true(tel__number_to_double(&cases[i].number) == cases[i].real);
        tel_buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaled_is_exact_and_trimmed),
        cmocka_unit_test(test_bucket_bounds),
        cmocka_unit_test(test_decimals_of_a_divisor),
        cmocka_unit_test(test_numbers_are_appended_as_their_kind_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
