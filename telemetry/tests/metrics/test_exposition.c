/*
 * The walk over families, and samples that a family collects at scrape time: what all formats have
 * in common.
 */
#include <math.h>

#include "expose.h"

static const enum tel_exposition_format formats[] = {
    TEL_EXPOSITION_TEXT, TEL_EXPOSITION_OPENMETRICS, TEL_EXPOSITION_PROTOBUF};

struct sample {
    const char *label;
    double value;
};

/* Emits a list of samples that ends with a NULL label. */
static void collect_list(struct tel_scrape *scrape, void *argument)
{
    for (const struct sample *sample = argument; sample->label != NULL; sample++) {
        tel_scrape_emit(scrape, VALUES(sample->label), sample->value);
    }
}

static struct tel_registry *registry_with(enum tel_metric_type type, const char *name,
                                          const struct sample *samples)
{
    static const char *const names[] = {"k"};
    struct tel_registry *registry = registry_of(1);
    family_of(registry, (struct tel_family_options){.name = name,
                                                    .help = "Help.",
                                                    .type = type,
                                                    .divisor = 1000, /* not for what is emitted */
                                                    .label_names = names,
                                                    .label_count = 1,
                                                    .collect = collect_list,
                                                    .collect_argument = (void *)samples});
    return registry;
}

static void test_collected_samples_are_exposed_as_emitted(void **state)
{
    (void)state;
    static const struct sample samples[] = {{"a", 1500}, {"b\"\n", -0.25}, {"", 3}, {NULL, 0}};
    struct tel_registry *registry = registry_with(TEL_GAUGE, "depth", samples);
    assert_exposed(registry, TEL_EXPOSITION_TEXT,
                   "# HELP depth Help.\n"
                   "# TYPE depth gauge\n"
                   "depth{k=\"a\"} 1500\n"
                   "depth{k=\"b\\\"\\n\"} -0.25\n"
                   "depth 3\n");
    tel_registry_destroy(registry);
}

static void test_a_family_that_emits_nothing_leaves_no_trace(void **state)
{
    (void)state;
    static const struct sample none[] = {{NULL, 0}};
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct tel_registry *registry = registry_with(TEL_GAUGE, "depth", none);
        assert_exposed(registry, formats[i],
                       formats[i] == TEL_EXPOSITION_OPENMETRICS ? "# EOF\n" : "");
        tel_registry_destroy(registry);
    }
}

/* A scraper refuses everything for one negative counter: better that sample is missing. */
static void test_impossible_counters_are_left_out(void **state)
{
    (void)state;
    const struct sample samples[] = {{"bad", -1}, {"worse", NAN}, {"good", 2}, {NULL, 0}};
    struct tel_registry *registry = registry_with(TEL_COUNTER, "lost_total", samples);
    assert_exposed(
        registry, TEL_EXPOSITION_TEXT,
        "# HELP lost_total Help.\n# TYPE lost_total counter\nlost_total{k=\"good\"} 2\n");
    tel_registry_destroy(registry);
    const struct sample only_bad[] = {{"bad", -1}, {NULL, 0}};
    registry = registry_with(TEL_COUNTER, "lost_total", only_bad);
    assert_exposed(registry, TEL_EXPOSITION_TEXT, "");
    tel_registry_destroy(registry);
}

static void test_gauges_may_be_anything(void **state)
{
    (void)state;
    const struct sample samples[] = {
        {"a", NAN}, {"b", HUGE_VAL}, {"c", -HUGE_VAL}, {"d", 1e300}, {NULL, 0}};
    struct tel_registry *registry = registry_with(TEL_GAUGE, "depth", samples);
    static const char *const lines[] = {"depth{k=\"a\"} NaN", "depth{k=\"b\"} +Inf",
                                        "depth{k=\"c\"} -Inf", "depth{k=\"d\"} 1e+300"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_true(has_line(registry, TEL_EXPOSITION_TEXT, lines[i]));
    }
    tel_registry_destroy(registry);
}

