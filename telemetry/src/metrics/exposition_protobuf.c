/*
 * Prometheus protobuf: a MetricFamily after the other, each behind its length.
 *
 *     [length][name help type [labels value] [labels value] … unit]
 *
 * A histogram goes out both ways in one message: classic buckets, cumulative; and native ones, as
 * spans of neighbours and the differences between their counts. Empty native buckets take no room,
 * except that a gap of one or two is cheaper as zeros than as another span.
 *
 * Source: github.com/prometheus/client_model, io/prometheus/client/metrics.proto.
 */
#include "base/text.h"
#include "base/wire.h"
#include "metrics/exposition.h"

/* Fields of the messages, by message. */
enum { FAMILY_NAME = 1, FAMILY_HELP = 2, FAMILY_TYPE = 3, FAMILY_METRIC = 4, FAMILY_UNIT = 5 };
enum { METRIC_GAUGE = 2, METRIC_COUNTER = 3, METRIC_HISTOGRAM = 7 };
enum { VALUE = 1 }; /* of Gauge and of Counter */
enum {
    HISTOGRAM_COUNT = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_SCHEMA = 5,
    HISTOGRAM_ZERO_THRESHOLD = 6,
    HISTOGRAM_ZERO_COUNT = 7,
    HISTOGRAM_POSITIVE_SPAN = 12,
    HISTOGRAM_POSITIVE_DELTA = 13,
    HISTOGRAM_EXEMPLARS = 16,
};
enum { BUCKET_CUMULATIVE_COUNT = 1, BUCKET_UPPER_BOUND = 2, BUCKET_EXEMPLAR = 3 };
enum { SPAN_OFFSET = 1, SPAN_LENGTH = 2 };
enum { EXEMPLAR_LABEL = 1, EXEMPLAR_VALUE = 2, EXEMPLAR_TIMESTAMP = 3 };
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { TIMESTAMP_SECONDS = 1, TIMESTAMP_NANOS = 2 };

#define NATIVE_GAP_MAX 2 /* empty buckets within a span */

/* Type in MetricFamily (COUNTER 0, GAUGE 1, HISTOGRAM 4) and the field of Metric with the value. */
static const struct {
    uint8_t type;
    uint8_t field;
} types[] = {
    [TEL_COUNTER] = {0, METRIC_COUNTER},
    [TEL_GAUGE] = {1, METRIC_GAUGE},
    [TEL_HISTOGRAM] = {4, METRIC_HISTOGRAM},
    [TEL_INFO] = {1, METRIC_GAUGE},
};

static void begin_family(struct tel_scrape *scrape)
{
    const struct tel_family_options *options = &scrape->family->options;
    struct tel_buffer *out = scrape->out;
    scrape->family_at = tel__wire_open(out, 0);
    tel__wire_append_bytes(out, FAMILY_NAME, options->name, scrape->family->name_length);
    if (options->help != NULL) {
        tel__wire_append_bytes(out, FAMILY_HELP, options->help, strlen(options->help));
    }
    tel__wire_append_uint(out, FAMILY_TYPE, types[options->type].type);
}

static void end_family(struct tel_scrape *scrape)
{
    const char *unit = scrape->family->options.unit;
    if (unit != NULL) {
        tel__wire_append_bytes(scrape->out, FAMILY_UNIT, unit, strlen(unit));
    }
    tel__wire_close(scrape->out, scrape->family_at);
}

static void append_scalar(struct tel_scrape *scrape, struct tel__fragment labels,
                          const struct tel__number *value)
{
    struct tel_buffer *out = scrape->out;
    size_t length = labels.length + tel__wire_bytes_size(TEL__WIRE_DOUBLE_SIZE);
    uint8_t *at = tel__wire_room(out, TEL__WIRE_HEAD_MAX + length);
    if (at == NULL) {
        return;
    }
    at = tel__wire_put_length(at, FAMILY_METRIC, length);
    at = tel__wire_put_raw(at, labels.data, labels.length);
    at = tel__wire_put_length(at, types[scrape->family->options.type].field, TEL__WIRE_DOUBLE_SIZE);
    at = tel__wire_put_double(at, VALUE, tel__number_to_double(value));
    tel__wire_end(out, at);
}

