/*
 * The protobuf exposition: scalars byte for byte, histograms read back by a small decoder that
 * rebuilds the buckets from spans and deltas as a scraper does.
 */
#include <math.h>

#include "expose.h"
#include "metrics/buckets.h"

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
    ASSERT_BYTES(registry, "\x42"
                           "\x0A\x0F" "a_seconds_total" /* keeps _total */
                           "\x12\x06" "A \"b\"."        /* nothing is escaped */
                           "\x18\x00"                   /* COUNTER */
                           "\x22\x19"                   /* metric */
                           "\x0A\x0A\x0A\x04" "code" "\x12\x02x\""
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
                           "\x0A\x06" "b_info"
                           "\x18\x01" /* a gauge */
                           "\x22\x0B\x12\x09\x09\x00\x00\x00\x00\x00\x00\xF0\x3F");
    tel_registry_destroy(registry);
}

/* ---- a decoder of what the histogram tests want to know ------------------------------------- */

struct field {
    unsigned number;
    unsigned type;
    uint64_t value; /* varint, or the bits of a fixed64 */
    const uint8_t *bytes;
    size_t length;
};

struct decoder {
    const uint8_t *at;
    const uint8_t *end;
};

static uint64_t take_varint(struct decoder *decoder)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert_true(decoder->at < decoder->end && shift < 64);
        value |= (uint64_t)(*decoder->at & 0x7F) << shift;
        if ((*decoder->at++ & 0x80) == 0) {
            return value;
        }
    }
}

static int take_field(struct decoder *decoder, struct field *field)
{
    if (decoder->at == decoder->end) {
        return 0;
    }
    uint64_t tag = take_varint(decoder);
    *field = (struct field){.number = (unsigned)(tag >> 3), .type = (unsigned)(tag & 7)};
    switch (field->type) {
    case 0:
        field->value = take_varint(decoder);
        break;
    case 1:
        assert_true(decoder->end - decoder->at >= 8);
        for (int i = 7; i >= 0; i--) {
            field->value = field->value << 8 | decoder->at[i];
        }
        decoder->at += 8;
        break;
    default:
        assert_int_equal(field->type, 2);
        field->length = take_varint(decoder);
        assert_true(field->length <= (size_t)(decoder->end - decoder->at));
        field->bytes = decoder->at;
        decoder->at += field->length;
    }
    return 1;
}

static struct decoder inside(const struct field *field)
{
    return (struct decoder){field->bytes, field->bytes + field->length};
}

static double as_double(const struct field *field)
{
    double value;
    memcpy(&value, &field->value, sizeof(value));
    return value;
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

struct decoded {
    uint64_t count;
    double sum;
    int64_t schema;
    double zero_threshold;
    uint64_t zero_count;
    size_t classic_count;
    uint64_t classic[TEL_BUCKETS_MAX + 1];
    double upper[TEL_BUCKETS_MAX + 1];
    size_t classic_exemplars;
    size_t native_exemplars;
    size_t span_count;
    struct {
        int64_t offset;
        uint64_t length;
    } spans[TEL__NATIVE_SLOTS];
    size_t delta_count;
    int64_t deltas[TEL__NATIVE_SLOTS];
    struct field last_exemplar;
    char *bytes;
};

static void decode_bucket(struct decoder decoder, struct decoded *decoded)
{
    struct field field;
    while (take_field(&decoder, &field)) {
        if (field.number == 1) {
            decoded->classic[decoded->classic_count] = field.value;
        } else if (field.number == 2) {
            decoded->upper[decoded->classic_count] = as_double(&field);
        } else {
            assert_int_equal(field.number, 3);
            decoded->classic_exemplars++;
        }
    }
    decoded->classic_count++;
}

static void decode_span(struct decoder decoder, struct decoded *decoded)
{
    struct field field;
    assert_true(take_field(&decoder, &field));
    assert_int_equal(field.number, 1);
    decoded->spans[decoded->span_count].offset = unzigzag(field.value);
    assert_true(take_field(&decoder, &field));
    assert_int_equal(field.number, 2);
    decoded->spans[decoded->span_count].length = field.value;
    decoded->span_count++;
}

static void decode_histogram(struct decoder decoder, struct decoded *decoded)
{
    struct field field;
    while (take_field(&decoder, &field)) {
        struct decoder nested = inside(&field);
        switch (field.number) {
        case 1:
            decoded->count = field.value;
            break;
        case 2:
            decoded->sum = as_double(&field);
            break;
        case 3:
            decode_bucket(nested, decoded);
            break;
        case 5:
            decoded->schema = unzigzag(field.value);
            break;
        case 6:
            decoded->zero_threshold = as_double(&field);
            break;
        case 7:
            decoded->zero_count = field.value;
            break;
        case 12:
            decode_span(nested, decoded);
            break;
        case 13:
            while (nested.at < nested.end) {
                decoded->deltas[decoded->delta_count++] = unzigzag(take_varint(&nested));
            }
            break;
        default:
            assert_int_equal(field.number, 16);
            decoded->native_exemplars++;
            decoded->last_exemplar = field;
        }
    }
}

/* The histogram in the one metric of the one family. The caller frees decoded->bytes. */
static void decode(struct tel_registry *registry, struct decoded *decoded)
{
    memset(decoded, 0, sizeof(*decoded));
    size_t length;
    decoded->bytes = expose(registry, TEL_EXPOSITION_PROTOBUF, &length);
    const uint8_t *bytes = (const uint8_t *)decoded->bytes;
    struct decoder file = {bytes, bytes + length};
    assert_int_equal(take_varint(&file), (size_t)(file.end - file.at));
    struct field field;
    while (take_field(&file, &field)) {
        if (field.number == 3) {
            assert_int_equal(field.value, 4); /* HISTOGRAM */
        }
        struct decoder metric = inside(&field);
        while (field.number == 4 && metric.at < metric.end) {
            struct field member;
            take_field(&metric, &member);
            if (member.number == 7) {
                decode_histogram(inside(&member), decoded);
            }
        }
    }
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