static void test_an_info_is_always_1(void **state)
{
    (void)state;
    static const struct sample samples[] = {{"a", 17}, {NULL, 0}};
    struct tel_registry *registry = registry_with(TEL_INFO, "build_info", samples);
    assert_true(has_line(registry, TEL_EXPOSITION_TEXT, "build_info{k=\"a\"} 1"));
    assert_true(has_line(registry, TEL_EXPOSITION_OPENMETRICS, "build_info{k=\"a\"} 1"));
    tel_registry_destroy(registry);
}

/* A scrape adds to what is in the buffer. */
static void test_expose_appends(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    family_of(registry, (struct tel_family_options){.name = "g", .type = TEL_GAUGE});
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    tel_buffer_append_string(&out, "before\n");
    assert_int_equal(tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &out), 0);
    assert_int_equal(out.length, strlen("before\n# TYPE g gauge\ng 0\n"));
    assert_memory_equal(out.data, "before\n# TYPE g gauge\ng 0\n", out.length);
    tel_buffer_fini(&out);
    tel_registry_destroy(registry);
}

static struct tel_registry *registry_with_everything(void)
{
    static const char *const names[] = {"k"};
    static const uint64_t bounds[] = {1000000, 1000000000};
    static const struct sample samples[] = {{"x", 1.5}, {NULL, 0}};
    struct tel_registry *registry = registry_with(TEL_GAUGE, "depth", samples);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .help = "Wait.",
                                                        .type = TEL_HISTOGRAM,
                                                        .label_names = names,
                                                        .label_count = 1,
                                                        .bounds_ns = bounds,
                                                        .bound_count = 2});
    struct tel_exemplar exemplar = {.wall_ns = 1700000000000000000};
    struct tel_series *series = tel_family_series(family, 0, VALUES("v"));
    tel_histogram_observe(series, 0, 5000, &exemplar);
    tel_histogram_observe(series, 0, 5000000000, &exemplar);
    family_of(registry,
              (struct tel_family_options){.name = "c_total", .help = "C.", .type = TEL_COUNTER});
    return registry;
}

/* Wherever the ceiling comes, the error is told and nothing beyond it was written. */
static void test_a_buffer_too_small_is_an_error_at_any_size(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_with_everything();
    for (size_t i = 0; i < COUNT(formats); i++) {
        size_t whole;
        free(expose(registry, formats[i], &whole));
        for (size_t limit = 0; limit < whole; limit++) {
            struct tel_buffer out;
            tel_buffer_init(&out, limit);
            assert_int_equal(tel_registry_expose(registry, formats[i], &out), -EMSGSIZE);
            assert_true(out.length <= limit);
            tel_buffer_fini(&out);
        }
    }
    tel_registry_destroy(registry);
}

/* The text formats fail between lines: what is there is whole. */
static void test_a_failed_text_scrape_is_a_prefix(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_with_everything();
    size_t length;
    char *whole = expose(registry, TEL_EXPOSITION_OPENMETRICS, &length);
    struct tel_buffer out;
    tel_buffer_init(&out, length / 2);
    assert_int_equal(tel_registry_expose(registry, TEL_EXPOSITION_OPENMETRICS, &out), -EMSGSIZE);
    assert_true(out.length > 0);
    assert_memory_equal(out.data, whole, out.length);
    tel_buffer_fini(&out);
    free(whole);
    tel_registry_destroy(registry);
}

static void test_two_scrapes_of_the_same_are_equal(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_with_everything();
    for (size_t i = 0; i < COUNT(formats); i++) {
        size_t first_length;
        size_t second_length;
        char *first = expose(registry, formats[i], &first_length);
        char *second = expose(registry, formats[i], &second_length);
        assert_int_equal(first_length, second_length);
        assert_memory_equal(first, second, first_length);
        free(second);
        free(first);
    }
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_collected_samples_are_exposed_as_emitted),
        cmocka_unit_test(test_a_family_that_emits_nothing_leaves_no_trace),
        cmocka_unit_test(test_impossible_counters_are_left_out),
        cmocka_unit_test(test_gauges_may_be_anything),
        cmocka_unit_test(test_an_info_is_always_1),
        cmocka_unit_test(test_expose_appends),
        cmocka_unit_test(test_a_buffer_too_small_is_an_error_at_any_size),
        cmocka_unit_test(test_a_failed_text_scrape_is_a_prefix),
        cmocka_unit_test(test_two_scrapes_of_the_same_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
