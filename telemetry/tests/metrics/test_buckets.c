/*
 * Cells as the common refinement of classic and native bounds: every bound is a border, a value on
 * a bound belongs below it, and both views cover everything.
 */
#include <math.h>

#include "expose.h"
#include "metrics/buckets.h"

#define US 1000ull
#define MS 1000000ull
#define S  1000000000ull

static const uint64_t web_bounds[] = {50 * US, 100 * US,  5 * MS, 10 * MS, 25 * MS,
                                      1 * S,   2500 * MS, 10 * S, 100 * S};

static struct tel__buckets *web_buckets(void)
{
    struct tel__buckets *buckets = tel__buckets_create(web_bounds, COUNT(web_bounds));
    assert_non_null(buckets);
    return buckets;
}

/* What the header promises for a value, worked out the slow way. */
static size_t slow_classic(uint64_t value)
{
    size_t i = 0;
    while (i < COUNT(web_bounds) && web_bounds[i] < value) {
        i++;
    }
    return i;
}

static size_t slow_native(uint64_t value)
{
    if (value <= TEL_NATIVE_MIN_NS) {
        return 0;
    }
    int k = TEL__NATIVE_FIRST;
    while (k <= TEL__NATIVE_LAST && tel__native_bound_ns(k) < value) {
        k++;
    }
    return (size_t)(1 + k - TEL__NATIVE_FIRST);
}

static void assert_found(const struct tel__buckets *buckets, uint64_t value)
{
    size_t cell = tel__buckets_find(buckets, value);
    assert_true(cell < buckets->cell_count);
    assert_true(buckets->upper[cell] >= value);
    assert_true(cell == 0 || buckets->upper[cell - 1] < value);
    assert_int_equal(buckets->classic[cell], slow_classic(value));
    assert_int_equal(buckets->native[cell], slow_native(value));
}

static void test_native_bounds_are_the_floor_of_powers_of_two(void **state)
{
    (void)state;
    static const struct {
        int k;
        uint64_t ns;
    } cases[] = {
        {0, S},
        {8, 2 * S},
        {48, TEL_NATIVE_MAX_NS},
        {-8, 500 * MS},
        {-72, 1953125},            /* 2^-9 s */
        {-80, 976562},             /* 2^-10 s = 976562.5 ns */
        {4, 1414213562},           /* sqrt(2) */
        {-4, 707106781},           /* 1 / sqrt(2) */
        {TEL__NATIVE_FIRST, 1039}, /* the first above 1 us: 2^(-159/8) s = 1039.96… ns */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(tel__native_bound_ns(cases[i].k), cases[i].ns);
    }
    assert_true(tel__native_bound_ns(TEL__NATIVE_FIRST - 1) < TEL_NATIVE_MIN_NS);
}

static void test_native_bounds_agree_with_long_double(void **state)
{
    (void)state;
    for (int k = TEL__NATIVE_FIRST; k <= TEL__NATIVE_LAST; k++) {
        assert_int_equal(tel__native_bound_ns(k), (uint64_t)floorl(exp2l(k / 8.0L) * 1e9L));
    }
}

static void test_cells_ascend_and_end_open(void **state)
{
    (void)state;
    struct tel__buckets *buckets = web_buckets();
    for (size_t cell = 1; cell < buckets->cell_count; cell++) {
        assert_true(buckets->upper[cell - 1] < buckets->upper[cell]);
        assert_true(buckets->classic[cell - 1] <= buckets->classic[cell]);
        assert_true(buckets->native[cell - 1] <= buckets->native[cell]);
    }
    size_t last = buckets->cell_count - 1;
    assert_int_equal(buckets->upper[last], UINT64_MAX);
    assert_int_equal(buckets->classic[last], COUNT(web_bounds));
    assert_int_equal(buckets->native[last], TEL__NATIVE_SLOTS - 1);
    free(buckets);
}

/* 1 s and 64 s are both classic and native: one cell, not two with an empty one between. */
static void test_shared_bounds_make_one_cell(void **state)
{
    (void)state;
    struct tel__buckets *none = tel__buckets_create(NULL, 0);
    struct tel__buckets *shared = tel__buckets_create((const uint64_t[]){1000, S, 64 * S}, 3);
    struct tel__buckets *between = tel__buckets_create((const uint64_t[]){S + 1}, 1);
    assert_int_equal(none->cell_count, TEL__NATIVE_SLOTS);
    assert_int_equal(shared->cell_count, none->cell_count);
    assert_int_equal(between->cell_count, none->cell_count + 1);
    free(between);
    free(shared);
    free(none);
}

