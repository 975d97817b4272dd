/*
 * The exporter's own health, as metrics. Counters that are kept anyway are collected when somebody
 * scrapes; only durations are observed, by the exporter's thread in its own shard.
 *
 * A row of `families` is a metric. What a tracer knows is read from the tracer, what an exporter
 * knows from the exporter, which may be NULL: then its counters stand at 0. What a kind of exporter
 * cannot meet has no series.
 *
 * Source: OpenTelemetry semantic conventions 1.44, otel/sdk-metrics; names in Prometheus form by
 * the compatibility specification (dots to underscores, units, _total).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "otlp/exporter.h"

#define PROCESSOR      "batching_span_processor"
#define PROCESSOR_NAME PROCESSOR "/0"
#define NAME_MAX_BYTES 64

#define SERIES_MAX 64 /* of durations: outcomes times statuses; a collector may answer anything */

static const char *const started_labels[] = {"otel_span_parent_origin",
                                             "otel_span_sampling_result"};
static const char *const processor_labels[] = {"otel_component_name", "otel_component_type",
                                               "error_type"};
static const char *const exporter_labels[] = {"otel_component_name", "otel_component_type",
                                              "server_address",      "server_port",
                                              "error_type",          "http_response_status_code"};
#define WITH_SERVER 4 /* of exporter_labels */
#define WITH_ERROR  5
#define WITH_STATUS 6

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

/* Where there is no exporter, the one that would be there by default stands for it. */
static const struct tel__exporter_kind *kind_of(const struct tel_exporter *exporter)
{
    return exporter != NULL ? exporter->kind : &tel__exporter_otlp;
}

static bool can_meet(const struct tel_exporter *exporter, enum tel_export_error error)
{
    return (kind_of(exporter)->errors >> error & 1) != 0;
}

/* Values of exporter_labels; `name` is what they borrow. */
static void fill_labels(const struct tel_exporter *exporter, char name[NAME_MAX_BYTES],
                        const char *values[WITH_STATUS], const char *error_type, const char *status)
{
    const char *component = kind_of(exporter)->component;
    stpcpy(stpcpy(name, component), "/0"); /* the only one of its type: its number is 0 */
    values[0] = name;
    values[1] = component;
    values[2] = exporter != NULL ? exporter->server_address : NULL;
    values[3] = exporter != NULL ? exporter->server_port : NULL;
    values[4] = error_type;
    values[5] = status;
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
    const char *values[WITH_STATUS];
    fill_labels(exporter, name, values, error_type, NULL);
    tel_scrape_emit(scrape, values, (double)value);
}

