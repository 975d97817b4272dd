/* Signatures do not reach spans and logs; everything else does, to the byte. */
#include "redact.h"

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
        char out[REDACT_BYTES];
        struct http_slice query = {cases[i].query, strlen(cases[i].query)};
        struct http_slice result = redact_query(query, out);
        if (cases[i].expected == NULL) {
            assert_ptr_equal(result.data, query.data);
            assert_int_equal(result.length, query.length);
            continue;
        }
        assert_int_equal(result.length, strlen(cases[i].expected));
        assert_memory_equal(result.data, cases[i].expected, result.length);
    }
}

static void test_a_long_one_is_cut_not_leaked(void **state)
{
    char text[4096] = "sig=secret&";
    char out[REDACT_BYTES];
    (void)state;
    memset(text + 11, 'a', sizeof(text) - 11);
    struct http_slice result = redact_query((struct http_slice){text, sizeof(text)}, out);
    assert_int_equal(result.length, REDACT_BYTES);
    assert_memory_equal(result.data, "sig=REDACTED&aaa", 16);
    assert_null(memmem(result.data, result.length, "secret", 6));
}

static void test_absent(void **state)
{
    char out[REDACT_BYTES];
    (void)state;
    assert_null(redact_query((struct http_slice){NULL, 0}, out).data);
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
