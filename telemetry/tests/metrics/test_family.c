/*
 * What a family may be called, and what is refused before it could break a scrape.
 */
#include "expose.h"

static const char *const no_labels[1] = {NULL};

static void test_names_are_checked_by_type(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum tel_metric_type type;
        int error;
    } cases[] = {
        {"app_requests_total", TEL_COUNTER, 0},
        {"app:requests_total", TEL_COUNTER, 0},
        {"_x_total", TEL_COUNTER, 0},
        {"app_requests", TEL_COUNTER, EINVAL}, /* a counter ends in _total */
        {"_total", TEL_COUNTER, EINVAL},       /* and is called something */
        {"app_total_total", TEL_COUNTER, EINVAL},
        {"9lives_total", TEL_COUNTER, EINVAL},
        {"app-requests_total", TEL_COUNTER, EINVAL},
        {"caf\xC3\xA9_total", TEL_COUNTER, EINVAL},
        {"", TEL_COUNTER, EINVAL},
        {NULL, TEL_COUNTER, EINVAL},
        {"queue_size", TEL_GAUGE, 0},
        {"x", TEL_GAUGE, 0},
        {"queue_total", TEL_GAUGE, EINVAL},
        {"queue_info", TEL_GAUGE, EINVAL},
        {"queue_count", TEL_GAUGE, EINVAL},
        {"queue_sum", TEL_GAUGE, EINVAL},
        {"queue_bucket", TEL_GAUGE, EINVAL},
        {"queue_created", TEL_GAUGE, EINVAL},
        {"queue_created_total", TEL_COUNTER, 0}, /* how many were created */
        {"wait_seconds", TEL_HISTOGRAM, 0},
        {"wait", TEL_HISTOGRAM, EINVAL}, /* it exposes seconds */
        {"_seconds", TEL_HISTOGRAM, EINVAL},
        {"target_info", TEL_INFO, 0},
        {"target", TEL_INFO, EINVAL},
        {"x", (enum tel_metric_type)17, EINVAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        struct tel_family_options options = {.name = cases[i].name, .type = cases[i].type};
        errno = 0;
        struct tel_family *family = tel_family_create(registry, &options);
        assert_int_equal(family == NULL ? errno : 0, cases[i].error);
        tel_registry_destroy(registry);
    }
}

static void test_units_are_the_last_part_of_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *unit;
        enum tel_metric_type type;
        int error;
    } cases[] = {
        {"busy_seconds_total", "seconds", TEL_COUNTER, 0},
        {"memory_bytes", "bytes", TEL_GAUGE, 0},
        {"fill_ratio", "ratio", TEL_GAUGE, 0},
        {"wait_seconds", "seconds", TEL_HISTOGRAM, 0},
        {"wait_seconds", NULL, TEL_HISTOGRAM, 0},
        {"busy_total", "seconds", TEL_COUNTER, EINVAL},
        {"busyseconds_total", "seconds", TEL_COUNTER, EINVAL},
        {"memory_bytes", "byte", TEL_GAUGE, EINVAL},
        {"bytes", "bytes", TEL_GAUGE, EINVAL},
        {"memory_bytes", "", TEL_GAUGE, EINVAL},
        {"memory_b s", "b s", TEL_GAUGE, EINVAL},
        {"wait_seconds", "bytes", TEL_HISTOGRAM, EINVAL},
        {"x_bytes_info", "bytes", TEL_INFO, EINVAL}, /* an info has no unit */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        struct tel_family_options options = {
            .name = cases[i].name, .unit = cases[i].unit, .type = cases[i].type};
        errno = 0;
        struct tel_family *family = tel_family_create(registry, &options);
        assert_int_equal(family == NULL ? errno : 0, cases[i].error);
        tel_registry_destroy(registry);
    }
}

static int create_with_labels(enum tel_metric_type type, const char *const *names, size_t count)
{
    struct tel_registry *registry = registry_of(1);
    struct tel_family_options options = {
        .name = type == TEL_HISTOGRAM ? "wait_seconds" : "depth",
        .type = type,
        .label_names = names,
        .label_count = count,
    };
    errno = 0;
    int error = tel_family_create(registry, &options) == NULL ? errno : 0;
    tel_registry_destroy(registry);
    return error;
}

static void test_label_names_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *names[2];
        int error;
    } cases[] = {
        {{"code", "method"}, 0},
        {{"_code", "c0de"}, 0},
        {{"quantile", "le"}, 0},
        {{"code", "code"}, EINVAL},
        {{"code", ""}, EINVAL},
        {{"code", NULL}, EINVAL},
        {{"code", "0"}, EINVAL},
        {{"code", "a:b"}, EINVAL},
        {{"code", "a.b"}, EINVAL},
        {{"code", "__name__"}, EINVAL},
        {{"code", "otel_metric_overflow"}, EINVAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(create_with_labels(TEL_GAUGE, cases[i].names, 2), cases[i].error);
    }
    assert_int_equal(create_with_labels(TEL_HISTOGRAM, VALUES("le"), 1), EINVAL);
    assert_int_equal(create_with_labels(TEL_GAUGE, NULL, 1), EINVAL);
    assert_int_equal(create_with_labels(TEL_GAUGE, no_labels, 0), 0);
}

