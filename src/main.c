/*
 * glassbox: a table of contents. Options -> telemetry -> server -> run -> drain -> flush.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cpus.h"
#include "diagnostics.h"
#include "options.h"
#include "reconciliation.h"
#include "server.h"
#include "service.h"
#include "signals.h"
#include "worker.h"

#define EXIT_CANNOT_START 1

static void read_limits(const struct options *options, struct http_limits *limits)
{
    *limits = (struct http_limits){.request_line_bytes = options->max_request_line_bytes,
                                   .head_bytes = options->max_head_bytes,
                                   .header_count = options->max_header_count,
                                   .body_bytes = options->max_body_bytes,
                                   .idle_ms = (uint32_t)options->idle_timeout_ms,
                                   .head_ms = (uint32_t)options->head_timeout_ms,
                                   .body_ms = (uint32_t)options->body_timeout_ms,
                                   .write_ms = (uint32_t)options->write_timeout_ms,
                                   .linger_ms = (uint32_t)options->linger_timeout_ms};
}

/* Serves until told to end. Returns the exit status. */
static int serve(struct service *service, struct event_base *base)
{
    if (server_create(service, base) == NULL) {
        return EXIT_CANNOT_START;
    }
    lifecycle_set_ready(&service->lifecycle);
    event_base_dispatch(base);
    server_stop(service->server);
    return EXIT_SUCCESS;
}

static int run(struct service *service)
{
    struct event_base *base = worker_base_create();
    int status = EXIT_CANNOT_START;
    if (base != NULL && lifecycle_init(&service->lifecycle, service, base) == 0 &&
        signals_init(service) == 0) {
        status = serve(service, base);
        signals_flush(service, (uint32_t)service->options->flush_timeout_ms);
    }
    if (status == EXIT_SUCCESS) {
        struct reconciliation terms;
        reconciliation_read(service, &terms);
        reconciliation_report(&terms);
    }
    server_destroy(service->server);
    signals_fini(service);
    lifecycle_fini(&service->lifecycle);
    if (base != NULL) {
        event_base_free(base);
    }
    diagnostics_flush();
    return status;
}

int main(int argc, char *argv[])
{
    struct options options;
    int status = options_start(&options, argc, argv, environ);
    if (status != OPTIONS_GO_ON) {
        return status;
    }
    signal(SIGPIPE, SIG_IGN);
    struct service service = {.options = &options,
                              .worker_count = options.workers > 0 ? (size_t)options.workers
                                                                  : cpus_default_workers()};
    read_limits(&options, &service.limits);
    return run(&service);
}
