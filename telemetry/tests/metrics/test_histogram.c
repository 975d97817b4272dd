/*
 * Histograms: one observation, one cell; two views that cannot disagree.
 */
#include "expose.h"
#include "metrics/histogram.h"

#define US 1000ull
#define MS 1000000ull
#define S  1000000000ull

static const uint64_t bounds[] = {100 * US, 5 * MS, 100 * MS, 1 * S};

static struct tel_series *histogram_of(struct tel_registry *registry)
{
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .type = TEL_HISTOGRAM,
                                                        .bounds_ns = bounds,
                                                        .bound_count = COUNT(bounds)});
    return tel_family_series(family, 0, NULL);
}

static void observe_all(struct tel_series *series, size_t shard, const uint64_t *values,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tel_histogram_observe(series, shard, values[i], NULL);
    }
}

static void test_an_untouched_histogram_is_all_zero(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel__snapshot snapshot;
    struct tel__exemplar exemplar;
    struct tel_series *series = histogram_of(registry);
    tel__histogram_snapshot(series, &snapshot);
    assert_int_equal(snapshot.count, 0);
    assert_int_equal(snapshot.sum_ns, 0);
    for (size_t i = 0; i < snapshot.buckets->cell_count; i++) {
        assert_int_equal(snapshot.cells[i], 0);
    }
    assert_false(tel__histogram_exemplar(series, 0, &exemplar));
    tel_registry_destroy(registry);
}

/* A value on a bound belongs to the bucket that the bound closes. */
static void test_classic_buckets_are_cumulative(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,        100 * US, 100 * US + 1, 5 * MS, 5 * MS + 1,
                                      99999999, 1 * S,    1 * S + 1,    2 * S,  1000 * S};
    static const uint64_t expected[] = {2, 4, 6, 7, 10};
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = histogram_of(registry);
    observe_all(series, 0, values, COUNT(values));
    struct tel__snapshot snapshot;
    uint64_t cumulative[TEL_BUCKETS_MAX + 1];
    tel__histogram_snapshot(series, &snapshot);
    tel__snapshot_classic(&snapshot, cumulative);
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(cumulative[i], expected[i]);
    }
    assert_int_equal(snapshot.count, COUNT(values));
    tel_registry_destroy(registry);
}

static void test_native_buckets_have_powers_of_two_as_borders(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        int slot; /* index k, or one of the two ends */
    } cases[] = {
        {0, 0},
        {TEL_NATIVE_MIN_NS, 0},
        {TEL_NATIVE_MIN_NS + 1, 1},
        {S, 1 + 0 - TEL__NATIVE_FIRST},     /* (2^(-1/8), 1] */
        {S + 1, 1 + 1 - TEL__NATIVE_FIRST}, /* (1, 2^(1/8)] */
        {2 * S, 1 + 8 - TEL__NATIVE_FIRST},
        {64 * S, 1 + 48 - TEL__NATIVE_FIRST},
        {64 * S + 1, TEL__NATIVE_SLOTS - 1},
        {UINT64_MAX, TEL__NATIVE_SLOTS - 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        struct tel_series *series = histogram_of(registry);
        tel_histogram_observe(series, 0, cases[i].value, NULL);
        struct tel__snapshot snapshot;
        uint64_t slots[TEL__NATIVE_SLOTS];
        tel__histogram_snapshot(series, &snapshot);
        tel__snapshot_native(&snapshot, slots);
        for (int slot = 0; slot < TEL__NATIVE_SLOTS; slot++) {
            assert_int_equal(slots[slot], slot == cases[i].slot);
        }
        tel_registry_destroy(registry);
    }
}

/* Whatever is observed: count = last classic bucket = sum of the native ones. */
static void test_both_views_have_the_same_count(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(3);
    struct tel_series *series = histogram_of(registry);
    uint64_t value = 1;
    uint64_t sum = 0;
    for (size_t i = 0; i < 5000; i++) {
        value = value * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t duration = value >> (20 + i % 44);
        tel_histogram_observe(series, i % 3, duration, NULL);
        sum += duration;
    }
    struct tel__snapshot snapshot;
    uint64_t cumulative[TEL_BUCKETS_MAX + 1];
    uint64_t slots[TEL__NATIVE_SLOTS];
    uint64_t native = 0;
    tel__histogram_snapshot(series, &snapshot);
    tel__snapshot_classic(&snapshot, cumulative);
    tel__snapshot_native(&snapshot, slots);
    for (size_t i = 0; i < TEL__NATIVE_SLOTS; i++) {
        native += slots[i];
    }
    assert_int_equal(snapshot.count, 5000);
    assert_int_equal(cumulative[COUNT(bounds)], 5000);
    assert_int_equal(native, 5000);
    assert_int_equal(snapshot.sum_ns, sum);
    assert_int_equal(tel_series_value(series), 5000);
    tel_registry_destroy(registry);
}