static void test_every_value_finds_its_cell(void **state)
{
    (void)state;
    struct tel__buckets *buckets = web_buckets();
    for (size_t cell = 0; cell < buckets->cell_count; cell++) {
        uint64_t upper = buckets->upper[cell];
        assert_found(buckets, upper - 1);
        assert_found(buckets, upper);
        assert_found(buckets, upper == UINT64_MAX ? upper : upper + 1);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = 1ull << bit;
        assert_found(buckets, power);
        assert_found(buckets, power - 1);
        assert_found(buckets, power + power / 3);
    }
    assert_found(buckets, 0);
    free(buckets);
}

static void test_bounds_below_and_above_the_native_range_work(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {1, 7, 15, 16, 500, 128 * S, TEL__BOUND_MAX_NS};
    struct tel__buckets *buckets = tel__buckets_create(bounds, COUNT(bounds));
    assert_non_null(buckets);
    for (size_t i = 0; i < COUNT(bounds); i++) {
        assert_int_equal(buckets->classic[tel__buckets_find(buckets, bounds[i])], i);
        assert_int_equal(buckets->classic[tel__buckets_find(buckets, bounds[i] + 1)], i + 1);
    }
    assert_int_equal(buckets->native[tel__buckets_find(buckets, 15)], 0);
    assert_int_equal(buckets->native[tel__buckets_find(buckets, 100 * S)], TEL__NATIVE_SLOTS - 1);
    assert_int_equal(buckets->native[tel__buckets_find(buckets, 200 * S)], TEL__NATIVE_SLOTS - 1);
    free(buckets);
}

static void test_a_search_is_a_few_comparisons(void **state)
{
    (void)state;
    struct tel__buckets *buckets = tel__buckets_create(NULL, 0);
    for (size_t i = 4 * 8; i < COUNT(buckets->start) - 1; i++) {
        assert_in_range(buckets->start[i + 1] - buckets->start[i], 0, 2);
    }
    free(buckets);
}

static void test_bounds_are_rendered_once(void **state)
{
    (void)state;
    struct tel__buckets *buckets = web_buckets();
    static const char *const rendered[] = {
        "le=\"5e-05\"} ", "le=\"0.0001\"} ", "le=\"0.005\"} ", "le=\"0.01\"} ",  "le=\"0.025\"} ",
        "le=\"1.0\"} ",   "le=\"2.5\"} ",    "le=\"10.0\"} ",  "le=\"100.0\"} ", "le=\"+Inf\"} "};
    assert_int_equal(COUNT(rendered), buckets->bound_count + 1);
    for (size_t i = 0; i < COUNT(rendered); i++) {
        assert_int_equal(buckets->bounds[i].le_length, strlen(rendered[i]));
        assert_memory_equal(buckets->bounds[i].le, rendered[i], strlen(rendered[i]));
    }
    assert_true(buckets->bounds[2].seconds == 0.005);
    assert_true(isinf(buckets->bounds[COUNT(web_bounds)].seconds));
    free(buckets);
}

static void test_bad_bounds_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t bounds[3];
        size_t count;
    } cases[] = {
        {{0, 1, 2}, 3},
        {{5, 5, 6}, 3},
        {{5, 6, 4}, 3},
        {{TEL__BOUND_MAX_NS + 1}, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        errno = 0;
        assert_null(tel__buckets_create(cases[i].bounds, cases[i].count));
        assert_int_equal(errno, EINVAL);
    }
    assert_null(tel__buckets_create(NULL, 1));
    uint64_t many[TEL_BUCKETS_MAX + 1];
    for (size_t i = 0; i < COUNT(many); i++) {
        many[i] = i + 1;
    }
    assert_null(tel__buckets_create(many, COUNT(many)));
    struct tel__buckets *most = tel__buckets_create(many, TEL_BUCKETS_MAX);
    assert_non_null(most);
    assert_int_equal(most->cell_count, TEL__CELLS_MAX);
    free(most);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native_bounds_are_the_floor_of_powers_of_two),
        cmocka_unit_test(test_native_bounds_agree_with_long_double),
        cmocka_unit_test(test_cells_ascend_and_end_open),
        cmocka_unit_test(test_shared_bounds_make_one_cell),
        cmocka_unit_test(test_every_value_finds_its_cell),
        cmocka_unit_test(test_bounds_below_and_above_the_native_range_work),
        cmocka_unit_test(test_a_search_is_a_few_comparisons),
        cmocka_unit_test(test_bounds_are_rendered_once),
        cmocka_unit_test(test_bad_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
