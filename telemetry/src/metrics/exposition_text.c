/*
 * Prometheus text format 0.0.4, and the lines that OpenMetrics has in common with it.
 *
 *     # HELP name text
 *     # TYPE name counter
 *     name{labels} value
 *
 * Most lines of a scrape are histogram buckets, so these are put together by copying four pieces
 * that are ready (name, labels, `le`, digits) into room asked for once a line.
 *
 * Bounds stand as floats (`le="1.0"`) in this format as in the other: a series keeps its identity
 * when a scraper changes the format, and Prometheus 3 would rewrite an integer anyway.
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats.
 */
#include <assert.h>

#include "base/digits.h"
#include "metrics/exposition.h"

static const char *const type_names[] = {
    [TEL_COUNTER] = "counter",
    [TEL_GAUGE] = "gauge",
    [TEL_HISTOGRAM] = "histogram",
    [TEL_INFO] = "gauge",
};

void tel__text_line(struct tel_buffer *out, const char *keyword, const char *name,
                    size_t name_length, const char *rest)
{
    tel_buffer_append_string(out, keyword);
    tel_buffer_append(out, name, name_length);
    tel_buffer_append_char(out, ' ');
    tel_buffer_append_string(out, rest);
    tel_buffer_append_char(out, '\n');
}

void tel__text_help(struct tel_buffer *out, const struct tel_family *family, size_t name_length,
                    bool quotes)
{
    const char *help = family->options.help;
    if (help == NULL) {
        return;
    }
    tel_buffer_append_string(out, "# HELP ");
    tel_buffer_append(out, family->options.name, name_length);
    tel_buffer_append_char(out, ' ');
    tel__escape_append(out, help, strlen(help), quotes);
    tel_buffer_append_char(out, '\n');
}

/* `name_suffix{labels} `, the braces only around something. */
static void append_sample_name(struct tel_scrape *scrape, const char *suffix,
                               struct tel__fragment labels)
{
    struct tel_buffer *out = scrape->out;
    const struct tel_family *family = scrape->family;
    size_t suffix_length = strlen(suffix);
    size_t most = family->name_length + suffix_length + labels.length + 3;
    if (tel_buffer_reserve(out, most) != 0) {
        return;
    }
    char *at = out->data + out->length;
    at = tel__put(at, family->options.name, family->name_length);
    at = tel__put(at, suffix, suffix_length);
    if (labels.length > 0) {
        *at++ = '{';
        at = tel__put(at, labels.data, labels.length);
        *at++ = '}';
    }
    *at++ = ' ';
    out->length = (size_t)(at - out->data);
}

void tel__text_scalar(struct tel_scrape *scrape, struct tel__fragment labels,
                      const struct tel__number *value)
{
    append_sample_name(scrape, "", labels);
    tel__number_append(scrape->out, value);
    tel_buffer_append_char(scrape->out, '\n');
}

/* Bytes of a bucket's name, and a newline. */
static size_t bucket_name_size(const struct tel_series *series, const struct tel__bound *bound)
{
    return series->family->name_length + sizeof("_bucket{,\n") + series->text.length +
           bound->le_length;
}

/* `name_bucket{labels,le="0.005"} ` */
static char *put_bucket_name(char *at, const struct tel_series *series,
                             const struct tel__bound *bound)
{
    at = tel__put(at, series->family->options.name, series->family->name_length);
    at = tel__put(at, "_bucket{", 8);
    if (series->text.length > 0) {
        at = tel__put(at, series->text.data, series->text.length);
        *at++ = ',';
    }
    return tel__put(at, bound->le, bound->le_length);
}

void tel_histogram_append_bucket(const struct tel_series *series, size_t index,
                                 struct tel_buffer *out)
{
    assert(series->family->options.type == TEL_HISTOGRAM);
    const struct tel__bound *bound = &series->family->buckets->bounds[index];
    if (tel_buffer_reserve(out, bucket_name_size(series, bound)) == 0) {
        char *end = put_bucket_name(out->data + out->length, series, bound);
        out->length = (size_t)(end - out->data) - 1; /* without the space before a value */
    }
}

/* `name_bucket{labels,le="0.005"} 12 # {…} 0.004 1.5` */
static void append_bucket(struct tel_scrape *scrape, const struct tel_series *series,
                          const struct tel__bound *bound, uint64_t count,
                          const struct tel__exemplar *exemplar)
{
    struct tel_buffer *out = scrape->out;
    size_t most = bucket_name_size(series, bound) + TEL__NUMBER_MAX +
                  (exemplar != NULL ? TEL__EXEMPLAR_TEXT_MAX : 0);
    if (tel_buffer_reserve(out, most) != 0) {
        return;
    }
    char *at = put_bucket_name(out->data + out->length, series, bound);
    at = tel__digits_u64(at, count);
    if (exemplar != NULL) {
        at = scrape->format->put_exemplar(at, exemplar);
    }
    *at++ = '\n';
    out->length = (size_t)(at - out->data);
}

void tel__text_histogram(struct tel_scrape *scrape, const struct tel_series *series,
                         const struct tel__snapshot *snapshot)
{
    const struct tel__buckets *buckets = snapshot->buckets;
    uint64_t cumulative[TEL_BUCKETS_MAX + 1];
    tel__snapshot_classic(snapshot, cumulative);
    for (size_t i = 0; i <= buckets->bound_count; i++) {
        struct tel__exemplar exemplar;
        bool found =
            scrape->format->put_exemplar != NULL && tel__histogram_exemplar(series, i, &exemplar);
        append_bucket(scrape, series, &buckets->bounds[i], cumulative[i], found ? &exemplar : NULL);
    }
    struct tel__number sum = {
        .kind = TEL__UNSIGNED, .decimals = 9, .divisor = 1000000000, .integer = snapshot->sum_ns};
    struct tel__number count = {.kind = TEL__UNSIGNED, .divisor = 1, .integer = snapshot->count};
    append_sample_name(scrape, "_sum", series->text);
    tel__number_append(scrape->out, &sum);
    tel_buffer_append_char(scrape->out, '\n');
    append_sample_name(scrape, "_count", series->text);
    tel__number_append(scrape->out, &count);
    tel_buffer_append_char(scrape->out, '\n');
}

static void begin_family(struct tel_scrape *scrape)
{
    const struct tel_family *family = scrape->family;
    tel__text_help(scrape->out, family, family->name_length, false);
    tel__text_line(scrape->out, "# TYPE ", family->options.name, family->name_length,
                   type_names[family->options.type]);
}

const struct tel__format tel__format_text = {
    .begin_family = begin_family,
    .scalar = tel__text_scalar,
    .histogram = tel__text_histogram,
};