static void test_the_sum_saturates(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_series *series = histogram_of(registry);
    tel_histogram_observe(series, 0, UINT64_MAX, NULL);
    tel_histogram_observe(series, 0, UINT64_MAX, NULL);
    tel_histogram_observe(series, 1, UINT64_MAX, NULL);
    assert_true(has_line(registry, TEL_EXPOSITION_TEXT, "w_seconds_sum 18446744073.709551615"));
    assert_true(has_line(registry, TEL_EXPOSITION_TEXT, "w_seconds_count 3"));
    tel_registry_destroy(registry);
}

static struct tel_exemplar exemplar_at(uint64_t wall_ns, uint8_t id)
{
    struct tel_exemplar exemplar = {.wall_ns = wall_ns};
    memset(exemplar.trace_id, id, sizeof(exemplar.trace_id));
    memset(exemplar.span_id, id, sizeof(exemplar.span_id));
    return exemplar;
}

static void test_each_classic_bucket_keeps_its_latest_exemplar(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = histogram_of(registry);
    struct tel_exemplar first = exemplar_at(1000, 1);
    struct tel_exemplar second = exemplar_at(2000, 2);
    struct tel_exemplar slow = exemplar_at(3000, 3);
    assert_true(tel_histogram_observe(series, 0, 1 * MS, &first));
    assert_true(tel_histogram_observe(series, 0, 2 * MS, &second)); /* another native bucket */
    assert_false(tel_histogram_observe(series, 0, 3 * MS, NULL));   /* leaves the link alone */
    assert_true(tel_histogram_observe(series, 0, 60 * S, &slow));
    struct tel__exemplar found;
    assert_true(tel__histogram_exemplar(series, 1, &found));
    assert_int_equal(found.value_ns, 2 * MS);
    assert_int_equal(found.trace.wall_ns, 2000);
    assert_int_equal(found.trace.trace_id[15], 2);
    assert_true(tel__histogram_exemplar(series, COUNT(bounds), &found));
    assert_int_equal(found.trace.span_id[7], 3);
    assert_false(tel__histogram_exemplar(series, 0, &found));
    assert_false(tel__histogram_exemplar(series, 2, &found));
    tel_registry_destroy(registry);
}

static void test_the_newest_exemplar_over_the_shards_wins(void **state)
{
    (void)state;
    static const uint64_t times[][3] = {{1, 2, 3}, {3, 2, 1}, {1, 3, 2}};
    static const size_t newest[] = {2, 0, 1};
    for (size_t i = 0; i < COUNT(times); i++) {
        struct tel_registry *registry = registry_of(4);
        struct tel_series *series = histogram_of(registry);
        for (size_t shard = 0; shard < 3; shard++) {
            struct tel_exemplar exemplar = exemplar_at(times[i][shard], (uint8_t)shard);
            tel_histogram_observe(series, shard, 1 * MS, &exemplar);
        }
        tel_histogram_observe(series, 3, 1 * MS, NULL); /* a shard that traced nothing */
        struct tel__exemplar found;
        assert_true(tel__histogram_exemplar(series, 1, &found));
        assert_int_equal(found.trace.trace_id[0], newest[i]);
        tel_registry_destroy(registry);
    }
}

static void test_only_shards_that_observed_have_cells(void **state)
{
    (void)state;
    static const char *const names[] = {"code"};
    struct tel_registry *registry = registry_of(4);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .type = TEL_HISTOGRAM,
                                                        .label_names = names,
                                                        .label_count = 1,
                                                        .bounds_ns = bounds,
                                                        .bound_count = COUNT(bounds)});
    struct tel_series *series = tel_family_series(family, 0, VALUES("200"));
    tel_histogram_observe(series, 2, 1 * MS, NULL);
    for (size_t shard = 0; shard < 4; shard++) {
        bool made = atomic_load(&series->slots[shard].histogram) != NULL;
        bool spare = atomic_load(&family->spare->slots[shard].histogram) != NULL;
        assert_int_equal(made, shard == 2);
        assert_true(spare); /* for those whose own cannot be had */
    }
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_untouched_histogram_is_all_zero),
        cmocka_unit_test(test_classic_buckets_are_cumulative),
        cmocka_unit_test(test_native_buckets_have_powers_of_two_as_borders),
        cmocka_unit_test(test_both_views_have_the_same_count),
        cmocka_unit_test(test_the_sum_saturates),
        cmocka_unit_test(test_each_classic_bucket_keeps_its_latest_exemplar),
        cmocka_unit_test(test_the_newest_exemplar_over_the_shards_wins),
        cmocka_unit_test(test_only_shards_that_observed_have_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
