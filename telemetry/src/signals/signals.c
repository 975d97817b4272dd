/*
 * A table of parts in the order of need. What fails is told by the name of its row; what was made
 * before it is freed like everything else, from the last to the first.
 */
#include "signals/signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOFTWARE_BYTES 256
#define EXPORTERS      2 /* whose threads have shards: of spans, of log records */

/* Where nobody else listens. The stream has a lock, so lines of several threads do not mix. */
static void say_on_stderr(enum tel_severity severity, const char *component, const char *message,
                          void *argument)
{
    (void)argument;
    if (severity >= TEL_WARN) {
        fprintf(stderr, "%s: %s: %s\n", severity == TEL_WARN ? "warning" : "error", component,
                message);
    }
}

/* ---- making -------------------------------------------------------------------------------- */

typedef int make_fn(struct tel_signals *signals, const struct tel_signals_options *options);

static void say_why(const struct tel_signals_options *options, const char *what, int error)
{
    tel_diagnostic_fn *say = options->diagnostic != NULL ? options->diagnostic : say_on_stderr;
    char message[128];
    snprintf(message, sizeof(message), "cannot make the %s: %s", what, strerror(-error));
    say(TEL_ERROR, "signals", message, options->diagnostic_argument);
}

static int make_config(struct tel_signals *signals, const struct tel_signals_options *options)
{
    signals->config = tel_config_create(options->get != NULL ? options->get : getenv,
                                        signals->diagnostic, signals->diagnostic_argument);
    return signals->config != NULL ? 0 : -errno;
}

static int add_own(struct tel_resource *resource, const char *key, const char *value)
{
    return value != NULL ? tel_resource_add(resource, key, value) : 0;
}

static int make_resource(struct tel_signals *signals, const struct tel_signals_options *options)
{
    signals->resource = tel_resource_create();
    if (signals->resource == NULL) {
        return -errno;
    }
    int error = tel_config_add_resource(signals->config, signals->resource);
    if (error == 0) {
        error = add_own(signals->resource, "service.name", options->service_name);
    }
    if (error == 0) {
        error = add_own(signals->resource, "service.version", options->service_version);
    }
    return error != 0 ? error : tel_resource_detect(signals->resource);
}

static int make_registry(struct tel_signals *signals, const struct tel_signals_options *options)
{
    (void)options;
    signals->registry = tel_registry_create(signals->shard_count + EXPORTERS);
    return signals->registry != NULL ? 0 : -errno;
}

static int make_tracer(struct tel_signals *signals, const struct tel_signals_options *options)
{
    (void)options;
    struct tel_tracer_options tracer = {.shard_count = signals->shard_count};
    tel_config_get_tracer(signals->config, &tracer);
    signals->tracer = tel_tracer_create(&tracer);
    return signals->tracer != NULL ? 0 : -errno;
}

/* What both exporters have from the program; `number` is 0 or 1. */
static struct tel_exporter_options exporter_options(const struct tel_signals *signals,
                                                    const struct tel_signals_options *options,
                                                    size_t number)
{
    return (struct tel_exporter_options){.shard = signals->shard_count + number,
                                         .scope_name = options->service_name,
                                         .scope_version = options->service_version,
                                         .diagnostic = signals->diagnostic,
                                         .diagnostic_argument = signals->diagnostic_argument};
}

static int make_exporter(struct tel_signals *signals, const struct tel_signals_options *options)
{
    struct tel_exporter_options exporter = exporter_options(signals, options, 0);
    tel_config_get_exporter(signals->config, &exporter);
    if (exporter.kind == TEL_EXPORTER_NONE) {
        return 0;
    }
    signals->exporter = tel_exporter_create(&exporter, signals->tracer, signals->resource);
    return signals->exporter != NULL ? 0 : -errno;
}

/* Records go where somebody asked for them, or are not made at all. */
static int make_logs(struct tel_signals *signals, const struct tel_signals_options *options)
{
    struct tel_logger_options logger = {.shard_count = signals->shard_count};
    struct tel_exporter_options exporter = exporter_options(signals, options, 1);
    tel_config_get_logger(signals->config, &logger);
    tel_config_get_logs_exporter(signals->config, &exporter);
    if (exporter.kind == TEL_EXPORTER_NONE) {
        return 0;
    }
    signals->logger = tel_logger_create(&logger);
    if (signals->logger == NULL) {
        return -errno;
    }
    signals->logs_exporter =
        tel_exporter_create_logs(&exporter, signals->logger, signals->resource);
    return signals->logs_exporter != NULL ? 0 : -errno;
}

static int make_families(struct tel_signals *signals, const struct tel_signals_options *options)
{
    (void)options;
    int error = tel_exporter_register(signals->exporter, signals->tracer, signals->registry);
    if (error == 0 && signals->logger != NULL) {
        error =
            tel_exporter_register_logs(signals->logs_exporter, signals->logger, signals->registry);
    }
    if (error == 0) {
        error = tel_process_register(signals->registry);
    }
    return error != 0 ? error : tel_resource_register(signals->resource, signals->registry);
}

