/*
 * The walk. It takes no lock: families are fixed before threads start, series lists only grow at
 * their end, and cells are read with relaxed loads.
 */
#include "metrics/exposition.h"

#include <math.h>

static const struct tel__format *const formats[] = {
    [TEL_EXPOSITION_TEXT] = &tel__format_text,
    [TEL_EXPOSITION_OPENMETRICS] = &tel__format_openmetrics,
    [TEL_EXPOSITION_PROTOBUF] = &tel__format_protobuf,
};

static void begin_once(struct tel_scrape *scrape)
{
    if (!scrape->begun) {
        scrape->begun = true;
        scrape->format->begin_family(scrape);
    }
}

static struct tel__number series_number(const struct tel_series *series)
{
    const struct tel_family *family = series->family;
    if (family->options.type == TEL_INFO) {
        return (struct tel__number){.kind = TEL__UNSIGNED, .divisor = 1, .integer = 1};
    }
    return (struct tel__number){
        .kind = family->options.type == TEL_GAUGE ? TEL__SIGNED : TEL__UNSIGNED,
        .decimals = family->decimals,
        .divisor = family->options.divisor,
        .integer = tel_series_value(series),
    };
}

static void expose_series(struct tel_scrape *scrape, const struct tel_series *series)
{
    begin_once(scrape);
    if (series->family->options.type == TEL_HISTOGRAM) {
        struct tel__snapshot snapshot;
        tel__histogram_snapshot(series, &snapshot);
        scrape->format->histogram(scrape, series, &snapshot);
        return;
    }
    struct tel__number value = series_number(series);
    scrape->format->scalar(scrape, scrape->format->binary_labels ? series->protobuf : series->text,
                           &value);
}

static void expose_cells(struct tel_scrape *scrape)
{
    const struct tel_family *family = scrape->family;
    const struct tel_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    while (series != NULL) {
        expose_series(scrape, series);
        series = atomic_load_explicit(&series->next, memory_order_acquire);
    }
    if (atomic_load_explicit(&family->spare_used, memory_order_relaxed)) {
        expose_series(scrape, family->spare);
    }
}

void tel_scrape_emit(struct tel_scrape *scrape, const char *const *label_values, double value)
{
    const struct tel_family *family = scrape->family;
    if (family->options.type == TEL_COUNTER && !(value >= 0)) {
        return; /* one bad sample would make a scraper refuse all of them */
    }
    struct tel__labels labels;
    tel__labels_init(&labels, label_values, family->options.label_count);
    tel_buffer_clear(&scrape->labels);
    if (scrape->format->binary_labels) {
        tel__labels_append_protobuf(&scrape->labels, family->options.label_names, &labels);
    } else {
        tel__labels_append_text(&scrape->labels, family->options.label_names, &labels);
    }
    if (scrape->labels.error != 0) {
        scrape->out->error = scrape->labels.error;
        return;
    }
    begin_once(scrape);
    struct tel__number number = {.kind = TEL__REAL, .divisor = 1, .real = value};
    if (family->options.type == TEL_INFO) {
        number.real = 1;
    }
    struct tel__fragment fragment = {scrape->labels.data, scrape->labels.length};
    scrape->format->scalar(scrape, fragment, &number);
}

static void expose_family(struct tel_scrape *scrape, const struct tel_family *family)
{
    scrape->family = family;
    scrape->begun = false;
    if (family->options.collect != NULL) {
        family->options.collect(scrape, family->options.collect_argument);
    } else {
        expose_cells(scrape);
    }
    if (scrape->begun && scrape->format->end_family != NULL) {
        scrape->format->end_family(scrape);
    }
}

int tel_registry_expose(struct tel_registry *registry, enum tel_exposition_format format,
                        struct tel_buffer *out)
{
    struct tel_scrape scrape = {.format = formats[format], .out = out};
    tel_buffer_init(&scrape.labels, out->limit);
    for (const struct tel_family *family = registry->first; family != NULL && out->error == 0;
         family = family->next) {
        expose_family(&scrape, family);
    }
    if (scrape.format->end != NULL) {
        scrape.format->end(&scrape);
    }
    tel_buffer_fini(&scrape.labels);
    return out->error;
}
