/*
 * The protobuf exposition: scalars byte for byte, histograms read back by a decoder that
 * rebuilds the buckets from spans and deltas as a scraper does.
 */
#include <math.h>

#include "decode.h"

#define S 1000000000ull

static const char *const code[] = {"code"};

static void assert_bytes(struct tel_registry *registry, const char *expected, size_t length)
{
    size_t got;
    char *bytes = expose(registry, TEL_EXPOSITION_PROTOBUF, &got);
    assert_int_equal(got, length);
    assert_memory_equal(bytes, expected, length);
    free(bytes);
}
#define ASSERT_BYTES(registry, literal) assert_bytes(registry, literal, sizeof(literal) - 1)

static void test_a_counter(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "a_seconds_total",
                                                        .help = "A \"b\".",
                                                        .unit = "seconds",
                                                        .type = TEL_COUNTER,
                                                        .divisor = 1000,
                                                        .label_names = code,
                                                        .label_count = 1});
    tel_counter_add(tel_family_series(family, 0, VALUES("x\"")), 0, 1500);
    ASSERT_BYTES(registry, "\x3D"
                           "\x0A\x0F"
                           "a_seconds_total" /* keeps _total */
                           "\x12\x06"
                           "A \"b\"." /* nothing is escaped */
                           "\x18\x00" /* COUNTER */
                           "\x22\x17" /* metric */
                           "\x0A\x0A\x0A\x04"
                           "code"
                           "\x12\x02x\""
                           "\x1A\x09\x09\x00\x00\x00\x00\x00\x00\xF8\x3F" /* counter 1.5 */
                           "\x2A\x07seconds");
    tel_registry_destroy(registry);
}

static void test_a_gauge_and_an_info(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_family *gauge =
        family_of(registry, (struct tel_family_options){.name = "g", .type = TEL_GAUGE});
    tel_gauge_set(tel_family_series(gauge, 0, NULL), 0, -2);
    family_of(registry, (struct tel_family_options){.name = "b_info", .type = TEL_INFO});
    ASSERT_BYTES(registry, "\x12"
                           "\x0A\x01g"
                           "\x18\x01"
                           "\x22\x0B\x12\x09\x09\x00\x00\x00\x00\x00\x00\x00\xC0"
                           "\x17"
                           "\x0A\x06"
                           "b_info"
                           "\x18\x01" /* a gauge */
                           "\x22\x0B\x12\x09\x09\x00\x00\x00\x00\x00\x00\xF0\x3F");
    tel_registry_destroy(registry);
}

/* Rebuilds slot counts as a scraper does; the sum over all, and one asked for. */
static uint64_t native_total(const struct decoded *decoded, int64_t wanted, uint64_t *at_wanted)
{
    int64_t index = 0;
    int64_t count = 0;
    uint64_t total = 0;
    size_t delta = 0;
    *at_wanted = 0;
    for (size_t span = 0; span < decoded->span_count; span++) {
        index += decoded->spans[span].offset;
        for (uint64_t i = 0; i < decoded->spans[span].length; i++, index++) {
            count += decoded->deltas[delta++];
            assert_true(count >= 0);
            total += (uint64_t)count;
            if (index == wanted) {
                *at_wanted = (uint64_t)count;
            }
        }
    }
    assert_int_equal(delta, decoded->delta_count);
    return total;
}

static struct tel_series *histogram_of(struct tel_registry *registry)
{
    static const uint64_t bounds[] = {5000000, S, 10 * S};
    struct tel_family *family =
        family_of(registry, (struct tel_family_options){.name = "w_seconds",
                                                        .type = TEL_HISTOGRAM,
                                                        .bounds_ns = bounds,
                                                        .bound_count = COUNT(bounds)});
    return tel_family_series(family, 0, NULL);
}

static void test_an_empty_histogram_says_that_it_is_native(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    histogram_of(registry);
    struct decoded decoded;
    decode(registry, &decoded);
    assert_int_equal(decoded.count, 0);
    assert_true(decoded.sum == 0);
    assert_int_equal(decoded.classic_count, 4);
    assert_int_equal(decoded.schema, TEL_NATIVE_SCHEMA);
    assert_true(decoded.zero_threshold == 1e-6);
    assert_int_equal(decoded.span_count, 1);
    assert_int_equal(decoded.spans[0].offset, 0);
    assert_int_equal(decoded.spans[0].length, 0);
    assert_int_equal(decoded.delta_count, 0);
    free(decoded.bytes);
    tel_registry_destroy(registry);
}