static void test_the_number_of_labels_is_bounded(void **state)
{
    (void)state;
    char text[TEL_LABELS_MAX + 1][4];
    const char *names[TEL_LABELS_MAX + 1];
    for (size_t i = 0; i < COUNT(names); i++) {
        text[i][0] = 'l';
        text[i][1] = (char)('a' + i / 26);
        text[i][2] = (char)('a' + i % 26);
        text[i][3] = '\0';
        names[i] = text[i];
    }
    assert_int_equal(create_with_labels(TEL_GAUGE, names, TEL_LABELS_MAX), 0);
    assert_int_equal(create_with_labels(TEL_GAUGE, names, TEL_LABELS_MAX + 1), EINVAL);
}

/* Two families clash as soon as any line or header of theirs would carry the same name. */
static void test_names_are_taken_with_all_they_expose(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        enum tel_metric_type first_type;
        const char *second;
        enum tel_metric_type second_type;
        int error;
    } cases[] = {
        {"a_total", TEL_COUNTER, "a_total", TEL_COUNTER, EEXIST},
        {"a_total", TEL_COUNTER, "b_total", TEL_COUNTER, 0},
        {"a_total", TEL_COUNTER, "a_created_total", TEL_COUNTER, EEXIST}, /* a's `a_created` */
        {"a_created_total", TEL_COUNTER, "a_total", TEL_COUNTER, EEXIST},
        {"a_total", TEL_COUNTER, "a", TEL_GAUGE, EEXIST}, /* `# TYPE a` in OpenMetrics */
        {"a", TEL_GAUGE, "a_total", TEL_COUNTER, EEXIST},
        {"a", TEL_GAUGE, "a_info", TEL_INFO, EEXIST},
        {"a_total", TEL_COUNTER, "a_info", TEL_INFO, EEXIST},
        {"a_seconds", TEL_HISTOGRAM, "a_seconds_total", TEL_COUNTER, EEXIST},
        {"a_seconds", TEL_HISTOGRAM, "a_seconds_max", TEL_GAUGE, 0},
        {"a_seconds", TEL_HISTOGRAM, "a", TEL_GAUGE, 0},
        {"ab", TEL_GAUGE, "a", TEL_GAUGE, 0},
        {"x_a", TEL_GAUGE, "x_b", TEL_GAUGE, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        family_of(registry,
                  (struct tel_family_options){.name = cases[i].first, .type = cases[i].first_type});
        struct tel_family_options second = {.name = cases[i].second, .type = cases[i].second_type};
        errno = 0;
        struct tel_family *family = tel_family_create(registry, &second);
        assert_int_equal(family == NULL ? errno : 0, cases[i].error);
        tel_registry_destroy(registry);
    }
}

static void collect_nothing(struct tel_scrape *scrape, void *argument)
{
    (void)scrape;
    (void)argument;
}

static void test_what_else_is_refused(void **state)
{
    (void)state;
    const uint64_t unsorted[] = {2, 1};
    const struct tel_family_options cases[] = {
        {.name = "w_seconds", .type = TEL_HISTOGRAM, .bounds_ns = unsorted, .bound_count = 2},
        {.name = "w_seconds", .type = TEL_HISTOGRAM, .bound_count = 1},
        {.name = "w_seconds", .type = TEL_HISTOGRAM, .collect = collect_nothing},
        {.name = "w", .type = TEL_GAUGE, .help = "not \xFF UTF-8"},
    };
    struct tel_registry *registry = registry_of(1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        errno = 0;
        assert_null(tel_family_create(registry, &cases[i]));
        assert_int_equal(errno, EINVAL);
    }
    assert_exposed(registry, TEL_EXPOSITION_TEXT, ""); /* nothing of them stayed */
    tel_registry_destroy(registry);
}

/* Only the strings are borrowed: the array of names and the bounds may be on a stack. */
static void test_arrays_are_copied(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    const char *names[] = {"code"};
    uint64_t bounds[] = {1000000000};
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .type = TEL_HISTOGRAM,
                                                        .label_names = names,
                                                        .label_count = 1,
                                                        .bounds_ns = bounds,
                                                        .bound_count = 1});
    names[0] = NULL;
    bounds[0] = 7;
    tel_family_series(family, 0, VALUES("200"));
    assert_true(
        has_line(registry, TEL_EXPOSITION_TEXT, "w_seconds_bucket{code=\"200\",le=\"1.0\"} 0"));
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_checked_by_type),
        cmocka_unit_test(test_units_are_the_last_part_of_the_name),
        cmocka_unit_test(test_label_names_are_checked),
        cmocka_unit_test(test_the_number_of_labels_is_bounded),
        cmocka_unit_test(test_names_are_taken_with_all_they_expose),
        cmocka_unit_test(test_what_else_is_refused),
        cmocka_unit_test(test_arrays_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
