/*
 * Reading without a scrape: sums, series one by one, buckets by name, and that both agree with what a
 * scrape shows.
 */
#include "expose.h"

#define MS 1000000ull

static const uint64_t bounds[] = {5 * MS, 1000 * MS};
static const char *const labels[] = {"route", "code"};

static struct tel_family *waits(struct tel_registry *registry, size_t series_limit)
{
    return family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                           .type = TEL_HISTOGRAM,
                                                           .label_names = labels,
                                                           .label_count = COUNT(labels),
                                                           .series_limit = series_limit,
                                                           .bounds_ns = bounds,
                                                           .bound_count = COUNT(bounds)});
}

static void test_values_by_type(void **state)
{
    (void)state;
    const char *const names[] = {"k"};
    struct tel_registry *registry = registry_of(2);
    struct tel_family *counter =
        family_of(registry, (struct tel_family_options){.name = "c_seconds_total",
                                                        .type = TEL_COUNTER,
                                                        .divisor = 1000000000,
                                                        .label_names = names,
                                                        .label_count = 1});
    struct tel_family *gauge = family_of(
        registry, (struct tel_family_options){
                      .name = "g", .type = TEL_GAUGE, .label_names = names, .label_count = 1});
    struct tel_family *histogram = family_of(
        registry,
        (struct tel_family_options){
            .name = "h_seconds", .type = TEL_HISTOGRAM, .label_names = names, .label_count = 1});
    for (size_t i = 0; i < 3; i++) {
        const char *const *value = VALUES((const char *const[]){"a", "b", "c"}[i]);
        tel_counter_add(tel_family_series(counter, 0, value), 1, 1500000000); /* not divided */
        tel_gauge_set(tel_family_series(gauge, 0, value), 0, i == 0 ? -10 : 2);
        tel_histogram_observe(tel_family_series(histogram, 0, value), i % 2, 12345, NULL);
    }
    assert_int_equal(tel_family_value(counter), 4500000000);
    assert_int_equal((int64_t)tel_family_value(gauge), -6);
    assert_int_equal(tel_family_value(histogram), 3); /* how many were observed */
    assert_int_equal(tel_series_value(tel_family_series(histogram, 0, VALUES("b"))), 1);
    tel_registry_destroy(registry);
}

static void test_sums_of_counters_saturate_over_series(void **state)
{
    (void)state;
    const char *const names[] = {"k"};
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = family_of(
        registry,
        (struct tel_family_options){
            .name = "c_total", .type = TEL_COUNTER, .label_names = names, .label_count = 1});
    tel_counter_add(tel_family_series(family, 0, VALUES("a")), 0, UINT64_MAX);
    tel_counter_add(tel_family_series(family, 0, VALUES("b")), 0, 1);
    assert_int_equal(tel_family_value(family), UINT64_MAX);
    tel_registry_destroy(registry);
}

static void assert_label(const struct tel_series *series, size_t index, const char *expected)
{
    size_t length;
    const char *value = tel_series_label(series, index, &length);
    if (expected == NULL) {
        assert_null(value);
        assert_int_equal(length, 0);
        return;
    }
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(value, expected, length);
}

static void test_series_come_in_the_order_made(void **state)
{
    (void)state;
    static const char *const made[][2] = {{"/a", "200"}, {"/a", NULL}, {NULL, "404"}, {"/b", "x"}};
    struct tel_registry *registry = registry_of(2);
    struct tel_family *family = waits(registry, 0);
    assert_null(tel_family_next_series(family, NULL));
    for (size_t i = 0; i < COUNT(made); i++) {
        tel_histogram_observe(tel_family_series(family, 0, made[i]), i % 2, MS, NULL);
    }
    const struct tel_series *series = NULL;
    for (size_t i = 0; i < COUNT(made); i++) {
        series = tel_family_next_series(family, series);
        assert_non_null(series);
        assert_ptr_equal(series, tel_family_series(family, 0, made[i]));
        assert_label(series, 0, made[i][0]);
        assert_label(series, 1, made[i][1]);
        assert_int_equal(tel_series_value(series), 1);
    }
    assert_null(tel_family_next_series(family, series));
    tel_registry_destroy(registry);
}

static void test_the_overflow_series_comes_last_and_has_no_labels(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = waits(registry, 1);
    struct tel_series *first = tel_family_series(family, 0, VALUES("/a", "200"));
    assert_ptr_equal(tel_family_next_series(family, NULL), first);
    assert_null(tel_family_next_series(family, first)); /* nothing went there yet */
    struct tel_series *beyond = tel_family_series(family, 0, VALUES("/b", "200"));
    assert_ptr_equal(tel_family_next_series(family, first), beyond);
    assert_label(beyond, 0, NULL);
    assert_label(beyond, 1, NULL);
    assert_null(tel_family_next_series(family, beyond));
    tel_registry_destroy(registry);
}

