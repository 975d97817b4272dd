/*
 * Hot calls without memory, each allocation refused in turn: what the header promises of a machine
 * that has none left. That nothing is made by halves is faults/test_creators.c's business.
 */
#include "expose.h"
#include "faults.h"

static const char *const names[] = {"code"};
static const uint64_t bounds[] = {1000000, 1000000000};

static const struct tel_family_options counter_options = {
    .name = "c_total", .type = TEL_COUNTER, .label_names = names, .label_count = 1};
static const struct tel_family_options histogram_options = {.name = "w_seconds",
                                                            .type = TEL_HISTOGRAM,
                                                            .label_names = names,
                                                            .label_count = 1,
                                                            .bounds_ns = bounds,
                                                            .bound_count = COUNT(bounds)};

/* A turn's registry: making it is not what is refused. */
static struct tel_registry *registry;
static struct tel_family *family;
static struct tel_series *first;

static void make(const struct tel_family_options *options)
{
    faults_stop();
    registry = registry_of(1);
    family = family_of(registry, *options);
    first = tel_family_series(family, 0, VALUES("first"));
    faults_resume();
}

/* A series that cannot be made is the overflow series, and is counted. */
static void test_series_are_never_null(void **state)
{
    (void)state;
    struct faults faults = {.kinds = FAULTS_OURS};
    while (faults_next(&faults)) {
        make(&counter_options);
        for (char code[] = "200"; code[2] < '9'; code[2]++) {
            struct tel_series *series = tel_family_series(family, 0, VALUES(code));
            assert_non_null(series);
            tel_counter_inc(series, 0);
        }
        faults_stop();
        unsigned long refused = faults_struck();
        assert_int_equal(tel_registry_overflow_count(registry), refused);
        assert_int_equal(tel_family_value(family), 9); /* all nine increments are somewhere */
        assert_int_equal(
            has_line(registry, TEL_EXPOSITION_TEXT, "c_total{otel_metric_overflow=\"true\"} 1"),
            refused);
        tel_registry_destroy(registry);
    }
    assert_true(faults.turns > 10);
}

/* An observation without cells of its own is the overflow series', and nothing is lost. */
static void test_observations_are_never_lost(void **state)
{
    (void)state;
    struct faults faults = {.kinds = FAULTS_OURS, .lasting = true};
    const struct tel_exemplar exemplar = {.wall_ns = 1};
    while (faults_next(&faults)) {
        make(&histogram_options);
        for (int i = 0; i < 5; i++) {
            tel_histogram_observe(first, 0, 2000000, &exemplar);
        }
        faults_stop();
        unsigned long lost = faults.turns == 1 ? 5 : 0; /* the second call is for the exemplars */
        assert_int_equal(tel_family_value(family), 5);
        assert_int_equal(tel_series_value(first), 5 - lost);
        assert_int_equal(tel_registry_overflow_count(registry), lost);
        assert_int_equal(has_line(registry, TEL_EXPOSITION_TEXT,
                                  "w_seconds_count{otel_metric_overflow=\"true\"} 5"),
                         faults.turns == 1);
        tel_registry_destroy(registry);
    }
    assert_int_equal(faults.turns, 3);
}

static void emit_one(struct tel_scrape *scrape, void *argument)
{
    (void)argument;
    tel_scrape_emit(scrape, VALUES("x"), 1);
}

/* A scrape that finds no memory says so; the next one is whole. */
static void test_a_scrape_tells_that_it_failed(void **state)
{
    (void)state;
    make(&counter_options);
    tel_family_series(family_of(registry, histogram_options), 0, VALUES("200"));
    family_of(registry, (struct tel_family_options){.name = "collected",
                                                    .type = TEL_GAUGE,
                                                    .label_names = names,
                                                    .label_count = 1,
                                                    .collect = emit_one});
    for (int format = TEL_EXPOSITION_TEXT; format <= TEL_EXPOSITION_PROTOBUF; format++) {
        struct faults faults = {.kinds = FAULTS_OURS};
        while (faults_next(&faults)) {
            struct tel_buffer out;
            tel_buffer_init(&out, EXPOSITION_LIMIT);
            int result = tel_registry_expose(registry, (enum tel_exposition_format)format, &out);
            assert_int_equal(result, faults_struck() ? -ENOMEM : 0);
            tel_buffer_fini(&out);
        }
        assert_true(faults.turns > 1);
    }
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series_are_never_null),
        cmocka_unit_test(test_observations_are_never_lost),
        cmocka_unit_test(test_a_scrape_tells_that_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
