/*
 * glassbox-testserver: the service's HTTP engine and its propagation behind two paths that public
 * test suites know how to use (README.md). Option -> listener -> engine -> run -> drain.
 *
 * One thread, one loop. Its limits are the service's defaults. The first SIGTERM or SIGINT closes
 * the listener and lets the connections end for up to DRAIN_MS; a second one ends it at once.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"
#include "diagnostics.h"
#include "engine_limits.h"
#include "listener.h"
#include "options.h"
#include "service.h"
#include "tracing.h"

#define DRAIN_MS      3000
#define DRAIN_TURN_MS 10
#define FLUSH_MS      3000

struct program {
    struct options options;
    struct http_limits limits;
    struct event_base *base;
    struct tracing tracing;
    struct service service;
    struct http_service calls;
    struct http_engine *engine;
    struct listener listener;
    struct event *signals[2];
    struct event *drain;
    uint64_t drain_until_ns; /* 0: not draining */
};

/* ---- accepting ----------------------------------------------------------------------------- */

static bool has_room(struct listener *listener, void *argument)
{
    (void)listener;
    struct program *program = argument;
    struct http_engine_stats stats;
    http_engine_get_stats(program->engine, &stats);
    return stats.connections < program->options.max_connections;
}

static void on_accepted(struct listener *listener, const struct arrival *arrival, void *argument)
{
    (void)listener;
    struct program *program = argument;
    if (http_engine_adopt(program->engine, arrival->fd, &arrival->peer.any, arrival->listener)) {
        DIAGNOSTICS(TEL_WARN, "testserver", "no memory for a connection");
    }
}

static void on_accept_failed(struct listener *listener, enum accept_error reason, int error,
                             bool answered, void *argument)
{
    (void)listener;
    (void)reason;
    (void)answered;
    (void)argument;
    DIAGNOSTICS(TEL_WARN, "testserver", "cannot accept",
                DIAGNOSTICS_TEXT("error", strerror(error)));
}

/* ---- the end ------------------------------------------------------------------------------- */

static void on_drain(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct program *program = argument;
    const struct timeval turn = {.tv_usec = DRAIN_TURN_MS * 1000};
    struct http_engine_stats stats;
    http_engine_get_stats(program->engine, &stats);
    if (stats.connections == 0 || tel_clock_monotonic_ns() >= program->drain_until_ns) {
        event_base_loopbreak(program->base);
    } else {
        evtimer_add(program->drain, &turn);
    }
}

static void on_signal(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    struct program *program = argument;
    if (program->drain_until_ns != 0) {
        event_base_loopbreak(program->base);
        return;
    }
    program->drain_until_ns = tel_clock_monotonic_ns() + DRAIN_MS * TEL_NS_PER_MS;
    listener_accept_last(&program->listener);
    listener_close(&program->listener);
    http_engine_drain(program->engine);
    on_drain(-1, 0, program);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void report(enum tel_severity severity, const char *name, const char *message,
                   void *argument)
{
    (void)argument;
    DIAGNOSTICS(severity, "options", message, DIAGNOSTICS_TEXT("option", name));
}

/* The one option is read as the service's own, and the limits are its defaults: a variable that is
 * set for the service means nothing here. */
static int load_options(struct program *program, int argc, char *argv[])
{
    char *const no_environment[] = {NULL};
    const struct options *options = &program->options;
    if (argc != 3 || strcmp(argv[1], "--listen") != 0) {
        fputs("usage: glassbox-testserver --listen ADDR:PORT\n", stderr);
        return -EINVAL;
    }
    int error = options_load(&program->options, argc, argv, no_environment, report, NULL);
    program->limits = engine_limits_of(options);
    return error;
}

static int start_listening(struct program *program)
{
    const struct address *address = &program->options.listen.items[0];
    char text[ADDRESS_TEXT_MAX];
    int error = listener_open(&program->listener, address, LISTENER_PUBLIC, program->base,
                              &(struct listener_calls){.has_room = has_room,
                                                       .accepted = on_accepted,
                                                       .failed = on_accept_failed,
                                                       .argument = program});
    if (error == 0) {
        error = listener_start(&program->listener);
        DIAGNOSTICS(
            TEL_INFO_LEVEL, "testserver", "listening",
            DIAGNOSTICS_TEXT("address", address_format(&program->listener.bound.any, text)));
    }
    return error;
}

static int catch_signals(struct program *program)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        program->signals[i] = evsignal_new(program->base, numbers[i], on_signal, program);
        if (program->signals[i] == NULL || event_add(program->signals[i], NULL) != 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int start(struct program *program)
{
    program->listener = (struct listener){.fd = -1, .reserve_fd = -1};
    program->base = event_base_new();
    int error = program->base != NULL ? tracing_init(&program->tracing) : -ENOMEM;
    if (error != 0) {
        return error;
    }
    program->service.tracer = program->tracing.tracer;
    program->service.caller = caller_create(program->base, program->tracing.tracer);
    program->calls = service_calls(&program->service);
    program->engine = http_engine_create(program->base, &program->limits, &program->calls);
    program->drain = evtimer_new(program->base, on_drain, program);
    if (program->service.caller == NULL || program->engine == NULL || program->drain == NULL) {
        return -ENOMEM;
    }
    error = catch_signals(program);
    return error != 0 ? error : start_listening(program);
}

static void finish(struct program *program)
{
    struct event *const events[] = {program->signals[0], program->signals[1], program->drain};
    listener_close(&program->listener);
    if (program->engine != NULL) {
        http_engine_destroy(program->engine);
    }
    caller_destroy(program->service.caller);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
    tracing_fini(&program->tracing, FLUSH_MS);
    if (program->base != NULL) {
        event_base_free(program->base);
    }
    diagnostics_flush();
}

int main(int argc, char *argv[])
{
    static struct program program;
    if (load_options(&program, argc, argv) != 0) {
        return OPTIONS_EXIT_BAD;
    }
    signal(SIGPIPE, SIG_IGN);
    int error = start(&program);
    if (error == 0) {
        event_base_dispatch(program.base);
    } else {
        DIAGNOSTICS(TEL_ERROR, "testserver", "cannot start",
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
    }
    finish(&program);
    return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
