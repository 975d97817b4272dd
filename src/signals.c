/*
 * The library makes and ends the parts (telemetry/signals.h); what is the service's own stands around
 * them: its options, its instruments, the headers that its log names. The parts are kept in the service
 * as pointers, one step nearer to the request path.
 */
#include "signals.h"

#include <errno.h>
#include <string.h>

#include "build_info.h"
#include "diagnostics.h"
#include "instruments.h"
#include "log_headers.h"
#include "options.h"
#include "service.h"

static struct tel_access_log_options access_log_options(const struct options *options)
{
    return (struct tel_access_log_options){
        .path = strcmp(options->access_log, "none") != 0 ? options->access_log : NULL,
        .fields = options->access_log_fields[0] != '\0' ? options->access_log_fields : NULL,
        .iis = options->access_log_format == OPTION_FORMAT_IIS,
        .queue_bytes = options->access_log_queue_bytes};
}

static void keep_parts(struct service *service)
{
    const struct tel_signals *signals = service->signals;
    service->registry = tel_signals_get_registry(signals);
    service->tracer = tel_signals_get_tracer(signals);
    service->exporter = tel_signals_get_exporter(signals);
    service->logger = tel_signals_get_logger(signals);
    service->logs_exporter = tel_signals_get_logs_exporter(signals);
    service->access_log = tel_signals_get_access_log(signals);
}

/* What the library's threads must find when they start. */
static int make_own(struct service *service)
{
    service->instruments = instruments_create(service->registry, service);
    if (service->instruments == NULL) {
        return -errno;
    }
    if (service->access_log != NULL) {
        service->log_headers = log_headers_create(service->access_log);
        if (service->log_headers == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

int signals_init(struct service *service)
{
    service->signals = tel_signals_create(
        &(struct tel_signals_options){.service_name = build_info.name,
                                      .service_version = build_info.version,
                                      .shard_count = service_serving_shards(service),
                                      .access_log = access_log_options(service->options),
                                      .diagnostic = diagnostics_from_library});
    if (service->signals == NULL) {
        return -errno; /* it has said why */
    }
    keep_parts(service);
    const char *part = "instruments";
    int error = make_own(service);
    if (error == 0) {
        part = "exporters";
        error = tel_signals_start(service->signals);
    }
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "signals", "cannot start telemetry", DIAGNOSTICS_TEXT("part", part),
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
    }
    return error;
}

int signals_flush(struct service *service, uint32_t deadline_ms)
{
    return tel_signals_shutdown(service->signals, deadline_ms);
}

void signals_fini(struct service *service)
{
    log_headers_destroy(service->log_headers);
    tel_signals_destroy(service->signals);
    instruments_destroy(service->instruments);
}
