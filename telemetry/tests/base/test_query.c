/* Signatures do not reach spans and logs; everything else does, to the byte. */
#include "telemetry/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_queries(void **state)
{
    static const struct {
        const char *query;
        const char *expected; /* NULL: the query itself */
    } cases[] = {
        {"", NULL},
        {"delay=10", NULL},
        {"a&b&c", NULL},
        {"&&", NULL},
        {"sig", NULL},
        {"sig=", NULL}, /* no value, no secret */
        {"Sig=x", NULL},
        {"xsig=x", NULL},
        {"a=sig=x", NULL},
        {"sig=secret", "sig=REDACTED"},
        {"sig=secret&a=1", "sig=REDACTED&a=1"},
        {"a=1&sig=secret", "a=1&sig=REDACTED"},
        {"a=1&sig=s&&Signature=t&", "a=1&sig=REDACTED&&Signature=REDACTED&"},
        {"AWSAccessKeyId=AKIA&x", "AWSAccessKeyId=REDACTED&x"},
        {"X-Goog-Signature=00ff", "X-Goog-Signature=REDACTED"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[TEL_QUERY_REDACTED_MAX];
        const char *query = cases[i].query;
        size_t length = strlen(query);
        const char *result = tel_query_redact(query, &length, out);
        if (cases[i].expected == NULL) {
            assert_ptr_equal(result, query);
            assert_int_equal(length, strlen(query));
            continue;
        }
        assert_int_equal(length, strlen(cases[i].expected));
        assert_memory_equal(result, cases[i].expected, length);
    }
}

static void test_a_long_one_is_cut_not_leaked(void **state)
{
    char text[4096] = "sig=secret&";
    char out[TEL_QUERY_REDACTED_MAX];
    (void)state;
    memset(text + 11, 'a', sizeof(text) - 11);
    size_t length = sizeof(text);
    const char *result = tel_query_redact(text, &length, out);
    assert_int_equal(length, TEL_QUERY_REDACTED_MAX);
    assert_memory_equal(result, "sig=REDACTED&aaa", 16);
    assert_null(memmem(result, length, "secret", 6));
}

static void test_absent(void **state)
{
    char out[TEL_QUERY_REDACTED_MAX];
    size_t length = 0;
    (void)state;
    assert_null(tel_query_redact(NULL, &length, out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries),
        cmocka_unit_test(test_a_long_one_is_cut_not_leaked),
        cmocka_unit_test(test_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
