/*
 * Reading one variable: a table of rows, texts and normal forms.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/variable.h"

static const struct tel__variable text = {"T", TEL__TEXT, "", 0, 0, NULL};
static const struct tel__variable boolean = {"B", TEL__BOOL, "false", 0, 0, NULL};
static const struct tel__variable number = {"N", TEL__NUMBER, "5", 1, 1000, NULL};
static const struct tel__variable widest = {"W", TEL__NUMBER, "0", 0, UINT64_MAX / 16, NULL};
static const struct tel__variable choice = {"C", TEL__CHOICE, "none", 0, 0, "none|gzip"};
static const struct tel__variable choices = {"L", TEL__CHOICES, "a", 0, 0, "tracecontext|baggage"};
static const struct tel__variable attribute = {"A", TEL__ATTRIBUTE, "", 0, 0, NULL};
static const struct tel__variable list = {"R", TEL__LIST, "", 0, 0, NULL};
static const struct tel__variable secrets = {"S", TEL__SECRETS, "", 0, 0, NULL};
static const struct tel__variable url = {"U", TEL__URL, "", 0, 0, NULL};
static const struct tel__variable base = {"V", TEL__URL_BASE, "", 0, 0, NULL};

static const struct {
    const struct tel__variable *variable;
    const char *given;
    const char *normal; /* NULL: refused */
    uint64_t number;
    const char *why; /* part of the reason or warning; NULL: there is none */
} cases[] = {
    {&text, "anything at all", "anything at all", 0, NULL},

    {&boolean, "true", "true", 1, NULL},
    {&boolean, "TRUE", "true", 1, NULL},
    {&boolean, "False", "false", 0, NULL},
    {&boolean, "1", NULL, 0, "neither true nor false"},
    {&boolean, "yes", NULL, 0, "'yes'"},

    {&number, "1", "1", 1, NULL},
    {&number, "1000", "1000", 1000, NULL},
    {&number, "007", "7", 7, NULL},
    {&number, "0", NULL, 0, "not within 1 to 1000"},
    {&number, "1001", NULL, 0, "not within"},
    {&number, "99999999999999999999999999999", NULL, 0, "not within"},
    {&number, "18446744073709551617", NULL, 0, "not within"}, /* 2^64 + 1 */
    {&widest, "1152921504606846975", "1152921504606846975", UINT64_MAX / 16, NULL},
    {&widest, "1152921504606846976", NULL, 0, "not within"},
    {&number, "-1", NULL, 0, "not a whole number"},
    {&number, "5s", NULL, 0, "not a whole number"},
    {&number, "1.5", NULL, 0, "not a whole number"},
    {&number, "0x10", NULL, 0, "not a whole number"},

    {&choice, "gzip", "gzip", 0, NULL},
    {&choice, "GZip", "gzip", 0, NULL},
    {&choice, "gz", NULL, 0, "none|gzip"},
    {&choice, "gzip2", NULL, 0, "'gzip2' is not supported"},
    {&choice, "none|gzip", NULL, 0, "not supported"},

    {&choices, "baggage", "baggage", 0, NULL},
    {&choices, "TraceContext, Baggage", "tracecontext,baggage", 0, NULL},
    {&choices, "b3,tracecontext", "tracecontext", 0, "'b3' is not supported"},
    {&choices, "b3", NULL, 0, "'b3'"},
    {&choices, ", ,", NULL, 0, "names nothing"},

    {&attribute, "my shop %41", "my shop %41", 0, NULL}, /* as it is: only lists are encoded */
    {&attribute, "\xff", NULL, 0, "UTF-8"},

    {&list, "a=b,c=d%20e", "a=b,c=d%20e", 0, NULL},
    {&list, "a=b,c", NULL, 0, "key=value"},
    {&list, "a=%zz", NULL, 0, "key=value"},
    {&list, "=b", NULL, 0, "key=value"},

    {&secrets, "api-key=se%20cret,b=2", "api-key=se%20cret,b=2", 0, NULL},
    {&secrets, "no value", NULL, 0, ""},
    {&secrets, "a=b%0d%0aX-Injected:%201", NULL, 0, ""},

    {&url, "http://h/v1?q=1", "http://h/v1?q=1", 0, NULL},
    {&url, "https://[::1]:4318", "https://[::1]:4318", 0, NULL},
    {&url, "localhost:4318", NULL, 0, ""},
    {&url, "grpc://h", NULL, 0, ""},
    {&url, "http://", NULL, 0, ""},
    {&url, "http://h:0", NULL, 0, ""},
    {&url, "http://h:65536", NULL, 0, ""},
    {&url, "http://h/a b", NULL, 0, ""},
    {&base, "http://h:4318/otlp", "http://h:4318/otlp", 0, NULL},
    {&base, "http://h/?q=1", NULL, 0, "query"},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__value value;
        char why[256];
        int error =
            tel__variable_parse(cases[i].variable, cases[i].given, &value, why, sizeof(why));
        assert_int_equal(error, cases[i].normal != NULL ? 0 : -EINVAL);
        if (cases[i].normal != NULL) {
            assert_string_equal(value.text, cases[i].normal);
            assert_true(value.number == cases[i].number);
        } else {
            assert_null(value.text);
        }
        if (cases[i].why == NULL) {
            assert_string_equal(why, "");
        } else if (why[0] == '\0' || strstr(why, cases[i].why) == NULL) {
            fail_msg("%s: %s", cases[i].given, why);
        }
        free(value.text);
    }
}

static void test_reasons_hold_no_secret(void **state)
{
    (void)state;
    static const struct tel__variable *const variables[] = {&secrets, &url, &base};
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        struct tel__value value;
        char why[256];
        assert_int_equal(
            tel__variable_parse(variables[i], "hunter2\x01=\x01", &value, why, sizeof(why)),
            -EINVAL);
        assert_null(strstr(why, "hunter2"));
    }
}

static void test_a_value_has_a_ceiling(void **state)
{
    (void)state;
    struct tel__value value;
    char why[256];
    char *large = malloc(65536 + 1);
    assert_non_null(large);
    memset(large, 'x', 65536);
    large[65536] = '\0';
    assert_int_equal(tel__variable_parse(&text, large, &value, why, sizeof(why)), -EINVAL);
    assert_non_null(strstr(why, "65536"));
    large[65535] = '\0';
    assert_int_equal(tel__variable_parse(&text, large, &value, why, sizeof(why)), 0);
    free(value.text);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_reasons_hold_no_secret),
        cmocka_unit_test(test_a_value_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