/* The only series of a family without labels is one like any other. */
static void test_a_family_without_labels_has_one(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "n_total", .type = TEL_COUNTER});
    const struct tel_series *only = tel_family_next_series(family, NULL);
    assert_ptr_equal(only, tel_family_series(family, 0, NULL));
    assert_null(tel_family_next_series(family, only));
    tel_registry_destroy(registry);
}

static void test_buckets_are_found_as_they_are_counted(void **state)
{
    (void)state;
    static const struct {
        uint64_t duration_ns;
        size_t index;
        const char *le;
    } cases[] = {
        {0, 0, "0.005"},       {5 * MS, 0, "0.005"},       {5 * MS + 1, 1, "1.0"},
        {1000 * MS, 1, "1.0"}, {1000 * MS + 1, 2, "+Inf"}, {UINT64_MAX, 2, "+Inf"},
    };
    struct tel_registry *registry = registry_of(2);
    struct tel_series *series = tel_family_series(waits(registry, 0), 0, VALUES("/a", "200"));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_bucket bucket;
        uint64_t before[3] = {0};
        uint64_t after[3] = {0};
        tel_histogram_add_counts(series, before);
        tel_histogram_observe(series, i % 2, cases[i].duration_ns, NULL);
        tel_histogram_add_counts(series, after);
        tel_histogram_find_bucket(series, cases[i].duration_ns, &bucket);
        assert_int_equal(bucket.index, cases[i].index);
        assert_int_equal(bucket.le_length, strlen(cases[i].le));
        assert_memory_equal(bucket.le, cases[i].le, bucket.le_length);
        for (size_t j = 0; j < COUNT(after); j++) {
            assert_int_equal(after[j] - before[j], j == cases[i].index);
        }
    }
    tel_registry_destroy(registry);
}

static void test_counts_of_several_series_add_up(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family = waits(registry, 0);
    uint64_t counts[3] = {100, 0, 0};
    for (uint64_t i = 0; i < 3; i++) {
        struct tel_series *series = tel_family_series(family, 0, VALUES("/a", i == 0 ? "1" : "2"));
        tel_histogram_observe(series, 0, i * 600 * MS, NULL);
    }
    for (const struct tel_series *series = NULL;
         (series = tel_family_next_series(family, series)) != NULL;) {
        tel_histogram_add_counts(series, counts);
    }
    assert_int_equal(counts[0], 101);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 1);
    tel_registry_destroy(registry);
}

/* Name and exemplar, put together with the count, are the line that OpenMetrics has. */
static void test_a_bucket_and_its_exemplar_as_exposed(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = tel_family_series(waits(registry, 0), 0, VALUES("/a\"b\\", "200"));
    struct tel_exemplar exemplar = {.wall_ns = 1700000000123456789u};
    memset(exemplar.trace_id, 0xab, sizeof(exemplar.trace_id));
    memset(exemplar.span_id, 0xcd, sizeof(exemplar.span_id));
    tel_histogram_observe(series, 0, 1234567, &exemplar);
    struct tel_buffer line;
    tel_buffer_init(&line, 1024);
    tel_histogram_append_bucket(series, 0, &line);
    tel_buffer_append_string(&line, " 1 ");
    tel_exemplar_append(&exemplar, 1234567, &line);
    tel_buffer_append_char(&line, '\0');
    assert_int_equal(line.error, 0);
    assert_string_equal(line.data,
                        "w_seconds_bucket{route=\"/a\\\"b\\\\\",code=\"200\",le=\"0.005\"} 1 # "
                        "{trace_id=\"abababababababababababababababab\","
                        "span_id=\"cdcdcdcdcdcdcdcd\"} 0.001234567 1700000000.123");
    assert_true(has_line(registry, TEL_EXPOSITION_OPENMETRICS, line.data));
    tel_buffer_fini(&line);
    tel_registry_destroy(registry);
}

static void test_what_does_not_fit_is_the_buffers_error(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = tel_family_series(waits(registry, 0), 0, VALUES("/a", "200"));
    const struct tel_exemplar exemplar = {.wall_ns = 1};
    struct tel_buffer out;
    tel_buffer_init(&out, 20);
    tel_histogram_append_bucket(series, 2, &out);
    assert_int_equal(out.error, -EMSGSIZE);
    tel_buffer_clear(&out);
    tel_exemplar_append(&exemplar, 1, &out);
    assert_int_equal(out.error, -EMSGSIZE);
    tel_buffer_fini(&out);
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_by_type),
        cmocka_unit_test(test_sums_of_counters_saturate_over_series),
        cmocka_unit_test(test_series_come_in_the_order_made),
        cmocka_unit_test(test_the_overflow_series_comes_last_and_has_no_labels),
        cmocka_unit_test(test_a_family_without_labels_has_one),
        cmocka_unit_test(test_buckets_are_found_as_they_are_counted),
        cmocka_unit_test(test_counts_of_several_series_add_up),
        cmocka_unit_test(test_a_bucket_and_its_exemplar_as_exposed),
        cmocka_unit_test(test_what_does_not_fit_is_the_buffers_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