static int make_access_log(struct tel_signals *signals, const struct tel_signals_options *options)
{
    struct tel_access_log_options log = options->access_log;
    char software[SOFTWARE_BYTES];
    if (log.path == NULL) {
        return 0;
    }
    if (log.software == NULL && options->service_name != NULL) {
        const char *version = options->service_version;
        snprintf(software, sizeof(software), "%s%s%s", options->service_name,
                 version != NULL ? "/" : "", version != NULL ? version : "");
        log.software = software;
    }
    log.shard_count = signals->shard_count;
    log.diagnostic = signals->diagnostic;
    log.diagnostic_argument = signals->diagnostic_argument;
    signals->access_log = tel_access_log_create(&log);
    return signals->access_log != NULL ? 0 : -errno;
}

static int make_all(struct tel_signals *signals, const struct tel_signals_options *options)
{
    static const struct {
        const char *what;
        make_fn *make;
    } parts[] = {{"configuration", make_config}, {"resource", make_resource},
                 {"registry", make_registry},    {"tracer", make_tracer},
                 {"exporter", make_exporter},    {"logs", make_logs},
                 {"metrics", make_families},     {"access log", make_access_log}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        int error = parts[i].make(signals, options);
        if (error != 0) {
            say_why(options, parts[i].what, error);
            return error;
        }
    }
    return 0;
}

struct tel_signals *tel_signals_create(const struct tel_signals_options *options)
{
    struct tel_signals *signals = calloc(1, sizeof(*signals));
    if (signals == NULL) {
        say_why(options, "signals", -ENOMEM);
        return NULL;
    }
    signals->shard_count = options->shard_count > 0 ? options->shard_count : 1;
    signals->diagnostic = options->diagnostic != NULL ? options->diagnostic : say_on_stderr;
    signals->diagnostic_argument = options->diagnostic_argument;
    int error = make_all(signals, options);
    if (error != 0) {
        tel_signals_destroy(signals);
        errno = -error;
        return NULL;
    }
    return signals;
}

int tel_signals_start(struct tel_signals *signals)
{
    int error = signals->exporter != NULL ? tel_exporter_start(signals->exporter) : 0;
    if (error == 0 && signals->logs_exporter != NULL) {
        error = tel_exporter_start(signals->logs_exporter);
    }
    return error;
}

/* ---- the parts ----------------------------------------------------------------------------- */

struct tel_config *tel_signals_get_config(const struct tel_signals *signals)
{
    return signals->config;
}

struct tel_resource *tel_signals_get_resource(const struct tel_signals *signals)
{
    return signals->resource;
}

struct tel_registry *tel_signals_get_registry(const struct tel_signals *signals)
{
    return signals->registry;
}

struct tel_tracer *tel_signals_get_tracer(const struct tel_signals *signals)
{
    return signals->tracer;
}

struct tel_exporter *tel_signals_get_exporter(const struct tel_signals *signals)
{
    return signals->exporter;
}

struct tel_logger *tel_signals_get_logger(const struct tel_signals *signals)
{
    return signals->logger;
}

struct tel_exporter *tel_signals_get_logs_exporter(const struct tel_signals *signals)
{
    return signals->logs_exporter;
}

struct tel_access_log *tel_signals_get_access_log(const struct tel_signals *signals)
{
    return signals->access_log;
}

/* ---- the end ------------------------------------------------------------------------------- */

int tel_signals_shutdown(struct tel_signals *signals, uint32_t deadline_ms)
{
    struct tel_exporter *const exporters[EXPORTERS] = {signals->exporter, signals->logs_exporter};
    int result = 0;
    for (size_t i = 0; i < EXPORTERS; i++) {
        if (exporters[i] != NULL) {
            tel_exporter_begin_shutdown(exporters[i], deadline_ms);
        }
    }
    if (signals->access_log != NULL) {
        result = tel_access_log_shutdown(signals->access_log, deadline_ms);
    }
    for (size_t i = 0; i < EXPORTERS; i++) {
        int error = exporters[i] != NULL ? tel_exporter_shutdown(exporters[i], 0) : 0;
        result = result != 0 ? result : error;
    }
    return result;
}

void tel_signals_destroy(struct tel_signals *signals)
{
    if (signals == NULL) {
        return;
    }
    tel_access_log_destroy(signals->access_log);
    tel_exporter_destroy(signals->exporter);
    tel_exporter_destroy(signals->logs_exporter);
    tel_registry_destroy(signals->registry);
    tel_tracer_destroy(signals->tracer);
    tel_logger_destroy(signals->logger);
    tel_resource_destroy(signals->resource);
    tel_config_destroy(signals->config);
    free(signals);
}
