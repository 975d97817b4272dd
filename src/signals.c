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

static int make_tracing(struct service *service)
{
    struct tel_tracer_options tracer = {0};
    struct tel_exporter_options exporter = {0};
    tel_config_get_tracer(service->config, &tracer);
    tel_config_get_exporter(service->config, &exporter);
    tracer.shard_count = service_shard_count(service);
    service->tracer = tel_tracer_create(&tracer);
    if (service->tracer == NULL) {
        return -errno;
    }
    if (exporter.kind == TEL_EXPORTER_NONE || tracer.queue_size == 0) {
        return 0;
    }
    exporter.shard = service_exporter_shard(service);
    exporter.scope_name = build_info.name;
    exporter.scope_version = build_info.version;
    exporter.diagnostic = diagnostics_from_library;
    service->exporter = tel_exporter_create(&exporter, service->tracer, service->resource);
    return service->exporter != NULL ? 0 : -errno;
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
        .shard_count = service_shard_count(service),
        .queue_bytes = options->access_log_queue_bytes,
        .diagnostic = diagnostics_from_library});
    if (service->access_log == NULL) {
        return -errno;
    }
    service->log_headers = log_headers_create(service->access_log);
    return service->log_headers != NULL ? 0 : -ENOMEM;
}

static int start_exporter(struct service *service)
{
    return service->exporter != NULL ? tel_exporter_start(service->exporter) : 0;
}

int signals_init(struct service *service)
{
    static const struct {
        const char *what;
        int (*make)(struct service *service);
    } steps[] = {{"resource", make_resource},
                 {"tracing", make_tracing},
                 {"metrics", make_metrics},
                 {"access log", make_access_log},
                 {"exporter", start_exporter}};
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

static uint32_t left_ms(uint64_t until_ns)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    return now_ns < until_ns ? (uint32_t)((until_ns - now_ns) / TEL_NS_PER_MS) : 0;
}

int signals_flush(struct service *service, uint32_t deadline_ms)
{
    uint64_t until_ns = tel_clock_monotonic_ns() + deadline_ms * TEL_NS_PER_MS;
    int result = 0;
    if (service->access_log != NULL) {
        /* A stuck pipe must not eat the spans' time too. */
        uint32_t share_ms = service->exporter != NULL ? deadline_ms / 2 : deadline_ms;
        result = tel_access_log_shutdown(service->access_log, share_ms);
    }
    if (service->exporter != NULL) {
        int error = tel_exporter_shutdown(service->exporter, left_ms(until_ns));
        result = result != 0 ? result : error;
    }
    return result;
}

void signals_fini(struct service *service)
{
    log_headers_destroy(service->log_headers);
    tel_access_log_destroy(service->access_log);
    tel_exporter_destroy(service->exporter);
    instruments_destroy(service->instruments);
    tel_registry_destroy(service->registry);
    tel_tracer_destroy(service->tracer);
    tel_resource_destroy(service->resource);
    tel_config_destroy(service->config);
}