static uint8_t *put_exemplar_label(uint8_t *at, const char *name, const uint8_t *id,
                                   size_t id_length)
{
    size_t name_length = strlen(name);
    size_t hex_length = 2 * id_length;
    at = tel__wire_put_length(at, EXEMPLAR_LABEL,
                              tel__wire_bytes_size(name_length) + tel__wire_bytes_size(hex_length));
    at = tel__wire_put_bytes(at, LABEL_NAME, name, name_length);
    at = tel__wire_put_length(at, LABEL_VALUE, hex_length);
    return (uint8_t *)tel__hex_encode((char *)at, id, id_length);
}

/* The content of an Exemplar: two labels of 46 and 29 bytes, value 9, timestamp up to 19. */
#define EXEMPLAR_BYTES_MAX 104

static uint8_t *put_exemplar(uint8_t *at, const struct tel__exemplar *exemplar)
{
    const struct tel_exemplar *trace = &exemplar->trace;
    uint64_t seconds = trace->wall_ns / 1000000000;
    uint64_t nanos = trace->wall_ns % 1000000000;
    at = put_exemplar_label(at, "trace_id", trace->trace_id, sizeof(trace->trace_id));
    at = put_exemplar_label(at, "span_id", trace->span_id, sizeof(trace->span_id));
    at = tel__wire_put_double(at, EXEMPLAR_VALUE, (double)exemplar->value_ns / 1e9);
    at = tel__wire_put_length(at, EXEMPLAR_TIMESTAMP,
                              tel__wire_uint_size(seconds) + tel__wire_uint_size(nanos));
    at = tel__wire_put_uint(at, TIMESTAMP_SECONDS, seconds);
    return tel__wire_put_uint(at, TIMESTAMP_NANOS, nanos);
}

/* Exemplars of a series by classic bucket, read and encoded once for both views. */
struct exemplars {
    uint8_t lengths[TEL_BUCKETS_MAX + 1]; /* 0: the bucket has none */
    uint8_t bytes[TEL_BUCKETS_MAX + 1][EXEMPLAR_BYTES_MAX];
};

static void get_exemplars(const struct tel_series *series, size_t bucket_count,
                          struct exemplars *exemplars)
{
    memset(exemplars->lengths, 0, sizeof(exemplars->lengths));
    for (size_t i = 0; i < bucket_count; i++) {
        struct tel__exemplar exemplar;
        if (tel__histogram_exemplar(series, i, &exemplar)) {
            uint8_t *end = put_exemplar(exemplars->bytes[i], &exemplar);
            exemplars->lengths[i] = (uint8_t)(end - exemplars->bytes[i]);
        }
    }
}

static void append_classic(struct tel_buffer *out, const struct tel__snapshot *snapshot,
                           const struct exemplars *exemplars)
{
    uint64_t cumulative[TEL_BUCKETS_MAX + 1];
    tel__snapshot_classic(snapshot, cumulative);
    for (size_t i = 0; i <= snapshot->buckets->bound_count; i++) {
        size_t exemplar = exemplars->lengths[i];
        size_t length = tel__wire_uint_size(cumulative[i]) + TEL__WIRE_DOUBLE_SIZE +
                        (exemplar > 0 ? tel__wire_bytes_size(exemplar) : 0);
        uint8_t *at = tel__wire_room(out, TEL__WIRE_HEAD_MAX + length);
        if (at == NULL) {
            return;
        }
        at = tel__wire_put_length(at, HISTOGRAM_BUCKET, length);
        at = tel__wire_put_uint(at, BUCKET_CUMULATIVE_COUNT, cumulative[i]);
        at = tel__wire_put_double(at, BUCKET_UPPER_BOUND, snapshot->buckets->bounds[i].seconds);
        if (exemplar > 0) {
            at = tel__wire_put_bytes(at, BUCKET_EXEMPLAR, exemplars->bytes[i], exemplar);
        }
        tel__wire_end(out, at);
    }
}

static void append_span(struct tel_buffer *out, int64_t offset, uint64_t length)
{
    uint8_t bytes[2 * TEL__WIRE_HEAD_MAX];
    uint8_t *at = tel__wire_put_uint(bytes, SPAN_OFFSET, tel__wire_zigzag(offset));
    at = tel__wire_put_uint(at, SPAN_LENGTH, length);
    tel__wire_append_bytes(out, HISTOGRAM_POSITIVE_SPAN, bytes, (size_t)(at - bytes));
}

