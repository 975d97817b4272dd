/*
 * Every allocation fails once. Linked with --wrap for the allocator's functions, so that the n-th
 * call answers NULL: whatever n, nothing crashes or leaks, and what the header promises of a
 * machine without memory holds.
 */
#include "expose.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static long allocations_left = -1; /* before one fails; -1: none does */
static int failed;

static int fails_now(void)
{
    if (allocations_left < 0 || allocations_left-- > 0) {
        return 0;
    }
    failed = 1;
    errno = ENOMEM;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : __real_aligned_alloc(alignment, size);
}

static const char *const names[] = {"code"};
static const uint64_t bounds[] = {1000000, 1000000000};

static const struct tel_family_options families[] = {
    {.name = "c_total", .type = TEL_COUNTER, .label_names = names, .label_count = 1},
    {.name = "g", .type = TEL_GAUGE},
    {.name = "w_seconds",
     .type = TEL_HISTOGRAM,
     .label_names = names,
     .label_count = 1,
     .bounds_ns = bounds,
     .bound_count = COUNT(bounds)},
};

/* Setup with the n-th allocation failing: NULL and ENOMEM, or it was not needed. */
static void test_setup_fails_cleanly(void **state)
{
    (void)state;
    failed = 1;
    for (long n = 0; failed; n++) {
        failed = 0;
        allocations_left = n;
        errno = 0;
        struct tel_registry *registry = tel_registry_create(2);
        assert_int_equal(registry == NULL, failed);
        for (size_t i = 0; registry != NULL && i < COUNT(families); i++) {
            int failed_before = failed;
            struct tel_family *family = tel_family_create(registry, &families[i]);
            assert_int_equal(family == NULL, failed && !failed_before);
            if (family == NULL) {
                assert_int_equal(errno, ENOMEM);
            }
        }
        allocations_left = -1;
        tel_registry_destroy(registry);
    }
}

/* A series that cannot be made is the overflow series, and is counted. */
static void test_series_are_never_null(void **state)
{
    (void)state;
    failed = 1;
    for (long n = 0; failed; n++) {
        struct tel_registry *registry = registry_of(2);
        struct tel_family *counter = family_of(registry, families[0]);
        failed = 0;
        allocations_left = n;
        for (char code[] = "200"; code[2] < '9'; code[2]++) {
            struct tel_series *series = tel_family_series(counter, 0, VALUES(code));
            assert_non_null(series);
            tel_counter_inc(series, 1);
        }
        allocations_left = -1;
        assert_int_equal(tel_registry_overflow_count(registry), failed);
        assert_int_equal(tel_family_value(counter), 9); /* all nine increments are somewhere */
        assert_int_equal(
            has_line(registry, TEL_EXPOSITION_TEXT, "c_total{otel_metric_overflow=\"true\"} 1"),
            failed);
        tel_registry_destroy(registry);
    }
}

/* An observation without cells is dropped and counted; the next one that gets them counts. */
static void test_observations_are_counted_or_dropped(void **state)
{
    (void)state;
    failed = 1;
    for (long n = 0; failed; n++) {
        struct tel_registry *registry = registry_of(1);
        struct tel_series *series =
            tel_family_series(family_of(registry, families[2]), 0, VALUES("200"));
        struct tel_exemplar exemplar = {.wall_ns = 1};
        failed = 0;
        allocations_left = n;
        for (int i = 0; i < 5; i++) {
            tel_histogram_observe(series, 0, 2000000, &exemplar);
        }
        allocations_left = -1;
        assert_int_equal(tel_series_value(series) + tel_registry_dropped_count(registry), 5);
        assert_true(tel_registry_dropped_count(registry) <= 1);
        tel_registry_destroy(registry);
    }
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
    struct tel_registry *registry = registry_of(1);
    for (size_t i = 0; i < COUNT(families); i++) {
        tel_family_series(family_of(registry, families[i]), 0, VALUES("200"));
    }
    family_of(registry, (struct tel_family_options){.name = "collected",
                                                    .type = TEL_GAUGE,
                                                    .label_names = names,
                                                    .label_count = 1,
                                                    .collect = emit_one});
    for (int format = TEL_EXPOSITION_TEXT; format <= TEL_EXPOSITION_PROTOBUF; format++) {
        failed = 1;
        for (long n = 0; failed; n++) {
            struct tel_buffer out;
            tel_buffer_init(&out, EXPOSITION_LIMIT);
            failed = 0;
            allocations_left = n;
            int result = tel_registry_expose(registry, (enum tel_exposition_format)format, &out);
            allocations_left = -1;
            assert_int_equal(result, failed ? -ENOMEM : 0);
            tel_buffer_fini(&out);
        }
    }
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup_fails_cleanly),
        cmocka_unit_test(test_series_are_never_null),
        cmocka_unit_test(test_observations_are_counted_or_dropped),
        cmocka_unit_test(test_a_scrape_tells_that_it_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
