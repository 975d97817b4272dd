/*
 * The resource: order is precedence, a list is taken whole or not at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/resource.h"

/* `key=value|key=value` in order. */
static void assert_resource(const struct tel_resource *resource, const char *expected)
{
    char text[1024] = "";
    size_t at = 0;
    for (size_t i = 0; i < tel_resource_count(resource); i++) {
        struct tel_resource_attribute attribute = tel_resource_at(resource, i);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%s", i > 0 ? "|" : "",
                               attribute.key, attribute.value);
        assert_true(at < sizeof(text));
    }
    assert_string_equal(text, expected);
}

static void test_the_first_value_of_a_key_stays(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_resource(resource, "");
    assert_null(tel_resource_get(resource, "service.name"));
    assert_int_equal(tel_resource_add(resource, "service.name", "shop"), 0);
    assert_int_equal(tel_resource_add(resource, "service.name", "other"), 0);
    assert_int_equal(tel_resource_add(resource, "empty", ""), 0);
    assert_string_equal(tel_resource_get(resource, "service.name"), "shop");
    assert_resource(resource, "service.name=shop|empty=");
    tel_resource_destroy(resource);
    tel_resource_destroy(NULL);
}

static void test_values_are_copied(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    char key[] = "key";
    char value[] = "value";
    assert_int_equal(tel_resource_add(resource, key, value), 0);
    memset(key, 'x', 3);
    memset(value, 'x', 5);
    assert_resource(resource, "key=value");
    tel_resource_destroy(resource);
}

static void test_what_is_no_attribute(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    char large[TEL_RESOURCE_VALUE_MAX + 2];
    memset(large, 'x', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    assert_int_equal(tel_resource_add(resource, "", "v"), -EINVAL);
    assert_int_equal(tel_resource_add(resource, "k", large), -EINVAL);
    assert_int_equal(tel_resource_add(resource, large, "v"), -EINVAL);
    assert_int_equal(tel_resource_add(resource, "k", "\xff"), -EINVAL); /* not UTF-8 */
    assert_int_equal(tel_resource_count(resource), 0);
    large[TEL_RESOURCE_VALUE_MAX] = '\0';
    assert_int_equal(tel_resource_add(resource, "k", large), 0);
    tel_resource_destroy(resource);
}

static void test_there_is_an_end(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    char key[16];
    for (int i = 0; i < TEL_RESOURCE_ATTRIBUTES_MAX; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        assert_int_equal(tel_resource_add(resource, key, "v"), 0);
    }
    assert_int_equal(tel_resource_add(resource, "one more", "v"), -ENOSPC);
    assert_int_equal(tel_resource_add(resource, "key0", "again"), 0); /* it was there */
    assert_int_equal(tel_resource_add_list(resource, "x=1"), -ENOSPC);
    assert_int_equal(tel_resource_count(resource), TEL_RESOURCE_ATTRIBUTES_MAX);
    tel_resource_destroy(resource);
}

/* A list is bounded on its own, so that what is added after it still finds room. */
static void test_a_long_list_is_refused_whole(void **state)
{
    (void)state;
    for (int excess = 0; excess < 2; excess++) {
        struct tel_resource *resource = tel_resource_create();
        char list[1024] = "known=again";
        size_t at = strlen(list);
        assert_int_equal(tel_resource_add(resource, "known", "v"), 0);
        for (int i = 0; i < TEL_RESOURCE_LIST_MAX + excess; i++) {
            at += (size_t)snprintf(list + at, sizeof(list) - at, ",key%d=v", i);
        }
        assert_true(at < sizeof(list));
        assert_int_equal(tel_resource_add_list(resource, list), excess == 0 ? 0 : -ENOSPC);
        assert_int_equal(tel_resource_count(resource), excess == 0 ? 1 + TEL_RESOURCE_LIST_MAX : 1);
        assert_int_equal(tel_resource_detect(resource), 0);
        assert_non_null(tel_resource_get(resource, "service.instance.id"));
        tel_resource_destroy(resource);
    }
}

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        int error;
        const char *resource;
    } cases[] = {
        {"", 0, "a=first"},
        {"b=2,c=3", 0, "a=first|b=2|c=3"},
        {" b = 2 ,\tc=3\t", 0, "a=first|b=2|c=3"},
        {"b=x%2cy%3Dz%25", 0, "a=first|b=x,y=z%"},
        {"b%2e1=2", 0, "a=first|b.1=2"},
        {"b=", 0, "a=first|b="},
        {"b=c=d", 0, "a=first|b=c=d"}, /* only the first sign separates */
        {"b=2,,c=3,", 0, "a=first|b=2|c=3"},
        {"a=second,b=2", 0, "a=first|b=2"},
        {"b=2,b=3", 0, "a=first|b=2"},
        {"b=%41%c3%a9", 0, "a=first|b=A\xc3\xa9"},
        {"b=2,c", -EINVAL, "a=first"},
        {"b=2,=3", -EINVAL, "a=first"},
        {"b=2,c=%4", -EINVAL, "a=first"},
        {"b=2,c=%", -EINVAL, "a=first"},
        {"b=2,%zz=3", -EINVAL, "a=first"},
        {"b=2,c=%00", -EINVAL, "a=first"},
        {"b=2,c=%ff", -EINVAL, "a=first"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_resource *resource = tel_resource_create();
        assert_int_equal(tel_resource_add(resource, "a", "first"), 0);
        assert_int_equal(tel_resource_add_list(resource, cases[i].list), cases[i].error);
        assert_resource(resource, cases[i].resource);
        /* After a refusal the resource is as usable as before. */
        assert_int_equal(tel_resource_add(resource, "last", "1"), 0);
        assert_string_equal(tel_resource_get(resource, "last"), "1");
        tel_resource_destroy(resource);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_value_of_a_key_stays),
        cmocka_unit_test(test_values_are_copied),
        cmocka_unit_test(test_what_is_no_attribute),
        cmocka_unit_test(test_there_is_an_end),
        cmocka_unit_test(test_a_long_list_is_refused_whole),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
