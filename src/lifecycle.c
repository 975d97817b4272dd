/*
 * A state only moves forward. Each step is a callback of the main loop; the last breaks the loop, and
 * main() goes on with stopping and flushing.
 */
#include "lifecycle.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "diagnostics.h"
#include "faults/faults.h"
#include "options.h"
#include "server.h"
#include "service.h"
#include "telemetry/clock.h"

#define DRAIN_POLL_MS 10

static void arm_timer(struct lifecycle *lifecycle, uint64_t delay_ms)
{
    const struct timeval delay = {.tv_sec = (time_t)(delay_ms / 1000),
                                  .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000)};
    event_add(lifecycle->timer, &delay);
}

/* From the first signal on the next one must end the process wherever it is, also while the main
 * thread waits in a flush; and process 1 has no default action to fall back on. */
static void end_at_once(int signal_number)
{
    _exit(128 + signal_number);
}

static void start_drain(struct lifecycle *lifecycle)
{
    uint64_t timeout_ms = lifecycle->service->options->drain_timeout_ms;
    lifecycle->drain_until_ns = tel_clock_monotonic_ns() + timeout_ms * TEL_NS_PER_MS;
    server_drain(lifecycle->service->server);
    DIAGNOSTICS(TEL_INFO_LEVEL, "lifecycle", "draining: listeners closed",
                DIAGNOSTICS_NUMBER("connections",
                                   server_connections(lifecycle->service->server, LISTENER_PUBLIC)),
                DIAGNOSTICS_NUMBER("timeout_ms", timeout_ms));
    arm_timer(lifecycle, DRAIN_POLL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct lifecycle *lifecycle = argument;
    struct server *server = lifecycle->service->server;
    if (lifecycle->drain_until_ns == 0) {
        start_drain(lifecycle);
        return;
    }
    bool late = tel_clock_monotonic_ns() >= lifecycle->drain_until_ns;
    if (!server_is_idle(server) && !late) {
        arm_timer(lifecycle, DRAIN_POLL_MS);
        return;
    }
    if (!server_is_idle(server)) {
        struct http_engine_stats stats;
        server_get_stats(server, &stats);
        DIAGNOSTICS(TEL_WARN, "lifecycle", "drain timeout: closing what is left",
                    DIAGNOSTICS_NUMBER("requests", stats.exchanges),
                    DIAGNOSTICS_NUMBER("connections", server_connections(server, LISTENER_PUBLIC)));
    }
    atomic_store(&lifecycle->state, LIFE_STOPPED);
    event_base_loopbreak(lifecycle->base);
}

static void on_terminate(evutil_socket_t signal_number, short what, void *argument)
{
    (void)what;
    struct lifecycle *lifecycle = argument;
    const struct sigaction at_once = {.sa_handler = end_at_once};
    uint64_t delay_ms = lifecycle->service->options->drain_delay_ms;
    atomic_store(&lifecycle->state, LIFE_DRAINING);
    event_del(lifecycle->on_terminate);
    event_del(lifecycle->on_interrupt);
    sigaction(SIGTERM, &at_once, NULL);
    sigaction(SIGINT, &at_once, NULL);
    DIAGNOSTICS(TEL_INFO_LEVEL, "lifecycle", "told to end: not ready, still serving",
                DIAGNOSTICS_NUMBER("signal", signal_number),
                DIAGNOSTICS_NUMBER("drain_delay_ms", delay_ms));
    server_leave(lifecycle->service->server);
    arm_timer(lifecycle, delay_ms);
}

static void on_hangup(evutil_socket_t signal_number, short what, void *argument)
{
    (void)signal_number;
    (void)what;
    struct lifecycle *lifecycle = argument;
    const char *path = lifecycle->service->options->access_log;
    if (strcmp(path, "-") == 0 || lifecycle->service->access_log == NULL) {
        DIAGNOSTICS(TEL_INFO_LEVEL, "lifecycle", "told to reopen the access log: it is no file");
        return;
    }
    DIAGNOSTICS(TEL_INFO_LEVEL, "lifecycle", "reopening the access log",
                DIAGNOSTICS_TEXT("path", path));
    tel_access_log_reopen(lifecycle->service->access_log);
}

int lifecycle_init(struct lifecycle *lifecycle, struct service *service, struct event_base *base)
{
    *lifecycle = (struct lifecycle){.service = service, .base = base};
    atomic_init(&lifecycle->state, LIFE_STARTING);
    lifecycle->on_terminate = evsignal_new(base, SIGTERM, on_terminate, lifecycle);
    lifecycle->on_interrupt = evsignal_new(base, SIGINT, on_terminate, lifecycle);
    lifecycle->on_hangup = evsignal_new(base, SIGHUP, on_hangup, lifecycle);
    lifecycle->timer = evtimer_new(base, on_timer, lifecycle);
    if (lifecycle->on_terminate == NULL || lifecycle->on_interrupt == NULL ||
        lifecycle->on_hangup == NULL || lifecycle->timer == NULL ||
        event_add(lifecycle->on_terminate, NULL) != 0 ||
        event_add(lifecycle->on_interrupt, NULL) != 0 ||
        event_add(lifecycle->on_hangup, NULL) != 0) {
        return -ENOMEM;
    }
    return 0;
}

void lifecycle_fini(struct lifecycle *lifecycle)
{
    struct event *events[] = {lifecycle->on_terminate, lifecycle->on_interrupt,
                              lifecycle->on_hangup, lifecycle->timer};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
}

void lifecycle_set_ready(struct lifecycle *lifecycle)
{
    atomic_store(&lifecycle->state, LIFE_READY);
}

bool lifecycle_is_ready(const struct lifecycle *lifecycle)
{
    return lifecycle_get_state(lifecycle) == LIFE_READY &&
           faults_not_ready(lifecycle->service->faults) == FAULT_KINDS;
}

enum lifecycle_state lifecycle_get_state(const struct lifecycle *lifecycle)
{
    return (enum lifecycle_state)atomic_load(&lifecycle->state);
}

const char *lifecycle_state_name(enum lifecycle_state state)
{
    static const char *const names[] = {"starting", "ready", "draining", "stopped"};
    return names[state];
}