/* The first slot at or after `from` that counted something, TEL__NATIVE_SLOTS when none did. */
static size_t next_used(const uint64_t slots[TEL__NATIVE_SLOTS], size_t from)
{
    while (from < TEL__NATIVE_SLOTS && slots[from] == 0) {
        from++;
    }
    return from;
}

/* The end of the span that begins at `first`: where a gap begins that is worth another span. */
static size_t span_end(const uint64_t slots[TEL__NATIVE_SLOTS], size_t first)
{
    size_t end = first + 1;
    for (;;) {
        size_t next = next_used(slots, end);
        if (next == TEL__NATIVE_SLOTS || next - end > NATIVE_GAP_MAX) {
            return end;
        }
        end = next + 1;
    }
}

/* Spans and deltas of the positive buckets. An offset counts from the end of the span before, the
 * first from index 0. Deltas are packed. A histogram without any says that it is native by a span
 * of nothing. */
static void append_native_buckets(struct tel_buffer *out, const uint64_t slots[TEL__NATIVE_SLOTS])
{
    uint8_t deltas[TEL__NATIVE_SLOTS * TEL__WIRE_VARINT_MAX];
    uint8_t *at = deltas;
    uint64_t before = 0;
    size_t first = next_used(slots, 1);
    if (first == TEL__NATIVE_SLOTS) {
        append_span(out, 0, 0);
        return;
    }
    int64_t offset = TEL__NATIVE_FIRST - 1 + (int64_t)first;
    while (first < TEL__NATIVE_SLOTS) {
        size_t end = span_end(slots, first);
        append_span(out, offset, end - first);
        for (size_t slot = first; slot < end; slot++) {
            int64_t delta = (int64_t)(slots[slot] - before);
            at = tel__wire_put_varint(at, tel__wire_zigzag(delta));
            before = slots[slot];
        }
        first = next_used(slots, end);
        offset = (int64_t)(first - end);
    }
    tel__wire_append_bytes(out, HISTOGRAM_POSITIVE_DELTA, deltas, (size_t)(at - deltas));
}

static void append_native(struct tel_buffer *out, const struct tel__snapshot *snapshot)
{
    uint64_t slots[TEL__NATIVE_SLOTS];
    tel__snapshot_native(snapshot, slots);
    tel__wire_append_uint(out, HISTOGRAM_SCHEMA, tel__wire_zigzag(TEL_NATIVE_SCHEMA));
    tel__wire_append_double(out, HISTOGRAM_ZERO_THRESHOLD, (double)TEL_NATIVE_MIN_NS / 1e9);
    tel__wire_append_uint(out, HISTOGRAM_ZERO_COUNT, slots[0]);
    append_native_buckets(out, slots);
}

static void append_histogram(struct tel_scrape *scrape, const struct tel_series *series,
                             const struct tel__snapshot *snapshot)
{
    struct tel_buffer *out = scrape->out;
    size_t bucket_count = snapshot->buckets->bound_count + 1;
    struct exemplars exemplars;
    get_exemplars(series, bucket_count, &exemplars);
    size_t metric = tel__wire_open(out, FAMILY_METRIC);
    tel_buffer_append(out, series->protobuf.data, series->protobuf.length);
    size_t histogram = tel__wire_open(out, METRIC_HISTOGRAM);
    tel__wire_append_uint(out, HISTOGRAM_COUNT, snapshot->count);
    tel__wire_append_double(out, HISTOGRAM_SUM, (double)snapshot->sum_ns / 1e9);
    append_classic(out, snapshot, &exemplars);
    append_native(out, snapshot);
    for (size_t i = 0; i < bucket_count; i++) {
        if (exemplars.lengths[i] > 0) {
            tel__wire_append_bytes(out, HISTOGRAM_EXEMPLARS, exemplars.bytes[i],
                                   exemplars.lengths[i]);
        }
    }
    tel__wire_close(out, histogram);
    tel__wire_close(out, metric);
}

const struct tel__format tel__format_protobuf = {
    .binary_labels = true,
    .begin_family = begin_family,
    .scalar = append_scalar,
    .histogram = append_histogram,
    .end_family = end_family,
};
