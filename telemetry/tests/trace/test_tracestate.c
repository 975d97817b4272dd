/*
 * tracestate by the rules of W3C Trace Context level 2, 3.3: headers in, canonical list out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/trace.h"

#define A16  "aaaaaaaaaaaaaaaa"
#define A64  A16 A16 A16 A16
#define A255 A64 A64 A64 A16 A16 A16 "aaaaaaaaaaaaaaa"

static const struct {
    const char *what;
    const char *headers[4];
    int error; /* of the last header */
    const char *list;
} cases[] = {
    {"one member", {"congo=t61rcWkgMzE"}, 0, "congo=t61rcWkgMzE"},
    {"order stays", {"b=2,a=1"}, 0, "b=2,a=1"},
    {"blanks around members go", {" a=1 ,\tb=2 \t, c=3 "}, 0, "a=1,b=2,c=3"},
    {"blanks within a value stay", {"a= 1 2"}, 0, "a= 1 2"},
    {"empty members are fine", {"a=1,,b=2, ,\t,"}, 0, "a=1,b=2"},
    {"an empty header is fine", {"a=1", "", "b=2"}, 0, "a=1,b=2"},
    {"nothing at all", {""}, 0, ""},
    {"headers combine in order", {"b=2,a=1", "d=4", "c=3"}, 0, "b=2,a=1,d=4,c=3"},
    {"a digit may begin a key", {"0a=1"}, 0, "0a=1"},
    {"all characters of a key", {"a_-*/@z9=1"}, 0, "a_-*/@z9=1"},
    {"a tenant and a system", {"fw529a3039@dt=FfAhNjQ0Ng"}, 0, "fw529a3039@dt=FfAhNjQ0Ng"},
    {"level 2 lets @ stand anywhere", {"a@b@c=1"}, 0, "a@b@c=1"},
    {"the first and last bytes of a value", {"a=!~"}, 0, "a=!~"},
    {"a key of 256", {A255 "b=1"}, 0, A255 "b=1"},
    {"a value of 256", {"k=" A255 "b"}, 0, "k=" A255 "b"},
    {"keys may begin alike", {"a=1,ab=2,abc=3"}, 0, "a=1,ab=2,abc=3"},

    {"a key of 257", {A255 "bc=1"}, -EINVAL, ""},
    {"a value of 257", {"k=" A255 "bc"}, -EINVAL, ""},
    {"no equals sign", {"a=1,b"}, -EINVAL, ""},
    {"no key", {"=1"}, -EINVAL, ""},
    {"no value", {"a="}, -EINVAL, ""},
    {"a value of blanks", {"a=  "}, -EINVAL, ""},
    {"two equals signs", {"a=1=2"}, -EINVAL, ""},
    {"an upper-case key", {"Foo=1"}, -EINVAL, ""},
    {"a key that begins with what may only follow", {"_a=1"}, -EINVAL, ""},
    {"a blank before the equals sign", {"a =1"}, -EINVAL, ""},
    {"a dot in a key", {"a.b=1"}, -EINVAL, ""},
    {"a tab within a value", {"a=1\t2"}, -EINVAL, ""},
    {"a byte beyond ASCII", {"a=\xc3\xa9"}, -EINVAL, ""},
    {"a control character", {"a=\x7f"}, -EINVAL, ""},
    {"a key twice", {"a=1,b=2,a=1"}, -EINVAL, ""},
    {"a key twice, over headers", {"a=1,b=2", "c=3,b=4"}, -EINVAL, ""},
    {"a bad member takes the good ones along", {"a=1", "b=2,B=3"}, -EINVAL, ""},
};

static void test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_context context = {0};
        int error = 0;
        for (size_t k = 0; k < 4 && cases[i].headers[k] != NULL; k++) {
            assert_int_equal(error, 0); /* only the last header of a case is bad */
            const char *header = cases[i].headers[k];
            error = tel_tracestate_parse(header, strlen(header), &context);
        }
        size_t length = strlen(cases[i].list);
        if (error != cases[i].error || context.tracestate_length != length ||
            memcmp(context.tracestate, cases[i].list, length) != 0) {
            fail_msg("%s: %d, %.*s", cases[i].what, error, context.tracestate_length,
                     context.tracestate);
        }
    }
}

static int add_members(struct tel_context *context, int first, int count)
{
    char member[32];
    int error = 0;
    for (int i = first; i < first + count && error == 0; i++) {
        int length = snprintf(member, sizeof(member), "k%d=%d", i, i);
        error = tel_tracestate_parse(member, (size_t)length, context);
    }
    return error;
}

static void test_thirty_two_members_are_the_most(void **state)
{
    (void)state;
    struct tel_context context = {0};
    assert_int_equal(add_members(&context, 0, TEL_TRACESTATE_MEMBERS_MAX), 0);
    assert_int_not_equal(context.tracestate_length, 0);
    assert_int_equal(add_members(&context, 99, 1), -EINVAL);
    assert_int_equal(context.tracestate_length, 0);
}

static void test_the_ceiling_of_bytes(void **state)
{
    (void)state;
    struct tel_context context = {0};
    char member[TEL_TRACESTATE_MAX + 1];
    for (int i = 0; i < 8; i++) { /* 256 for the first, 255 and a comma for the others */
        int length = snprintf(member, sizeof(member), "%c=%.*s", 'a' + i, i == 0 ? 254 : 253, A255);
        assert_int_equal(tel_tracestate_parse(member, (size_t)length, &context), 0);
    }
    size_t full = context.tracestate_length;
    assert_true(full >= 512); /* what the standard asks to be propagated at least */
    assert_int_equal(full, TEL_TRACESTATE_MAX);
    assert_int_equal(tel_tracestate_parse("z=1", 3, &context), -EMSGSIZE);
    assert_int_equal(context.tracestate_length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_thirty_two_members_are_the_most),
        cmocka_unit_test(test_the_ceiling_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
