/*
 * Finding and making series: one label set, one series; and what happens when there are too many.
 */
#include <stdio.h>

#include "expose.h"

static const char *const names[] = {"method", "route"};

static struct tel_family *counters(struct tel_registry *registry, size_t limit)
{
    return family_of(registry, (struct tel_family_options){.name = "hits_total",
                                                           .type = TEL_COUNTER,
                                                           .label_names = names,
                                                           .label_count = 2,
                                                           .series_limit = limit});
}

static void test_equal_values_are_one_series_for_all_shards(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_family *family = counters(registry, 0);
    char method[] = "GET";
    struct tel_series *series = tel_family_series(family, 0, VALUES(method, "/"));
    memset(method, 'x', 3); /* values were copied */
    assert_ptr_equal(tel_family_series(family, 1, VALUES("GET", "/")), series);
    assert_ptr_not_equal(tel_family_series(family, 0, VALUES("/", "GET")), series);
    assert_ptr_not_equal(tel_family_series(family, 0, VALUES("GET", NULL)), series);
    assert_ptr_equal(tel_family_series(family, 0, VALUES("GET", "")),
                     tel_family_series(family, 1, VALUES("GET", NULL)));
    tel_registry_destroy(registry);
}

/* A table grows several times on the way; everything stays found, in the order it was made. */
static void test_many_series_are_all_found_again(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = counters(registry, MANY);
    struct tel_series *series[MANY];
    char route[MANY][8];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(route[i], sizeof(route[i]), "/%zu", i);
        series[i] = tel_family_series(family, 0, VALUES("GET", route[i]));
        tel_counter_add(series[i], 0, i);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_ptr_equal(tel_family_series(family, 0, VALUES("GET", route[i])), series[i]);
        assert_int_equal(tel_series_value(series[i]), i);
    }
    assert_int_equal(tel_family_value(family), MANY * (MANY - 1) / 2);
    assert_int_equal(tel_registry_overflow_count(registry), 0);
    tel_registry_destroy(registry);
}

static void test_a_series_is_exposed_from_0(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = counters(registry, 0);
    assert_exposed(registry, TEL_EXPOSITION_TEXT, "");
    tel_family_series(family, 0, VALUES("GET", "/"));
    tel_family_series(family, 0, VALUES("_OTHER", NULL));
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# TYPE hits_total counter\n"
                   "hits_total{method=\"GET\",route=\"/\"} 0\n"
                   "hits_total{method=\"_OTHER\"} 0\n");
    tel_registry_destroy(registry);
}

static void test_a_family_without_labels_has_its_series_from_the_start(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "up", .type = TEL_GAUGE});
    assert_exposed(registry, TEL_EXPOSITION_TEXT, "# TYPE up gauge\nup 0\n");
    tel_gauge_set(tel_family_series(family, 0, NULL), 0, 1);
    assert_exposed(registry, TEL_EXPOSITION_TEXT, "# TYPE up gauge\nup 1\n");
    assert_int_equal(tel_registry_overflow_count(registry), 0);
    tel_registry_destroy(registry);
}

static void test_beyond_the_limit_one_series_takes_the_rest(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_family *family = counters(registry, 2);
    tel_counter_inc(tel_family_series(family, 0, VALUES("GET", "/a")), 0);
    tel_counter_inc(tel_family_series(family, 0, VALUES("GET", "/b")), 0);
    struct tel_series *rest = tel_family_series(family, 0, VALUES("GET", "/c"));
    assert_ptr_equal(tel_family_series(family, 1, VALUES("GET", "/d")), rest);
    tel_counter_add(rest, 0, 5);
    tel_counter_add(rest, 1, 7);
    assert_int_equal(tel_registry_overflow_count(registry), 2);
    /* What was there before is still there. */
    tel_counter_inc(tel_family_series(family, 1, VALUES("GET", "/b")), 1);
    assert_int_equal(tel_registry_overflow_count(registry), 2);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# TYPE hits_total counter\n"
                   "hits_total{method=\"GET\",route=\"/a\"} 1\n"
                   "hits_total{method=\"GET\",route=\"/b\"} 2\n"
                   "hits_total{otel_metric_overflow=\"true\"} 12\n");
    assert_int_equal(tel_family_value(family), 15); /* nothing is lost in the sum */
    tel_registry_destroy(registry);
}

static void test_the_limit_holds_unless_said_otherwise(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = counters(registry, 0);
    for (size_t i = 0; i < TEL_SERIES_LIMIT + 10; i++) {
        char route[16];
        snprintf(route, sizeof(route), "/%zu", i);
        tel_counter_inc(tel_family_series(family, 0, VALUES("GET", route)), 0);
    }
    assert_int_equal(tel_registry_overflow_count(registry), 10);
    assert_int_equal(tel_family_value(family), TEL_SERIES_LIMIT + 10);
    assert_true(
        has_line(registry, TEL_EXPOSITION_TEXT, "hits_total{otel_metric_overflow=\"true\"} 10"));
    tel_registry_destroy(registry);
}

/* What a client sends as a label value must neither break a line nor make a second equal one. */
static void test_hostile_values_stay_one_well_formed_line(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = counters(registry, 0);
    tel_counter_inc(tel_family_series(family, 0, VALUES("\xFF", "a\"} 1\nb\\")), 0);
    tel_counter_inc(tel_family_series(family, 0, VALUES("\xFE", "a\"} 1\nb\\")), 0);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# TYPE hits_total counter\n"
                   "hits_total{method=\"\xEF\xBF\xBD\",route=\"a\\\"} 1\\nb\\\\\"} 2\n");
    tel_registry_destroy(registry);
}

static void test_values_longer_than_the_limit_are_one_when_cut_alike(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = counters(registry, 0);
    char one[TEL_LABEL_VALUE_MAX + 10];
    char two[TEL_LABEL_VALUE_MAX + 20];
    memset(one, 'x', sizeof(one));
    memset(two, 'x', sizeof(two));
    one[sizeof(one) - 1] = '\0';
    two[sizeof(two) - 1] = '\0';
    assert_ptr_equal(tel_family_series(family, 0, VALUES("GET", one)),
                     tel_family_series(family, 0, VALUES("GET", two)));
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_values_are_one_series_for_all_shards),
        cmocka_unit_test(test_many_series_are_all_found_again),
        cmocka_unit_test(test_a_series_is_exposed_from_0),
        cmocka_unit_test(test_a_family_without_labels_has_its_series_from_the_start),
        cmocka_unit_test(test_beyond_the_limit_one_series_takes_the_rest),
        cmocka_unit_test(test_the_limit_holds_unless_said_otherwise),
        cmocka_unit_test(test_hostile_values_stay_one_well_formed_line),
        cmocka_unit_test(test_values_longer_than_the_limit_are_one_when_cut_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
