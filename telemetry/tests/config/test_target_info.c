/*
 * target_info: attributes in, one line of the exposition out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/resource.h"

static void test_label_names(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"service.name", "service_name"},
        {"plain", "plain"},
        {"UPPER.Case9", "UPPER_Case9"},
        {"a.-b", "a_b"},
        {"a__b", "a_b"},
        {"9lives", "key_9lives"},
        {".hidden", "_hidden"},
        /* the registry's own, which no family may have */
        {"otel.metric.overflow", "key_otel_metric_overflow"},
        {"otel_metric_overflow", "key_otel_metric_overflow"},
        {"otel.metric.overflows", "otel_metric_overflows"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "gr_e"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *name = tel__label_name(cases[i][0]);
        assert_string_equal(name, cases[i][1]);
        free(name);
    }
}

static void assert_sample(const struct tel_resource *resource, const char *expected)
{
    struct tel_registry *registry = tel_registry_create(1);
    struct tel_buffer out;
    tel_buffer_init(&out, 65536);
    assert_int_equal(tel_resource_register(resource, registry), 0);
    assert_int_equal(tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &out), 0);
    tel_buffer_append_char(&out, '\0');
    if (strstr(out.data, expected) == NULL) {
        fail_msg("%s", out.data);
    }
    tel_buffer_fini(&out);
    tel_registry_destroy(registry);
}

static void test_attributes_become_labels(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_int_equal(tel_resource_add_list(resource, "service.name=shop,k8s.pod.name=cart-1"), 0);
    assert_sample(resource, "\ntarget_info{service_name=\"shop\",k8s_pod_name=\"cart-1\"} 1\n");
    tel_resource_destroy(resource);
}

static void test_keys_of_one_label_share_it(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_int_equal(tel_resource_add_list(resource, "a.b=1,x=2,a_b=3,a-b=4"), 0);
    assert_sample(resource, "\ntarget_info{a_b=\"1;3;4\",x=\"2\"} 1\n");
    tel_resource_destroy(resource);
}

static void test_values_are_escaped(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_int_equal(tel_resource_add(resource, "k", "a\"b\\c\nd"), 0);
    assert_sample(resource, "\ntarget_info{k=\"a\\\"b\\\\c\\nd\"} 1\n");
    tel_resource_destroy(resource);
}

static void test_a_label_that_is_taken(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_int_equal(
        tel_resource_add_list(resource, "otel.metric.overflow=x,key.otel.metric.overflow=y"), 0);
    assert_sample(resource, "\ntarget_info{key_otel_metric_overflow=\"x;y\"} 1\n");
    tel_resource_destroy(resource);
}

/* A refused list leaves no label behind that points at what is gone. */
static void test_a_refused_list_leaves_no_label(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    assert_int_equal(tel_resource_add(resource, "a", "1"), 0);
    assert_int_equal(tel_resource_add_list(resource, "b=2,c"), -EINVAL);
    assert_int_equal(tel_resource_add(resource, "d", "4"), 0);
    assert_sample(resource, "\ntarget_info{a=\"1\",d=\"4\"} 1\n");
    tel_resource_destroy(resource);
}

static void test_each_attribute_has_its_label(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    char expected[TEL_RESOURCE_ATTRIBUTES_MAX * 16 + 32] = "\ntarget_info{";
    for (int i = 0; i < TEL_RESOURCE_ATTRIBUTES_MAX; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(tel_resource_add(resource, key, "v"), 0);
        size_t at = strlen(expected);
        snprintf(expected + at, sizeof(expected) - at, "%sk%d=\"v\"", i > 0 ? "," : "", i);
    }
    strcat(expected, "} 1\n");
    assert_sample(resource, expected);
    tel_resource_destroy(resource);
}

static void test_once_a_registry(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    struct tel_registry *registry = tel_registry_create(1);
    assert_int_equal(tel_resource_add(resource, "a", "1"), 0);
    assert_int_equal(tel_resource_register(resource, registry), 0);
    assert_int_equal(tel_resource_register(resource, registry), -EEXIST);
    tel_registry_destroy(registry);
    tel_resource_destroy(resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_names),
        cmocka_unit_test(test_attributes_become_labels),
        cmocka_unit_test(test_keys_of_one_label_share_it),
        cmocka_unit_test(test_values_are_escaped),
        cmocka_unit_test(test_a_label_that_is_taken),
        cmocka_unit_test(test_a_refused_list_leaves_no_label),
        cmocka_unit_test(test_each_attribute_has_its_label),
        cmocka_unit_test(test_once_a_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
