/*
 * Digits: what printf would print, for every pair of digits and at every change of length.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digits.h"

/* Memory of exactly the size that a function may need, so that a sanitizer sees one byte more. */
static char *room(size_t size)
{
    char *memory = malloc(size);
    assert_non_null(memory);
    return memory;
}

static void assert_u64(uint64_t value)
{
    char expected[TEL__U64_DIGITS + 1];
    int length = snprintf(expected, sizeof(expected), "%" PRIu64, value);
    assert_int_equal(tel__digits_count(value), length);
    char *to = room((size_t)length);
    assert_ptr_equal(tel__digits_u64(to, value), to + length);
    assert_memory_equal(to, expected, (size_t)length);
    free(to);
}

static void test_u64(void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= 20000; value++) {
        assert_u64(value);
    }
    for (uint64_t power = 10; power <= UINT64_MAX / 10; power *= 10) {
        assert_u64(power - 1);
        assert_u64(power);
        assert_u64(power + 1);
        assert_u64(9 * power + 7);
    }
    assert_u64(10000000000000000000u - 1);
    assert_u64(10000000000000000000u);
    assert_u64(UINT64_MAX);
}

/* Leading zeros are kept, and what is above two or six digits is not printed. */
static void test_fixed_width(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *expected;
    } cases[] = {
        {0, "000000"},       {1, "000001"},       {10, "000010"},
        {999, "000999"},     {10203, "010203"},   {999999, "999999"},
        {1000000, "000000"}, {1234567, "234567"}, {UINT64_MAX, "551615"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *to = room(6);
        assert_ptr_equal(tel__digits_six(to, cases[i].value), to + 6);
        assert_memory_equal(to, cases[i].expected, 6);
        assert_ptr_equal(tel__digits_two(to, cases[i].value), to + 2);
        assert_memory_equal(to, cases[i].expected + 4, 2);
        free(to);
    }
}

/* Each byte at each place, against inet_ntop. */
static void test_ipv4(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * (UINT8_MAX + 1); i++) {
        uint8_t bytes[4] = {203, 0, 113, 7};
        char expected[INET_ADDRSTRLEN];
        bytes[i % 4] = (uint8_t)(i / 4);
        assert_non_null(inet_ntop(AF_INET, bytes, expected, sizeof(expected)));
        size_t length = strlen(expected);
        assert_true(length <= TEL__IPV4_DIGITS);
        char *to = room(length);
        assert_ptr_equal(tel__digits_ipv4(to, bytes), to + length);
        assert_memory_equal(to, expected, length);
        free(to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_fixed_width),
        cmocka_unit_test(test_ipv4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
