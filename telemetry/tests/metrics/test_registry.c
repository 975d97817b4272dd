/*
 * The registry's own promises: how many shards, what it owns.
 */
#include "expose.h"

static void test_the_number_of_shards_is_bounded(void **state)
{
    (void)state;
    static const size_t bad[] = {0, TEL_SHARDS_MAX + 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT(bad); i++) {
        errno = 0;
        assert_null(tel_registry_create(bad[i]));
        assert_int_equal(errno, EINVAL);
    }
    struct tel_registry *registry = registry_of(TEL_SHARDS_MAX);
    struct tel_series *series = tel_family_series(
        family_of(registry, (struct tel_family_options){.name = "c_total", .type = TEL_COUNTER}), 0,
        NULL);
    for (size_t shard = 0; shard < TEL_SHARDS_MAX; shard++) {
        tel_counter_inc(series, shard);
    }
    assert_int_equal(tel_series_value(series), TEL_SHARDS_MAX);
    tel_registry_destroy(registry);
    tel_registry_destroy(NULL);
}

static void test_families_are_exposed_in_the_order_made(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    family_of(registry, (struct tel_family_options){.name = "zebra", .type = TEL_GAUGE});
    family_of(registry, (struct tel_family_options){.name = "ant", .type = TEL_GAUGE});
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# TYPE zebra gauge\nzebra 0\n# TYPE ant gauge\nant 0\n");
    tel_registry_destroy(registry);
}

static void test_registries_do_not_know_each_other(void **state)
{
    (void)state;
    struct tel_registry *one = registry_of(1);
    struct tel_registry *two = registry_of(1);
    struct tel_family_options options = {.name = "c_total", .type = TEL_COUNTER};
    tel_counter_inc(tel_family_series(family_of(one, options), 0, NULL), 0);
    family_of(two, options); /* the same name is free here */
    assert_true(has_line(one, TEL_EXPOSITION_TEXT, "c_total 1"));
    assert_true(has_line(two, TEL_EXPOSITION_TEXT, "c_total 0"));
    tel_registry_destroy(two);
    tel_registry_destroy(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_number_of_shards_is_bounded),
        cmocka_unit_test(test_families_are_exposed_in_the_order_made),
        cmocka_unit_test(test_registries_do_not_know_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
