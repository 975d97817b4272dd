/*
 * The exporter's own health, as metrics. Counters that are kept anyway are collected when somebody
 * scrapes; only durations are observed, by the exporter's thread in its own shard.
 *
 * A row of `families` is a metric. What a tracer knows is read from the tracer, what an exporter
 * knows from the exporter, which may be NULL: then its counters stand at 0.
 *
 * Source: OpenTelemetry semantic conventions 1.44, otel/sdk-metrics; names in Prometheus form by
 * the compatibility specification (dots to underscores, units, _total).
 */
#include <errno.h>
#include <string.h>

#include "otlp/exporter.h"

#define PROCESSOR      "batching_span_processor"
#define PROCESSOR_NAME PROCESSOR "/0"
#define NAME_MAX_BYTES 64

static const char *const component_labels[] = {"otel_component_name", "otel_component_type",
                                               "error_type"};

static const uint64_t duration_bounds_ns[] = {
    1000000,   2500000,   5000000,    10000000,   25000000,   50000000,    100000000,
    250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000, 30000000000};

/* ---- collecting ---------------------------------------------------------------------------- */

static struct tel_tracer_stats tracer_stats(const struct tel_tracer *tracer)
{
    struct tel_tracer_stats stats;
    tel_tracer_get_stats(tracer, &stats);
    return stats;
}

static struct tel_exporter_stats exporter_stats(const struct tel_exporter *exporter)
{
    struct tel_exporter_stats stats = {0};
    if (exporter != NULL) {
        tel_exporter_get_stats(exporter, &stats);
    }
    return stats;
}

static const char *component_of(const struct tel_exporter *exporter)
{
    return exporter != NULL ? exporter->kind->component : tel__exporter_otlp.component;
}

/* The only exporter of its type, so its instance number is 0. */
static void format_name(const struct tel_exporter *exporter, char name[NAME_MAX_BYTES])
{
    stpcpy(stpcpy(name, component_of(exporter)), "/0");
}

static void emit_processor(struct tel_scrape *scrape, const char *error_type, uint64_t value)
{
    const char *const values[] = {PROCESSOR_NAME, PROCESSOR, error_type};
    tel_scrape_emit(scrape, values, (double)value);
}

static void emit_exporter(struct tel_scrape *scrape, const struct tel_exporter *exporter,
                          const char *error_type, uint64_t value)
{
    char name[NAME_MAX_BYTES];
    format_name(exporter, name);
    const char *const values[] = {name, component_of(exporter), error_type};
    tel_scrape_emit(scrape, values, (double)value);
}

static void collect_started(struct tel_scrape *scrape, void *argument)
{
    tel_scrape_emit(scrape, NULL, (double)tracer_stats(argument).started);
}

static void collect_queue_size(struct tel_scrape *scrape, void *argument)
{
    emit_processor(scrape, NULL, tracer_stats(argument).queued);
}

static void collect_queue_capacity(struct tel_scrape *scrape, void *argument)
{
    emit_processor(scrape, NULL, tracer_stats(argument).queue_capacity);
}

/* A batching processor has processed a span when the exporter has taken it. */
static void emit_processed(struct tel_scrape *scrape, const struct tel_tracer *tracer,
                           const struct tel_exporter *exporter)
{
    struct tel_tracer_stats stats = tracer_stats(tracer);
    uint64_t taken =
        exporter != NULL ? atomic_load_explicit(&exporter->taken, memory_order_relaxed) : 0;
    emit_processor(scrape, NULL, taken);
    emit_processor(scrape, "queue_full", stats.dropped_queue_full);
    emit_processor(scrape, "already_shutdown", stats.dropped_shutdown);
}

static void collect_processed(struct tel_scrape *scrape, void *argument)
{
    const struct tel_exporter *exporter = argument;
    emit_processed(scrape, exporter->tracer, exporter);
}

static void collect_processed_alone(struct tel_scrape *scrape, void *argument)
{
    emit_processed(scrape, argument, NULL);
}

static void collect_inflight(struct tel_scrape *scrape, void *argument)
{
    emit_exporter(scrape, argument, NULL, exporter_stats(argument).inflight);
}

