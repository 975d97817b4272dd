/*
 * The order of making is the order of needing: who we are (resource), what counts (registry), spans
 * and who takes them away, lines. Flushing and freeing go the other way round.
 */
#include "signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "diagnostics.h"
#include "instruments.h"
#include "log_headers.h"
#include "options.h"
#include "service.h"

static int make_resource(struct service *service)
{
    service->config = tel_config_create(getenv, diagnostics_from_library, NULL);
    service->resource = tel_resource_create();
    if (service->config == NULL || service->resource == NULL) {
        return -ENOMEM;
    }
    int error = tel_config_add_resource(service->config, service->resource);
    if (error == 0) {
        error = tel_resource_add(service->resource, "service.name", build_info.name);
    }
    if (error == 0) {
        error = tel_resource_add(service->resource, "service.version", build_info.version);
    }
    return error != 0 ? error : tel_resource_detect(service->resource);
}

/* What an exporter's options have from us. */
static void sign(struct tel_exporter_options *options, size_t shard)
{
    options->shard = shard;
    options->scope_name = build_info.name;
    options->scope_version = build_info.version;
    options->diagnostic = diagnostics_from_library;
}

static int make_tracing(struct service *service)
{
    struct tel_tracer_options tracer = {0};
    struct tel_exporter_options exporter = {0};
    tel_config_get_tracer(service->config, &tracer);
    tel_config_get_exporter(service->config, &exporter);
    tracer.shard_count = service_serving_shards(service);
    service->tracer = tel_tracer_create(&tracer);
    if (service->tracer == NULL) {
        return -errno;
    }
    if (exporter.kind == TEL_EXPORTER_NONE || tracer.queue_size == 0) {
        return 0;
    }
    sign(&exporter, service_exporter_shard(service));
    service->exporter = tel_exporter_create(&exporter, service->tracer, service->resource);
    return service->exporter != NULL ? 0 : -errno;
}

/* Log records are sent only where somebody asked for it. */
static int make_logs(struct service *service)
{
    struct tel_logger_options logger = {.shard_count = service_serving_shards(service)};
    struct tel_exporter_options exporter = {0};
    tel_config_get_logger(service->config, &logger);
    tel_config_get_logs_exporter(service->config, &exporter);
    if (exporter.kind == TEL_EXPORTER_NONE) {
        return 0;
    }
    service->logger = tel_logger_create(&logger);
    if (service->logger == NULL) {
        return -errno;
    }
    sign(&exporter, service_logs_exporter_shard(service));
    service->logs_exporter =
        tel_exporter_create_logs(&exporter, service->logger, service->resource);
    return service->logs_exporter != NULL ? 0 : -errno;
}

static int make_metrics(struct service *service)
{
    service->registry = tel_registry_create(service_shard_count(service));
    if (service->registry == NULL) {
        return -errno;
    }
    service->instruments = instruments_create(service->registry, service);
    if (service->instruments == NULL) {
        return -errno;
    }
    int error = tel_exporter_register(service->exporter, service->tracer, service->registry);
    if (error == 0 && service->logger != NULL) {
        error =
            tel_exporter_register_logs(service->logs_exporter, service->logger, service->registry);
    }
    if (error == 0) {
        error = tel_process_register(service->registry);
    }
    return error != 0 ? error : tel_resource_register(service->resource, service->registry);
}

static int make_access_log(struct service *service)
{
    const struct options *options = service->options;
    char software[64];
    if (strcmp(options->access_log, "none") == 0) {
        return 0;
    }
    snprintf(software, sizeof(software), "%s/%s", build_info.name, build_info.version);
    service->access_log = tel_access_log_create(&(struct tel_access_log_options){
        .path = options->access_log,
        .fields = options->access_log_fields[0] != '\0' ? options->access_log_fields : NULL,
        .iis = options->access_log_format == OPTION_FORMAT_IIS,
        .software = software,
        .shard_count = service_serving_shards(service),
        .queue_bytes = options->access_log_queue_bytes,
        .diagnostic = diagnostics_from_library});
    if (service->access_log == NULL) {
        return -errno;
    }
    service->log_headers = log_headers_create(service->access_log);
    return service->log_headers != NULL ? 0 : -ENOMEM;
}

static int start_exporters(struct service *service)
{
    int error = service->exporter != NULL ? tel_exporter_start(service->exporter) : 0;
    return error == 0 && service->logs_exporter != NULL ? tel_exporter_start(service->logs_exporter)
                                                        : error;
}

int signals_init(struct service *service)
{
    static const struct {
        const char *what;
        int (*make)(struct service *service);
    } steps[] = {{"resource", make_resource},
                 {"tracing", make_tracing},
                 {"logs", make_logs},
                 {"metrics", make_metrics},
                 {"access log", make_access_log},
                 {"exporters", start_exporters}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int error = steps[i].make(service);
        if (error != 0) {
            DIAGNOSTICS(TEL_ERROR, "signals", "cannot start telemetry",
                        DIAGNOSTICS_TEXT("part", steps[i].what),
                        DIAGNOSTICS_TEXT("error", strerror(-error)));
            return error;
        }
    }
    return 0;
}

/* All of them flush at the same time, so that one that is stuck does not eat the others' share. */
int signals_flush(struct service *service, uint32_t deadline_ms)
{
    struct tel_exporter *const exporters[] = {service->exporter, service->logs_exporter};
    const size_t count = sizeof(exporters) / sizeof(exporters[0]);
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (exporters[i] != NULL) {
            tel_exporter_begin_shutdown(exporters[i], deadline_ms);
        }
    }
    if (service->access_log != NULL) {
        result = tel_access_log_shutdown(service->access_log, deadline_ms);
    }
    for (size_t i = 0; i < count; i++) {
        int error = exporters[i] != NULL ? tel_exporter_shutdown(exporters[i], 0) : 0;
        result = result != 0 ? result : error;
    }
    return result;
}

void signals_fini(struct service *service)
{
    log_headers_destroy(service->log_headers);
    tel_access_log_destroy(service->access_log);
    tel_exporter_destroy(service->exporter);
    tel_exporter_destroy(service->logs_exporter);
    instruments_destroy(service->instruments);
    tel_registry_destroy(service->registry);
    tel_tracer_destroy(service->tracer);
    tel_logger_destroy(service->logger);
    tel_resource_destroy(service->resource);
    tel_config_destroy(service->config);
}
