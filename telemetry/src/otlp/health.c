/*
 * The exporter's own health, as metrics. Counters that are kept anyway are collected when somebody
 * scrapes; only durations are observed, by the exporter's thread in its own shard.
 *
 * A row of a family_row table is a metric; signals have the same ones under names of their own
 * (base/signal.h). What a queue knows is read from the queue, what an exporter knows from the
 * exporter, which may be NULL: then its counters stand at 0. What a kind of exporter cannot meet has
 * no series.
 *
 * Source: OpenTelemetry semantic conventions 1.44, otel/sdk-metrics; names in Prometheus form by
 * the compatibility specification (dots to underscores, units, _total).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "logs/logger.h"
#include "metrics/model.h"
#include "otlp/exporter.h"
#include "trace/tracer.h"

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

static struct tel__queue_stats queue_stats(const struct tel__queue *queue)
{
    struct tel__queue_stats stats;
    tel__queue_get_stats(queue, &stats);
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

/* Where there is no exporter, the one that would be there by default stands for it: spans', over
 * OTLP. */
static const struct tel__exporter_kind *kind_of(const struct tel_exporter *exporter)
{
    return exporter != NULL ? exporter->kind : &tel__exporter_otlp;
}

static const struct tel__signal *signal_of(const struct tel_exporter *exporter)
{
    return exporter != NULL ? exporter->queue->signal : &tel__signal_traces;
}

static bool can_meet(const struct tel_exporter *exporter, enum tel_export_error error)
{
    return (kind_of(exporter)->errors >> error & 1) != 0;
}

/* What the labels of a component borrow. It is the only one of its type: its number is 0. */
struct component_names {
    char type[NAME_MAX_BYTES];
    char name[NAME_MAX_BYTES];
};

/* Values of exporter_labels. */
static void fill_labels(const struct tel_exporter *exporter, struct component_names *names,
                        const char *values[WITH_STATUS], const char *error_type, const char *status)
{
    snprintf(names->type, sizeof(names->type), "%s_%s_exporter", kind_of(exporter)->component,
             signal_of(exporter)->word);
    stpcpy(stpcpy(names->name, names->type), "/0");
    values[0] = names->name;
    values[1] = names->type;
    values[2] = exporter != NULL ? exporter->server_address : NULL;
    values[3] = exporter != NULL ? exporter->server_port : NULL;
    values[4] = error_type;
    values[5] = status;
}

static void emit_processor(struct tel_scrape *scrape, const struct tel__queue *queue,
                           const char *error_type, uint64_t value)
{
    char name[NAME_MAX_BYTES];
    const char *const values[] = {name, queue->signal->processor, error_type};
    stpcpy(stpcpy(name, queue->signal->processor), "/0");
    tel_scrape_emit(scrape, values, (double)value);
}

static void emit_exporter(struct tel_scrape *scrape, const struct tel_exporter *exporter,
                          const char *error_type, uint64_t value)
{
    struct component_names names;
    const char *values[WITH_STATUS];
    fill_labels(exporter, &names, values, error_type, NULL);
    tel_scrape_emit(scrape, values, (double)value);
}

static void collect_started(struct tel_scrape *scrape, void *argument)
{
    static const char *const origins[] = {"none", "local", "remote"};
    static const char *const results[] = {"DROP", "RECORD_AND_SAMPLE"};
    struct tel_tracer_stats stats;
    tel_tracer_get_stats(argument, &stats);
    for (int origin = 0; origin < TEL_PARENT_ORIGINS; origin++) {
        for (int sampled = 0; sampled < 2; sampled++) {
            const char *const values[] = {origins[origin], results[sampled]};
            tel_scrape_emit(scrape, values, (double)stats.started_by[origin][sampled]);
        }
    }
}

static void collect_created(struct tel_scrape *scrape, void *argument)
{
    struct tel_logger_stats stats;
    tel_logger_get_stats(argument, &stats);
    tel_scrape_emit(scrape, NULL, (double)stats.emitted);
}

static void collect_queue_size(struct tel_scrape *scrape, void *argument)
{
    emit_processor(scrape, argument, NULL, queue_stats(argument).waiting);
}

static void collect_queue_capacity(struct tel_scrape *scrape, void *argument)
{
    emit_processor(scrape, argument, NULL, queue_stats(argument).capacity);
}

/* A batching processor has processed a record when the exporter has taken it. */
static void emit_processed(struct tel_scrape *scrape, const struct tel__queue *queue,
                           const struct tel_exporter *exporter)
{
    const struct tel__queue_stats stats = queue_stats(queue);
    uint64_t taken =
        exporter != NULL ? atomic_load_explicit(&exporter->taken, memory_order_relaxed) : 0;
    emit_processor(scrape, queue, NULL, taken);
    emit_processor(scrape, queue, "queue_full", stats.dropped_full);
    emit_processor(scrape, queue, "already_shutdown", stats.dropped_closed);
}

