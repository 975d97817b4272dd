/*
 * Prometheus text 0.0.4, byte for byte.
 */
#include "expose.h"

static const char *const code[] = {"code"};

static void test_a_counter_with_help(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "app_requests_total",
                                                        .help = "Requests \"answered\" \\ or\nnot.",
                                                        .type = TEL_COUNTER,
                                                        .label_names = code,
                                                        .label_count = 1});
    tel_counter_inc(tel_family_series(family, 0, VALUES("200")), 0);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# HELP app_requests_total Requests \"answered\" \\\\ or\\nnot.\n"
                   "# TYPE app_requests_total counter\n"
                   "app_requests_total{code=\"200\"} 1\n");
    tel_registry_destroy(registry);
}

static void test_a_unit_has_no_line_of_its_own(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    family_of(registry, (struct tel_family_options){
                            .name = "memory_bytes", .unit = "bytes", .type = TEL_GAUGE});
    assert_exposed(registry, TEL_EXPOSITION_TEXT, "# TYPE memory_bytes gauge\nmemory_bytes 0\n");
    tel_registry_destroy(registry);
}

static void test_an_info_is_a_gauge(void **state)
{
    (void)state;
    static const char *const names[] = {"service_name", "service_version"};
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "target_info",
                                                        .help = "Target.",
                                                        .type = TEL_INFO,
                                                        .label_names = names,
                                                        .label_count = 2});
    tel_family_series(family, 0, VALUES("glass \"box\"", "0.1"));
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# HELP target_info Target.\n"
                   "# TYPE target_info gauge\n"
                   "target_info{service_name=\"glass \\\"box\\\"\",service_version=\"0.1\"} 1\n");
    tel_registry_destroy(registry);
}

static struct tel_family *histogram_of(struct tel_registry *registry, const char *const *names,
                                       size_t label_count)
{
    static const uint64_t bounds[] = {250000, 1000000000, 10000000000};
    return family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                           .help = "Wait.",
                                                           .type = TEL_HISTOGRAM,
                                                           .label_names = names,
                                                           .label_count = label_count,
                                                           .bounds_ns = bounds,
                                                           .bound_count = COUNT(bounds)});
}

/* No exemplars here: this format has none. */
static void test_a_histogram_with_labels(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_series *series =
        tel_family_series(histogram_of(registry, code, 1), 0, VALUES("200"));
    struct tel_exemplar exemplar = {.wall_ns = 1};
    tel_histogram_observe(series, 0, 250000, &exemplar);
    tel_histogram_observe(series, 1, 250001, &exemplar);
    tel_histogram_observe(series, 0, 11000000000, &exemplar);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# HELP w_seconds Wait.\n"
                   "# TYPE w_seconds histogram\n"
                   "w_seconds_bucket{code=\"200\",le=\"0.00025\"} 1\n"
                   "w_seconds_bucket{code=\"200\",le=\"1.0\"} 2\n"
                   "w_seconds_bucket{code=\"200\",le=\"10.0\"} 2\n"
                   "w_seconds_bucket{code=\"200\",le=\"+Inf\"} 3\n"
                   "w_seconds_sum{code=\"200\"} 11.000500001\n"
                   "w_seconds_count{code=\"200\"} 3\n");
    tel_registry_destroy(registry);
}

static void test_a_histogram_without_labels_stands_at_0(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    histogram_of(registry, NULL, 0);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# HELP w_seconds Wait.\n"
                   "# TYPE w_seconds histogram\n"
                   "w_seconds_bucket{le=\"0.00025\"} 0\n"
                   "w_seconds_bucket{le=\"1.0\"} 0\n"
                   "w_seconds_bucket{le=\"10.0\"} 0\n"
                   "w_seconds_bucket{le=\"+Inf\"} 0\n"
                   "w_seconds_sum 0\n"
                   "w_seconds_count 0\n");
    tel_registry_destroy(registry);
}

static void test_a_histogram_that_is_full_has_an_overflow_series(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {1000000000};
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .type = TEL_HISTOGRAM,
                                                        .label_names = code,
                                                        .label_count = 1,
                                                        .series_limit = 1,
                                                        .bounds_ns = bounds,
                                                        .bound_count = 1});
    tel_family_series(family, 0, VALUES("200"));
    tel_histogram_observe(tel_family_series(family, 0, VALUES("404")), 0, 2000000000, NULL);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# TYPE w_seconds histogram\n"
                   "w_seconds_bucket{code=\"200\",le=\"1.0\"} 0\n"
                   "w_seconds_bucket{code=\"200\",le=\"+Inf\"} 0\n"
                   "w_seconds_sum{code=\"200\"} 0\n"
                   "w_seconds_count{code=\"200\"} 0\n"
                   "w_seconds_bucket{otel_metric_overflow=\"true\",le=\"1.0\"} 0\n"
                   "w_seconds_bucket{otel_metric_overflow=\"true\",le=\"+Inf\"} 1\n"
                   "w_seconds_sum{otel_metric_overflow=\"true\"} 2\n"
                   "w_seconds_count{otel_metric_overflow=\"true\"} 1\n");
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_counter_with_help),
        cmocka_unit_test(test_a_unit_has_no_line_of_its_own),
        cmocka_unit_test(test_an_info_is_a_gauge),
        cmocka_unit_test(test_a_histogram_with_labels),
        cmocka_unit_test(test_a_histogram_without_labels_stands_at_0),
        cmocka_unit_test(test_a_histogram_that_is_full_has_an_overflow_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
