/* A query parameter is a whole number in a range, given once; everything else is told apart. */
#include "query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 4711

static void test_numbers(void **state)
{
    static const struct {
        const char *query;
        enum query_result result;
        uint64_t value;
    } cases[] = {
        {NULL, QUERY_ABSENT, UNTOUCHED},
        {"", QUERY_ABSENT, UNTOUCHED},
        {"delay=0", QUERY_OK, 0},
        {"delay=1", QUERY_OK, 1},
        {"delay=1000", QUERY_OK, 1000},
        {"delay=00012", QUERY_OK, 12},
        {"a=1&delay=7&b=2", QUERY_OK, 7},
        {"delay=7&", QUERY_OK, 7},
        {"&&delay=7", QUERY_OK, 7},
        {"delay=1001", QUERY_BAD, UNTOUCHED},
        {"delay=18446744073709551616", QUERY_BAD, UNTOUCHED}, /* 2^64 */
        {"delay=99999999999999999999999", QUERY_BAD, UNTOUCHED},
        {"delay=", QUERY_BAD, UNTOUCHED},
        {"delay", QUERY_BAD, UNTOUCHED},
        {"delay=-1", QUERY_BAD, UNTOUCHED},
        {"delay=+1", QUERY_BAD, UNTOUCHED},
        {"delay=1.5", QUERY_BAD, UNTOUCHED},
        {"delay=1e2", QUERY_BAD, UNTOUCHED},
        {"delay= 1", QUERY_BAD, UNTOUCHED},
        {"delay=0x10", QUERY_BAD, UNTOUCHED},
        {"delay=1%30", QUERY_BAD, UNTOUCHED},
        {"delay=abc", QUERY_BAD, UNTOUCHED},
        {"delay=1=2", QUERY_BAD, UNTOUCHED},
        {"delay=1&delay=1", QUERY_REPEATED, UNTOUCHED},
        {"delay=1&x=2&delay=", QUERY_REPEATED, UNTOUCHED},
        {"Delay=1", QUERY_ABSENT, UNTOUCHED},
        {"delays=1", QUERY_ABSENT, UNTOUCHED},
        {"xdelay=1", QUERY_ABSENT, UNTOUCHED},
        {"=1", QUERY_ABSENT, UNTOUCHED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_slice query = {cases[i].query, cases[i].query ? strlen(cases[i].query) : 0};
        uint64_t value = UNTOUCHED;
        enum query_result result = query_number(query, "delay", 0, 1000, &value);
        if (result != cases[i].result || value != cases[i].value) {
            fail_msg("'%s': result %d, value %llu", cases[i].query, result,
                     (unsigned long long)value);
        }
    }
}

static void test_lower_bound(void **state)
{
    uint64_t value = UNTOUCHED;
    (void)state;
    assert_int_equal(query_number((struct http_slice){"n=4", 3}, "n", 5, 9, &value), QUERY_BAD);
    assert_int_equal(query_number((struct http_slice){"n=5", 3}, "n", 5, 9, &value), QUERY_OK);
    assert_int_equal(value, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lower_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