static void test_classic_and_native_buckets_of_one_message_agree(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(2);
    struct tel_series *series = histogram_of(registry);
    static const uint64_t values[] = {0, 500, 2000, 4000000, S, S, S + 1, 20 * S, 1000 * S};
    for (size_t i = 0; i < COUNT(values); i++) {
        tel_histogram_observe(series, i % 2, values[i], NULL);
    }
    struct decoded decoded;
    decode(registry, &decoded);
    assert_int_equal(decoded.count, COUNT(values));
    assert_true(fabs(decoded.sum - 1023.004002501) < 1e-9);
    static const uint64_t classic[] = {4, 6, 7, 9};
    static const double upper[] = {0.005, 1, 10, HUGE_VAL};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(decoded.classic[i], classic[i]);
        assert_true(decoded.upper[i] == upper[i]);
    }
    uint64_t at_one_second;
    uint64_t above;
    assert_int_equal(decoded.zero_count, 2);
    assert_int_equal(decoded.zero_count + native_total(&decoded, 0, &at_one_second), decoded.count);
    assert_int_equal(at_one_second, 2);
    native_total(&decoded, TEL__NATIVE_LAST + 1, &above); /* what is longer than 64 s */
    assert_int_equal(above, 1);
    free(decoded.bytes);
    tel_registry_destroy(registry);
}

/* Which slots are used -> which spans go out. A gap of two is filled, one of three is skipped. */
static void test_spans_and_deltas(void **state)
{
    (void)state;
    static const struct {
        int used[4]; /* native indexes, one observation each, ended by 99 */
        size_t span_count;
        struct {
            int64_t offset;
            uint64_t length;
        } spans[3];
        size_t delta_count;
        int64_t deltas[8];
    } cases[] = {
        {{0, 99}, 1, {{0, 1}}, 1, {1}},
        {{-8, 99}, 1, {{-8, 1}}, 1, {1}},
        {{0, 1, 99}, 1, {{0, 2}}, 2, {1, 0}},
        {{0, 0, 1, 99}, 1, {{0, 2}}, 2, {2, -1}},
        {{0, 3, 99}, 1, {{0, 4}}, 4, {1, -1, 0, 1}},
        {{0, 4, 99}, 2, {{0, 1}, {3, 1}}, 2, {1, 0}},
        {{-8, 0, 8, 99}, 3, {{-8, 1}, {7, 1}, {7, 1}}, 3, {1, 0, 0}},
        {{TEL__NATIVE_FIRST, TEL__NATIVE_LAST, 99},
         2,
         {{TEL__NATIVE_FIRST, 1}, {TEL__NATIVE_LAST - TEL__NATIVE_FIRST - 1, 1}},
         2,
         {1, 0}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_registry *registry = registry_of(1);
        struct tel_series *series = histogram_of(registry);
        for (size_t j = 0; cases[i].used[j] != 99; j++) {
            tel_histogram_observe(series, 0, tel__native_bound_ns(cases[i].used[j]), NULL);
        }
        struct decoded decoded;
        decode(registry, &decoded);
        assert_int_equal(decoded.span_count, cases[i].span_count);
        for (size_t j = 0; j < decoded.span_count; j++) {
            assert_int_equal(decoded.spans[j].offset, cases[i].spans[j].offset);
            assert_int_equal(decoded.spans[j].length, cases[i].spans[j].length);
        }
        assert_int_equal(decoded.delta_count, cases[i].delta_count);
        for (size_t j = 0; j < decoded.delta_count; j++) {
            assert_int_equal(decoded.deltas[j], cases[i].deltas[j]);
        }
        free(decoded.bytes);
        tel_registry_destroy(registry);
    }
}

static void test_exemplars_stand_with_both_views(void **state)
{
    (void)state;
    struct tel_registry *registry = registry_of(1);
    struct tel_series *series = histogram_of(registry);
    struct tel_exemplar exemplar = {.wall_ns = 1700000000123456789};
    memset(exemplar.trace_id, 0xAB, sizeof(exemplar.trace_id));
    memset(exemplar.span_id, 0xCD, sizeof(exemplar.span_id));
    tel_histogram_observe(series, 0, 20000000, &exemplar);
    tel_histogram_observe(series, 0, S / 2, &exemplar);
    tel_histogram_observe(series, 0, 1500 * S, &exemplar);
    struct decoded decoded;
    decode(registry, &decoded);
    assert_int_equal(decoded.classic_exemplars, 2); /* two of the three share a classic bucket */
    assert_int_equal(decoded.native_exemplars, 2);
    static const char expected[] = "\x0A\x2C\x0A\x08trace_id\x12\x20"
                                   "abababababababababababababababab"
                                   "\x0A\x1B\x0A\x07span_id\x12\x10"
                                   "cdcdcdcdcdcdcdcd"
                                   "\x11\x00\x00\x00\x00\x00\x70\x97\x40" /* 1500 s */
                                   "\x1A\x0B\x08\x80\xE2\xCF\xAA\x06"     /* seconds */
                                   "\x10\x95\x9A\xEF\x3A";                /* nanoseconds */
    assert_int_equal(decoded.last_exemplar.length, sizeof(expected) - 1);
    assert_memory_equal(decoded.last_exemplar.bytes, expected, sizeof(expected) - 1);
    free(decoded.bytes);
    tel_registry_destroy(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_counter),
        cmocka_unit_test(test_a_gauge_and_an_info),
        cmocka_unit_test(test_an_empty_histogram_says_that_it_is_native),
        cmocka_unit_test(test_classic_and_native_buckets_of_one_message_agree),
        cmocka_unit_test(test_spans_and_deltas),
        cmocka_unit_test(test_exemplars_stand_with_both_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
