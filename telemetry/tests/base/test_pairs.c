/*
 * Lists of pairs: what is passed over, what is kept, and where a member is no pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/pairs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *list;
    size_t count;
    struct {
        const char *key;
        const char *value;
    } pairs[3];
} cases[] = {
    {"", 0, {{0}}},
    {" \t , ,,", 0, {{0}}},
    {"a=1", 1, {{"a", "1"}}},
    {"a=1,b=2,c=3", 3, {{"a", "1"}, {"b", "2"}, {"c", "3"}}},
    {" a = 1 ,\tb\t=\t2\t", 2, {{"a", "1"}, {"b", "2"}}},
    {",a=1,,b=2,", 2, {{"a", "1"}, {"b", "2"}}},
    {"a=b=c", 1, {{"a", "b=c"}}},
    {"a b=c d", 1, {{"a b", "c d"}}},
    {"a=", 1, {{"a", ""}}},
    {"=1", 1, {{"", "1"}}},
    {"=", 1, {{"", ""}}},
    {" = ", 1, {{"", ""}}},
    {"a=x%2Cy", 1, {{"a", "x%2Cy"}}}, /* not decoded */
    {" alone ,a=1", 2, {{"alone", NULL}, {"a", "1"}}},
    {"a=1,a=1", 2, {{"a", "1"}, {"a", "1"}}},
    {"a=1\n", 1, {{"a", "1\n"}}}, /* not a blank of such a list */
};

static void assert_text(const char *got, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(got);
    } else {
        assert_string_equal(got, wanted);
    }
}

static void test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char copy[64];
        strcpy(copy, cases[i].list);
        char *at = copy;
        struct tel__pair pair;
        for (size_t k = 0; k < cases[i].count; k++) {
            assert_true(tel__pairs_next(&at, &pair));
            assert_text(pair.key, cases[i].pairs[k].key);
            assert_text(pair.value, cases[i].pairs[k].value);
        }
        assert_false(tel__pairs_next(&at, &pair));
        assert_false(tel__pairs_next(&at, &pair)); /* and so it stays */
    }
}

/* All pairs stay where they are, so a list can be kept and pointed into. */
static void test_earlier_pairs_stay(void **state)
{
    (void)state;
    char list[] = "a=1,b=2";
    char *at = list;
    struct tel__pair first;
    struct tel__pair second;
    assert_true(tel__pairs_next(&at, &first));
    assert_true(tel__pairs_next(&at, &second));
    assert_string_equal(first.key, "a");
    assert_string_equal(first.value, "1");
    assert_ptr_equal(first.key, list);
    assert_ptr_equal(second.value, list + 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_earlier_pairs_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
