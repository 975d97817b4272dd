/*
 * OpenMetrics 1.0 text: the same samples under stricter headers, with units, exemplars and an end.
 *
 *     # TYPE name counter            the family name is without _total or _info
 *     # UNIT name seconds
 *     # HELP name text
 *     name_total{labels} value
 *     # EOF
 *
 * Source: OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec).
 */
#include "base/text.h"
#include "metrics/exposition.h"

static const char *const type_names[] = {
    [TEL_COUNTER] = "counter",
    [TEL_GAUGE] = "gauge",
    [TEL_HISTOGRAM] = "histogram",
    [TEL_INFO] = "info",
};

static void begin_family(struct tel_scrape *scrape)
{
    const struct tel_family *family = scrape->family;
    const struct tel_family_options *options = &family->options;
    size_t length = family->base_length;
    tel__text_line(scrape->out, "# TYPE ", options->name, length, type_names[options->type]);
    if (options->unit != NULL) {
        tel__text_line(scrape->out, "# UNIT ", options->name, length, options->unit);
    }
    tel__text_help(scrape->out, family, length, true);
}

/* ` # {trace_id="…",span_id="…"} 0.0012 1700000000.123`: value in seconds, time in seconds with
 * milliseconds. 63 characters of labels; 128 are allowed. */
static char *put_exemplar(char *at, const struct tel__exemplar *exemplar)
{
    const struct tel_exemplar *trace = &exemplar->trace;
    at = tel__put(at, " # {trace_id=\"", 14);
    at = tel__hex_encode(at, trace->trace_id, sizeof(trace->trace_id));
    at = tel__put(at, "\",span_id=\"", 11);
    at = tel__hex_encode(at, trace->span_id, sizeof(trace->span_id));
    at = tel__put(at, "\"} ", 3);
    at = tel__put_scaled(at, exemplar->value_ns, 9);
    *at++ = ' ';
    return tel__put_scaled(at, trace->wall_ns / 1000000, 3);
}

void tel_exemplar_append(const struct tel_exemplar *exemplar, uint64_t duration_ns,
                         struct tel_buffer *out)
{
    const struct tel__exemplar whole = {.trace = *exemplar, .value_ns = duration_ns};
    char text[TEL__EXEMPLAR_TEXT_MAX];
    const char *end = put_exemplar(text, &whole);
    tel_buffer_append(out, text + 1, (size_t)(end - text) - 1); /* without the space before it */
}

static void end(struct tel_scrape *scrape)
{
    tel_buffer_append_string(scrape->out, "# EOF\n");
}

const struct tel__format tel__format_openmetrics = {
    .begin_family = begin_family,
    .scalar = tel__text_scalar,
    .histogram = tel__text_histogram,
    .end = end,
    .put_exemplar = put_exemplar,
};
