/*
 * OpenMetrics 1.0 text, byte for byte: where it differs from the older format.
 */
#include "expose.h"

static const char *const code[] = {"code"};

static void test_an_empty_exposition_still_ends(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    assert_exposed(registry, TEL_EXPOSITION_OPENMETRICS, "# EOF\n");
    tel_registry_destroy(registry);
}

static void test_headers_name_the_family_and_samples_the_metric(void **state)
{
    (void)state;
    static const struct {
        struct tel_family_options options;
        const char *text;
    } cases[] = {
        {{.name = "hits_total", .help = "Hits.", .type = TEL_COUNTER},
         "# TYPE hits counter\n# HELP hits Hits.\nhits_total 0\n# EOF\n"},
        {{.name = "busy_seconds_total", .help = "B.", .unit = "seconds", .type = TEL_COUNTER},
         "# TYPE busy_seconds counter\n# UNIT busy_seconds seconds\n# HELP busy_seconds B.\n"
         "busy_seconds_total 0\n# EOF\n"},
        {{.name = "depth", .type = TEL_GAUGE}, "# TYPE depth gauge\ndepth 0\n# EOF\n"},
        {{.name = "size_bytes", .unit = "bytes", .type = TEL_GAUGE},
         "# TYPE size_bytes gauge\n# UNIT size_bytes bytes\nsize_bytes 0\n# EOF\n"},
        {{.name = "build_info", .help = "Build.", .type = TEL_INFO},
         "# TYPE build info\n# HELP build Build.\nbuild_info 1\n# EOF\n"},
        {{.name = "q", .help = "a \"b\" \\ \n", .type = TEL_GAUGE},
         "# TYPE q gauge\n# HELP q a \\\"b\\\" \\\\ \\n\nq 0\n# EOF\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        family_of(registry, cases[i].options);
        assert_exposed(registry, TEL_EXPOSITION_OPENMETRICS, cases[i].text);
        tel_registry_destroy(registry);
    }
}

static struct tel_series *histogram_of(struct tel_registry *registry)
{
    static const uint64_t bounds[] = {5000000, 1000000000};
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .help = "Wait.",
                                                        .type = TEL_HISTOGRAM,
                                                        .label_names = code,
                                                        .label_count = 1,
                                                        .bounds_ns = bounds,
                                                        .bound_count = COUNT(bounds)});
    return tel_family_series(family, 0, VALUES("200"));
}

static void test_buckets_carry_exemplars(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = histogram_of(registry);
    const struct tel_exemplar exemplar = {
        .trace_id = {0x0A, 0xF7, 0x65, 0x19, 0x16, 0xCD, 0x43, 0xDD, 0x84, 0x48, 0xEB, 0x21, 0x1C,
                     0x80, 0x31, 0x9C},
        .span_id = {0xB7, 0xAD, 0x6B, 0x71, 0x69, 0x20, 0x33, 0x31},
        .wall_ns = 1700000000123999999,
    };
    tel_histogram_observe(series, 0, 1234567, &exemplar);
    tel_histogram_observe(series, 0, 500000000, NULL);
    assert_exposed(registry, TEL_EXPOSITION_OPENMETRICS,
                   "# TYPE w_seconds histogram\n"
                   "# UNIT w_seconds seconds\n"
                   "# HELP w_seconds Wait.\n"
                   "w_seconds_bucket{code=\"200\",le=\"0.005\"} 1"
                   " # {trace_id=\"0af7651916cd43dd8448eb211c80319c\",span_id=\"b7ad6b7169203331\"}"
                   " 0.001234567 1700000000.123\n"
                   "w_seconds_bucket{code=\"200\",le=\"1.0\"} 2\n"
                   "w_seconds_bucket{code=\"200\",le=\"+Inf\"} 2\n"
                   "w_seconds_sum{code=\"200\"} 0.501234567\n"
                   "w_seconds_count{code=\"200\"} 2\n"
                   "# EOF\n");
    tel_registry_destroy(registry);
}

/* The longest exemplar there can be fits into the room that is asked for. */
static void test_the_largest_numbers_fit(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = histogram_of(registry);
    struct tel_exemplar exemplar = {.wall_ns = UINT64_MAX};
    memset(exemplar.trace_id, 0xFF, sizeof(exemplar.trace_id));
    memset(exemplar.span_id, 0xFF, sizeof(exemplar.span_id));
    tel_histogram_observe(series, 0, UINT64_MAX, &exemplar);
    assert_true(
        has_line(registry, TEL_EXPOSITION_OPENMETRICS,
                 "w_seconds_bucket{code=\"200\",le=\"+Inf\"} 1"
                 " # {trace_id=\"ffffffffffffffffffffffffffffffff\",span_id=\"ffffffffffffffff\"}"
                 " 18446744073.709551615 18446744073.709"));
    tel_registry_destroy(registry);
}

/* Every line is a comment or a sample, none is empty, the last is the end. */
static void test_lines_are_well_formed(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    histogram_of(registry);
    assert_int_equal(tel_process_register(registry), 0);
    size_t length;
    char *text = expose(registry, TEL_EXPOSITION_OPENMETRICS, &length);
    assert_true(length > 6);
    assert_string_equal(text + length - 6, "# EOF\n");
    assert_null(strstr(text, "\n\n"));
    size_t ends = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        ends += strcmp(line, "# EOF") == 0;
        assert_true(strncmp(line, "# TYPE ", 7) == 0 || strncmp(line, "# HELP ", 7) == 0 ||
                    strncmp(line, "# UNIT ", 7) == 0 || strcmp(line, "# EOF") == 0 ||
                    (line[0] != '#' && strchr(line, ' ') != NULL));
    }
    assert_int_equal(ends, 1);
    free(text);
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_exposition_still_ends),
        cmocka_unit_test(test_headers_name_the_family_and_samples_the_metric),
        cmocka_unit_test(test_buckets_carry_exemplars),
        cmocka_unit_test(test_the_largest_numbers_fit),
        cmocka_unit_test(test_lines_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
