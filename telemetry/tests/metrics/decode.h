/*
 * A decoder of what the tests want to know of a protobuf exposition: one family with one histogram,
 * taken apart as a scraper would. What is not well-formed fails the test.
 */
#ifndef TEL_TESTS_METRICS_DECODE_H
#define TEL_TESTS_METRICS_DECODE_H

#include "expose.h"
#include "metrics/buckets.h"

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

static inline uint64_t take_varint(struct decoder *decoder)
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

static inline int take_field(struct decoder *decoder, struct field *field)
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

static inline struct decoder inside(const struct field *field)
{
    return (struct decoder){field->bytes, field->bytes + field->length};
}

static inline double as_double(const struct field *field)
{
    double value;
    memcpy(&value, &field->value, sizeof(value));
    return value;
}

static inline int64_t unzigzag(uint64_t value)
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

static inline void decode_bucket(struct decoder decoder, struct decoded *decoded)
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

static inline void decode_span(struct decoder decoder, struct decoded *decoded)
{
    struct field field = {0};
    assert_true(take_field(&decoder, &field));
    assert_int_equal(field.number, 1);
    decoded->spans[decoded->span_count].offset = unzigzag(field.value);
    assert_true(take_field(&decoder, &field));
    assert_int_equal(field.number, 2);
    decoded->spans[decoded->span_count].length = field.value;
    decoded->span_count++;
}

static inline void decode_histogram(struct decoder decoder, struct decoded *decoded)
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
static inline void decode(struct tel_registry *registry, struct decoded *decoded)
{
    memset(decoded, 0, sizeof(*decoded));
    size_t length;
    decoded->bytes = expose(registry, TEL_EXPOSITION_PROTOBUF, &length);
    const uint8_t *bytes = (const uint8_t *)decoded->bytes;
    struct decoder file = {bytes, bytes + length};
    uint64_t family_length = take_varint(&file);
    assert_int_equal(family_length, (size_t)(file.end - file.at));
    struct field field;
    while (take_field(&file, &field)) {
        if (field.number == 3) {
            assert_int_equal(field.value, 4); /* HISTOGRAM */
        }
        struct decoder metric = inside(&field);
        while (field.number == 4 && metric.at < metric.end) {
            struct field member;
            if (take_field(&metric, &member) && member.number == 7) {
                decode_histogram(inside(&member), decoded);
            }
        }
    }
}

#endif
