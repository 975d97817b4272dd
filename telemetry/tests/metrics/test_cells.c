/*
 * Counters and gauges: cells a shard, sums over shards, and where the numbers end.
 */
#include "expose.h"
#include "metrics/cells.h"

static struct tel_series *series_of(struct tel_registry *registry, enum tel_metric_type type,
                                    const char *name)
{
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = name, .help = "H.", .type = type});
    return tel_family_series(family, 0, NULL);
}

static void test_a_counter_is_the_sum_of_its_shards(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(3);
    struct tel_series *counter = series_of(registry, TEL_COUNTER, "c_total");
    assert_int_equal(tel_series_value(counter), 0);
    tel_counter_inc(counter, 0);
    tel_counter_add(counter, 1, 10);
    tel_counter_add(counter, 2, 100);
    tel_counter_add(counter, 2, 0);
    assert_int_equal(tel_series_value(counter), 111);
    tel_registry_destroy(registry);
}

static void test_a_counter_saturates(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_series *counter = series_of(registry, TEL_COUNTER, "c_total");
    tel_counter_add(counter, 0, UINT64_MAX - 1);
    tel_counter_inc(counter, 0);
    assert_int_equal(tel_series_value(counter), UINT64_MAX);
    tel_counter_inc(counter, 0); /* within a cell */
    assert_int_equal(tel_series_value(counter), UINT64_MAX);
    tel_counter_add(counter, 1, 5); /* and over cells */
    assert_int_equal(tel_series_value(counter), UINT64_MAX);
    assert_true(has_line(registry, TEL_EXPOSITION_TEXT, "c_total 18446744073709551615"));
    tel_registry_destroy(registry);
}

static void test_a_gauge_goes_up_and_down(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_series *gauge = series_of(registry, TEL_GAUGE, "g");
    tel_gauge_add(gauge, 0, 5);
    tel_gauge_add(gauge, 1, -7); /* one shard may stand below 0: what it closed, another opened */
    assert_int_equal((int64_t)tel_series_value(gauge), -2);
    assert_true(has_line(registry, TEL_EXPOSITION_TEXT, "g -2"));
    tel_gauge_set(gauge, 1, 0);
    assert_int_equal((int64_t)tel_series_value(gauge), 5);
    tel_gauge_set(gauge, 0, INT64_MIN);
    assert_true(has_line(registry, TEL_EXPOSITION_TEXT, "g -9223372036854775808"));
    tel_registry_destroy(registry);
}

static void test_values_are_divided_exactly(void **state)
{
    (void)state;
    static const struct {
        enum tel_metric_type type;
        uint64_t divisor;
        int64_t value;
        const char *name;
        const char *line;
    } cases[] = {
        {TEL_COUNTER, 0, 7, "a_total", "a_total 7"},
        {TEL_COUNTER, 1000000000, 1234567890123456789, "b_total", "b_total 1234567890.123456789"},
        {TEL_COUNTER, 1000, 1500, "c_total", "c_total 1.5"},
        {TEL_COUNTER, 1024, 1536, "d_total", "d_total 1.5"},
        {TEL_GAUGE, 1000, -1, "e", "e -0.001"},
        {TEL_GAUGE, 1000000, 250000, "f", "f 0.25"},
        {TEL_GAUGE, 3, -6, "g", "g -2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        struct tel_family *family =
            family_of(registry, (struct tel_family_options){.name = cases[i].name,
                                                            .type = cases[i].type,
                                                            .divisor = cases[i].divisor});
        struct tel_series *series = tel_family_series(family, 0, NULL);
        if (cases[i].type == TEL_COUNTER) {
            tel_counter_add(series, 0, (uint64_t)cases[i].value);
        } else {
            tel_gauge_set(series, 0, cases[i].value);
        }
        assert_true(has_line(registry, TEL_EXPOSITION_TEXT, cases[i].line));
        assert_int_equal(tel_family_value(family), (uint64_t)cases[i].value);
        tel_registry_destroy(registry);
    }
}

static void test_cells_of_a_shard_are_apart_and_start_at_0(void **state)
{
    (void)state;
    enum { MANY = 500 }; /* several pages */
    struct tel__cell_page *pages = NULL;
    _Atomic uint64_t *cells[MANY];
    for (size_t i = 0; i < MANY; i++) {
        cells[i] = tel__cell_take(&pages);
        assert_non_null(cells[i]);
        assert_int_equal(tel__cell_get(cells[i]), 0);
        tel__cell_add(cells[i], i + 1);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(tel__cell_get(cells[i]), i + 1);
    }
    tel__cell_pages_free(pages);
}

static void test_shards_do_not_share_cache_lines(void **state)
{
    (void)state;
    struct tel__cell_page *shards[2] = {NULL, NULL};
    for (size_t i = 0; i < 300; i++) {
        uintptr_t a = (uintptr_t)tel__cell_take(&shards[0]) / TEL__CACHE_LINE;
        uintptr_t b = (uintptr_t)tel__cell_take(&shards[1]) / TEL__CACHE_LINE;
        assert_true(a != b);
    }
    tel__cell_pages_free(shards[0]);
    tel__cell_pages_free(shards[1]);
    tel__cell_pages_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_counter_is_the_sum_of_its_shards),
        cmocka_unit_test(test_a_counter_saturates),
        cmocka_unit_test(test_a_gauge_goes_up_and_down),
        cmocka_unit_test(test_values_are_divided_exactly),
        cmocka_unit_test(test_cells_of_a_shard_are_apart_and_start_at_0),
        cmocka_unit_test(test_shards_do_not_share_cache_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
