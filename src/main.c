/*
 * glassbox: a table of contents. Options -> addresses -> telemetry -> workers -> run -> drain ->
 * flush -> the equation.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpus.h"
#include "diagnostics.h"
#include "engine_limits.h"
#include "faults/faults.h"
#include "memory.h"
#include "options.h"
#include "page/page.h"
#include "reconciliation.h"
#include "reserve.h"
#include "server.h"
#include "service.h"
#include "signals.h"
#include "worker.h"

#define EXIT_FAILED 1 /* could not start, or not go on */

/* What libevent has to say goes the way of everything else, not unformatted to stderr. Its messages
 * are evdns' about each nameserver that does not answer; the exporter tells what came of it. */
static void on_libevent_says(int severity, const char *message)
{
    static const enum tel_severity severities[] = {
        [EVENT_LOG_DEBUG] = TEL_DEBUG,
        [EVENT_LOG_MSG] = TEL_DEBUG,
        [EVENT_LOG_WARN] = TEL_WARN,
        [EVENT_LOG_ERR] = TEL_ERROR,
    };
    diagnostics_write(severities[severity & 3], "libevent", message, NULL);
}

/* Before the workers: faults of the process are in force from its start. Returns 0 or a negative errno,
 * which has been told. */
static int start_faults(struct service *service, struct event_base *base)
{
    int error = faults_start(service->faults, base);
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "main", "cannot start", DIAGNOSTICS_TEXT("part", "faults"),
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
    }
    return error;
}

/* Where it is wanted. Returns 0 or a negative errno, which has been told. */
static int make_page(struct service *service)
{
    if (service->options->page) {
        service->page = page_create(service);
        if (service->page == NULL) {
            int error = -errno;
            DIAGNOSTICS(TEL_ERROR, "main", "cannot start", DIAGNOSTICS_TEXT("part", "page"),
                        DIAGNOSTICS_TEXT("error", strerror(-error)));
            return error;
        }
    }
    return 0;
}

/* Listeners are bound first: who cannot have its address must not touch another's log. Returns whether
 * it started. */
static bool serve(struct service *service, struct event_base *base)
{
    service->server = server_create(service, base);
    if (service->server == NULL || signals_init(service) != 0 || start_faults(service, base) != 0 ||
        make_page(service) != 0 || server_start(service->server) != 0) {
        return false;
    }
    lifecycle_set_ready(&service->lifecycle);
    event_base_dispatch(base);
    if (lifecycle_get_state(&service->lifecycle) != LIFE_STOPPED) {
        DIAGNOSTICS(TEL_ERROR, "main", "the event loop ended by itself");
    }
    server_stop(service->server);
    faults_end(service->faults);
    signals_flush(service, (uint32_t)service->options->flush_timeout_ms);
    return true;
}

static int run(struct service *service)
{
    struct event_base *base = worker_base_create();
    int error = base == NULL ? -errno : lifecycle_init(&service->lifecycle, service, base);
    bool started = false;
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "main", "cannot start", DIAGNOSTICS_TEXT("part", "event loop"),
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
    } else {
        started = serve(service, base);
    }
    if (started) {
        struct reconciliation terms;
        reconciliation_read(service, &terms);
        reconciliation_report(&terms);
    }
    bool in_order = started && lifecycle_get_state(&service->lifecycle) == LIFE_STOPPED;
    server_destroy(service->server);
    faults_end(service->faults); /* its timer is on the loop */
    page_destroy(service->page);
    signals_fini(service);
    lifecycle_fini(&service->lifecycle);
    if (base != NULL) {
        event_base_free(base);
    }
    return in_order ? EXIT_SUCCESS : EXIT_FAILED;
}

/* A standard descriptor that is closed would be given to a socket, and get our log lines. */
static void fill_standard_descriptors(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

int main(int argc, char *argv[])
{
    fill_standard_descriptors();
    memory_init();
    reserve_install();
    struct options options;
    int status = options_start(&options, argc, argv, environ);
    if (status != OPTIONS_GO_ON) {
        return status;
    }
    signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(on_libevent_says);
    struct service service = {.options = &options,
                              .limits = engine_limits_of(&options),
                              .worker_count = options.workers > 0 ? (size_t)options.workers
                                                                  : cpus_default_workers()};
    service.faults = faults_create(&options);
    status = service.faults != NULL ? run(&service)
             : errno == EINVAL      ? OPTIONS_EXIT_BAD
                                    : EXIT_FAILED;
    faults_destroy(service.faults);
    diagnostics_flush();
    return status;
}