static void collect_processed(struct tel_scrape *scrape, void *argument)
{
    const struct tel_exporter *exporter = argument;
    emit_processed(scrape, exporter->queue, exporter);
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
    struct component_names names;
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
    fill_labels(exporter, &names, values, error_type, ending->status != 0 ? status : NULL);
    size_t shard = exporter->options.shard;
    tel_histogram_observe(tel_family_series(exporter->durations, shard, values), shard,
                          ending->duration_ns, NULL);
}

/* ---- registering --------------------------------------------------------------------------- */

struct family_row {
    const char *name;
    const char *help;
    enum tel_metric_type type;
    const char *const *label_names;
    size_t label_count;
    tel_collect_fn *collect;
    const void *argument;
};

static int add_families(struct tel_registry *registry, const struct family_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct family_row *row = &rows[i];
        struct tel_family *family = tel_family_create(
            registry,
            &(struct tel_family_options){.name = row->name,
                                         .help = row->help,
                                         .type = row->type,
                                         .label_names = row->label_names,
                                         .label_count = row->label_count,
                                         .collect = row->collect,
                                         .collect_argument = (void *)(uintptr_t)row->argument});
        if (family == NULL) {
            return -errno;
        }
    }
    return 0;
}

/* What a queue and the exporter behind it (or none) have to say. */
static int add_export(struct tel_registry *registry, const struct tel_exporter *exporter,
                      const struct tel__queue *queue)
{
    const struct tel__signal *names = queue->signal;
    const struct family_row rows[] = {
        {names->queue_size, names->queue_size_help, TEL_GAUGE, processor_labels, 2,
         collect_queue_size, queue},
        {names->queue_capacity, names->queue_capacity_help, TEL_GAUGE, processor_labels, 2,
         collect_queue_capacity, queue},
        {names->processed, names->processed_help, TEL_COUNTER, processor_labels, 3,
         exporter != NULL ? collect_processed : collect_processed_alone,
         exporter != NULL ? (const void *)exporter : queue},
        {names->inflight, names->inflight_help, TEL_GAUGE, exporter_labels, WITH_SERVER,
         collect_inflight, exporter},
        {names->exported, names->exported_help, TEL_COUNTER, exporter_labels, WITH_ERROR,
         collect_exported, exporter},
    };
    return add_families(registry, rows, sizeof(rows) / sizeof(rows[0]));
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
        struct component_names names;
        const char *values[WITH_STATUS];
        bool failed = expected[i].error < TEL_EXPORT_ERRORS;
        if (!failed || can_meet(exporter, expected[i].error)) {
            fill_labels(exporter, &names, values,
                        failed ? tel_export_error_name(expected[i].error) : NULL,
                        speaks_http ? expected[i].status : NULL);
            tel_family_series(family, exporter != NULL ? exporter->options.shard : 0, values);
        }
    }
}

/* One family for the exporters of all signals: the component is a label. */
static struct tel_family *durations_of(struct tel_registry *registry)
{
    const struct tel_family_options options = {
        .name = "otel_sdk_exporter_operation_duration_seconds",
        .help = "Time to export a batch, retries included.",
        .unit = "seconds",
        .type = TEL_HISTOGRAM,
        .label_names = exporter_labels,
        .label_count = WITH_STATUS,
        .series_limit = SERIES_MAX,
        .bounds_ns = duration_bounds_ns,
        .bound_count = sizeof(duration_bounds_ns) / sizeof(duration_bounds_ns[0])};
    struct tel_family *family = tel__registry_find(registry, options.name);
    return family != NULL ? family : tel_family_create(registry, &options);
}

static int add_durations(struct tel_registry *registry, struct tel_exporter *exporter)
{
    struct tel_family *family = durations_of(registry);
    if (family == NULL) {
        return -errno;
    }
    uint64_t overflowed = tel_registry_overflow_count(registry);
    add_expected(family, exporter);
    if (tel_registry_overflow_count(registry) != overflowed) {
        return -ENOMEM; /* what should be there from the start would never be */
    }
    if (exporter != NULL) {
        exporter->durations = family;
    }
    return 0;
}

/* Everything after the first family, which is the producers' own. */
static int add_rest(struct tel_registry *registry, struct tel_exporter *exporter,
                    const struct tel__queue *queue)
{
    int error = add_export(registry, exporter, queue);
    return error != 0 ? error : add_durations(registry, exporter);
}

int tel_exporter_register(struct tel_exporter *exporter, const struct tel_tracer *tracer,
                          struct tel_registry *registry)
{
    const struct family_row started = {"otel_sdk_span_started_total",
                                       "Spans created, sampled or not.",
                                       TEL_COUNTER,
                                       started_labels,
                                       2,
                                       collect_started,
                                       tracer};
    int error = add_families(registry, &started, 1);
    return error != 0 ? error : add_rest(registry, exporter, &tracer->queue);
}

int tel_exporter_register_logs(struct tel_exporter *exporter, const struct tel_logger *logger,
                               struct tel_registry *registry)
{
    const struct family_row created = {"otel_sdk_log_created_total",
                                       "Log records emitted.",
                                       TEL_COUNTER,
                                       NULL,
                                       0,
                                       collect_created,
                                       logger};
    int error = add_families(registry, &created, 1);
    return error != 0 ? error : add_rest(registry, exporter, &logger->queue);
}