static void collect_exported(struct tel_scrape *scrape, void *argument)
{
    struct tel_exporter_stats stats = exporter_stats(argument);
    emit_exporter(scrape, argument, NULL, stats.acknowledged);
    for (int i = 0; i < TEL_EXPORT_ERRORS; i++) {
        emit_exporter(scrape, argument, tel_export_error_name((enum tel_export_error)i),
                      stats.failed[i]);
    }
}

/* ---- registering --------------------------------------------------------------------------- */

enum reads { READS_TRACER, READS_EXPORTER };

struct family_row {
    const char *name;
    const char *help;
    enum tel_metric_type type;
    size_t label_count; /* of component_labels */
    tel_collect_fn *collect;
    enum reads reads;
};

static const struct family_row families[] = {
    {"otel_sdk_span_started_total", "Spans created, sampled or not.", TEL_COUNTER, 0,
     collect_started, READS_TRACER},
    {"otel_sdk_processor_span_queue_size", "Spans that wait for the exporter.", TEL_GAUGE, 2,
     collect_queue_size, READS_TRACER},
    {"otel_sdk_processor_span_queue_capacity", "Spans that may wait for the exporter.", TEL_GAUGE,
     2, collect_queue_capacity, READS_TRACER},
    {"otel_sdk_exporter_span_inflight", "Spans the exporter has taken whose fate is open.",
     TEL_GAUGE, 2, collect_inflight, READS_EXPORTER},
    {"otel_sdk_exporter_span_exported_total",
     "Spans whose export ended: acknowledged, or failed for the reason in error_type.", TEL_COUNTER,
     3, collect_exported, READS_EXPORTER},
};

static int add_family(struct tel_registry *registry, const struct family_row *row, void *argument)
{
    struct tel_family *family =
        tel_family_create(registry, &(struct tel_family_options){.name = row->name,
                                                                 .help = row->help,
                                                                 .type = row->type,
                                                                 .label_names = component_labels,
                                                                 .label_count = row->label_count,
                                                                 .collect = row->collect,
                                                                 .collect_argument = argument});
    return family != NULL ? 0 : -errno;
}

static int add_processed(struct tel_registry *registry, struct tel_exporter *exporter,
                         const struct tel_tracer *tracer)
{
    const struct family_row row = {
        .name = "otel_sdk_processor_span_processed_total",
        .help = "Spans handed to the exporter, or dropped before it for the reason in error_type.",
        .type = TEL_COUNTER,
        .label_count = 3,
        .collect = exporter != NULL ? collect_processed : collect_processed_alone};
    return add_family(registry, &row, exporter != NULL ? exporter : (void *)(uintptr_t)tracer);
}

static int add_durations(struct tel_registry *registry, struct tel_exporter *exporter)
{
    char name[NAME_MAX_BYTES];
    size_t shard = exporter != NULL ? exporter->options.shard : 0;
    struct tel_family *family = tel_family_create(
        registry, &(struct tel_family_options){
                      .name = "otel_sdk_exporter_operation_duration_seconds",
                      .help = "Time to export a batch, retries included.",
                      .unit = "seconds",
                      .type = TEL_HISTOGRAM,
                      .label_names = component_labels,
                      .label_count = 3,
                      .bounds_ns = duration_bounds_ns,
                      .bound_count = sizeof(duration_bounds_ns) / sizeof(duration_bounds_ns[0])});
    if (family == NULL) {
        return -errno;
    }
    format_name(exporter, name);
    for (int i = 0; i <= TEL_EXPORT_ERRORS; i++) {
        const char *const values[] = {
            name, component_of(exporter),
            i < TEL_EXPORT_ERRORS ? tel_export_error_name((enum tel_export_error)i) : NULL};
        struct tel_series *series = tel_family_series(family, shard, values);
        if (exporter != NULL) {
            exporter->durations[i] = series;
        }
    }
    return 0;
}

int tel_exporter_register(struct tel_exporter *exporter, const struct tel_tracer *tracer,
                          struct tel_registry *registry)
{
    int error = 0;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && error == 0; i++) {
        error = add_family(registry, &families[i],
                           families[i].reads == READS_TRACER ? (void *)(uintptr_t)tracer
                                                             : (void *)exporter);
    }
    if (error == 0) {
        error = add_processed(registry, exporter, tracer);
    }
    return error != 0 ? error : add_durations(registry, exporter);
}
