/*
 * A live registry: a service on a port of loopback that nobody knows, of nobody's environment.
 *
 * The variables that it does have are those that add families (log records) or labels (what a pod is
 * told of itself), so that no page depends on where it is written.
 */
#include "live.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "faults/faults.h"
#include "options.h"
#include "server.h"
#include "service.h"
#include "signals.h"
#include "worker.h"

#define EXPOSITION_MAX (1u << 22)

static const char *const variables[][2] = {
    {"OTEL_LOGS_EXPORTER", "otlp"},  {"K8S_NAMESPACE_NAME", "none"}, {"K8S_POD_NAME", "none"},
    {"K8S_POD_UID", "none"},         {"K8S_NODE_NAME", "none"},      {"K8S_CONTAINER_NAME", "none"},
    {"K8S_DEPLOYMENT_NAME", "none"},
};

/* A problem of the arguments below: it cannot be. */
static void on_problem(enum tel_severity severity, const char *name, const char *message,
                       void *argument)
{
    (void)severity;
    (void)argument;
    fprintf(stderr, "%s %s\n", name, message);
}

static int write_page(struct tel_buffer *out, struct tel_registry *registry, live_writer *write)
{
    struct tel_buffer text;
    int result = -1;
    tel_buffer_init(&text, EXPOSITION_MAX);
    tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &text);
    tel_buffer_append_char(&text, '\0');
    if (text.error == 0) {
        result = write(out, registry, text.data);
    }
    tel_buffer_fini(&text);
    return result;
}

int live_page(struct tel_buffer *out, live_writer *write)
{
    char *const arguments[] = {"reference",    "--listen", "127.0.0.1:0", "--workers", "1",
                               "--access-log", "none",     "--page",      NULL};
    struct options options;
    struct service service = {.options = &options, .worker_count = 1};
    int result = -1;
    clearenv();
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        setenv(variables[i][0], variables[i][1], 1);
    }
    if (options_load(&options, 8, arguments, NULL, on_problem, NULL) != 0) {
        return -1;
    }
    struct event_base *base = worker_base_create();
    if (base == NULL || lifecycle_init(&service.lifecycle, &service, base) != 0) {
        return -1;
    }
    service.faults = faults_create(&options);
    service.server = server_create(&service, base);
    if (service.faults != NULL && service.server != NULL && signals_init(&service) == 0 &&
        server_start(service.server) == 0) {
        result = write_page(out, service.registry, write);
    }
    server_destroy(service.server);
    faults_destroy(service.faults);
    signals_fini(&service);
    lifecycle_fini(&service.lifecycle);
    event_base_free(base);
    return result;
}

const char *live_type(enum tel_metric_type type)
{
    static const char *const types[] = {[TEL_COUNTER] = "counter",
                                        [TEL_GAUGE] = "gauge",
                                        [TEL_HISTOGRAM] = "histogram",
                                        [TEL_INFO] = "info"};
    return types[type];
}