static void collect_started(struct tel_scrape *scrape, void *argument)
{
    static const char *const origins[] = {"none", "local", "remote"};
    static const char *const results[] = {"DROP", "RECORD_AND_SAMPLE"};
    const struct tel_tracer_stats stats = tracer_stats(argument);
    for (int origin = 0; origin < TEL_PARENT_ORIGINS; origin++) {
        for (int sampled = 0; sampled < 2; sampled++) {
            const char *const values[] = {origins[origin], results[sampled]};
            tel_scrape_emit(scrape, values, (double)stats.started_by[origin][sampled]);
        }
    }
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

/* A sample a status met, and one for the rest of them. */
static void emit_statuses(struct tel_scrape *scrape, const struct tel_exporter *exporter)
{
    static const struct tel__statuses none;
    char text[TEL__STATUS_TEXT];
    uint64_t spans;
    for (size_t i = 0;
         tel__statuses_read(exporter != NULL ? &exporter->statuses : &none, i, text, &spans) == 0;
         i++) {
        emit_exporter(scrape, exporter, text, spans);
    }
}

static void collect_exported(struct tel_scrape *scrape, void *argument)
{
    struct tel_exporter_stats stats = exporter_stats(argument);
    emit_exporter(scrape, argument, NULL, stats.acknowledged);
    for (enum tel_export_error error = 0; error < TEL_EXPORT_ERRORS; error++) {
        if (error == TEL_EXPORT_STATUS && can_meet(argument, error)) {
            emit_statuses(scrape, argument);
        } else if (can_meet(argument, error)) {
            emit_exporter(scrape, argument, tel_export_error_name(error), stats.failed[error]);
        }
    }
}

/* ---- observing ----------------------------------------------------------------------------- */

void tel__exporter_observe(struct tel_exporter *exporter, const struct tel__ending *ending)
{
    char name[NAME_MAX_BYTES];
    char status[TEL__STATUS_TEXT];
    char error[TEL__STATUS_TEXT];
    const char *error_type = NULL;
    const char *values[WITH_STATUS];
    if (exporter->durations == NULL) {
        return;
    }
    snprintf(status, sizeof(status), "%u", ending->status);
    if (ending->error == TEL_EXPORT_STATUS) {
        tel__statuses_name(&exporter->statuses, ending->status, error);
        error_type = error;
    } else if (ending->error < TEL_EXPORT_ERRORS) {
        error_type = tel_export_error_name(ending->error);
    }
    fill_labels(exporter, name, values, error_type, ending->status != 0 ? status : NULL);
    size_t shard = exporter->options.shard;
    tel_histogram_observe(tel_family_series(exporter->durations, shard, values), shard,
                          ending->duration_ns, NULL);
}

/* ---- registering --------------------------------------------------------------------------- */

enum reads { READS_TRACER, READS_EXPORTER };

struct family_row {
    const char *name;
    const char *help;
    enum tel_metric_type type;
    const char *const *label_names;
    size_t label_count;
    tel_collect_fn *collect;
    enum reads reads;
};

static const struct family_row families[] = {
    {"otel_sdk_span_started_total", "Spans created, sampled or not.", TEL_COUNTER, started_labels,
     2, collect_started, READS_TRACER},
    {"otel_sdk_processor_span_queue_size", "Spans that wait for the exporter.", TEL_GAUGE,
     processor_labels, 2, collect_queue_size, READS_TRACER},
    {"otel_sdk_processor_span_queue_capacity", "Spans that may wait for the exporter.", TEL_GAUGE,
     processor_labels, 2, collect_queue_capacity, READS_TRACER},
    {"otel_sdk_exporter_span_inflight", "Spans the exporter has taken whose fate is open.",
     TEL_GAUGE, exporter_labels, WITH_SERVER, collect_inflight, READS_EXPORTER},
    {"otel_sdk_exporter_span_exported_total",
     "Spans whose export ended: acknowledged, or failed for the reason in error_type.", TEL_COUNTER,
     exporter_labels, WITH_ERROR, collect_exported, READS_EXPORTER},
};

static int add_family(struct tel_registry *registry, const struct family_row *row, void *argument)
{
    struct tel_family *family =
        tel_family_create(registry, &(struct tel_family_options){.name = row->name,
                                                                 .help = row->help,
                                                                 .type = row->type,
                                                                 .label_names = row->label_names,
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
        .label_names = processor_labels,
        .label_count = 3,
        .collect = exporter != NULL ? collect_processed : collect_processed_alone};
    return add_family(registry, &row, exporter != NULL ? exporter : (void *)(uintptr_t)tracer);
}

/* The endings that are expected, so that they are there from the first scrape; statuses that fail
 * come as they are met. */
static void add_expected(struct tel_family *family, const struct tel_exporter *exporter)
{
    static const struct {
        enum tel_export_error error;
        const char *status;
    } expected[] = {
        {TEL_EXPORT_ERRORS, "200"},      {TEL_EXPORT_REJECTED, "200"},
        {TEL_EXPORT_TIMEOUT, NULL},      {TEL_EXPORT_CONNECTION, NULL},
        {TEL_EXPORT_BAD_RESPONSE, NULL}, {TEL_EXPORT_TOO_LARGE, NULL},
        {TEL_EXPORT_SHUTDOWN, NULL},
    };
    bool speaks_http = can_meet(exporter, TEL_EXPORT_STATUS);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        char name[NAME_MAX_BYTES];
        const char *values[WITH_STATUS];
        bool failed = expected[i].error < TEL_EXPORT_ERRORS;
        if (!failed || can_meet(exporter, expected[i].error)) {
            fill_labels(exporter, name, values,
                        failed ? tel_export_error_name(expected[i].error) : NULL,
                        speaks_http ? expected[i].status : NULL);
            tel_family_series(family, exporter != NULL ? exporter->options.shard : 0, values);
        }
    }
}

static int add_durations(struct tel_registry *registry, struct tel_exporter *exporter)
{
    struct tel_family *family = tel_family_create(
        registry, &(struct tel_family_options){
                      .name = "otel_sdk_exporter_operation_duration_seconds",
                      .help = "Time to export a batch, retries included.",
                      .unit = "seconds",
                      .type = TEL_HISTOGRAM,
                      .label_names = exporter_labels,
                      .label_count = WITH_STATUS,
                      .series_limit = SERIES_MAX,
                      .bounds_ns = duration_bounds_ns,
                      .bound_count = sizeof(duration_bounds_ns) / sizeof(duration_bounds_ns[0])});
    if (family == NULL) {
        return -errno;
    }
    add_expected(family, exporter);
    if (exporter != NULL) {
        exporter->durations = family;
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
