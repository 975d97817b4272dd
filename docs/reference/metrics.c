/*
 * docs/metrics.md: every family of a service that has everything on, as its registry has them.
 *
 * A label's values are those of its first scrape: where a list is closed its series stand at 0 from the
 * start. Labels of which that is not true are in `said` below, with a list that is or a word why there is
 * none; a label that has neither fails the run.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "faults/faults.h"
#include "instruments.h"
#include "metrics/model.h"
#include "options.h"
#include "reference.h"
#include "server.h"
#include "service.h"
#include "signals.h"
#include "worker.h"

#define EXPOSITION_MAX (1u << 22)
#define VALUES_MAX     64

/* ---- labels whose values a first scrape does not show ------------------------------------------ */

static void list_methods(struct tel_buffer *out)
{
    for (int method = HTTP_METHOD_OTHER; method < HTTP_METHODS; method++) {
        tel_buffer_append_format(out, "%s`%s`", method > HTTP_METHOD_OTHER ? ", " : "",
                                 http_method_name((enum http_method)method));
    }
}

static void list_errors(struct tel_buffer *out)
{
    tel_buffer_append_string(out, "none; a status from `500` on;");
    for (int error = 0; error < HTTP_ERRORS; error++) {
        const char *name = http_error_name((enum http_error)error);
        if (name != NULL) {
            tel_buffer_append_format(out, "%s `%s`", error > 1 ? "," : "", name);
        }
    }
}

static const struct said {
    const char *family; /* how its name begins; "": any */
    const char *label;
    bool shown;        /* the first scrape shows some, which come first */
    const char *words; /* what else there is, or why there is no list; NULL: `list` says it */
    void (*list)(struct tel_buffer *out);
} said[] = {
    {"http_server_", "http_request_method", false, NULL, list_methods},
    {"http_server_", "error_type", false, NULL, list_errors},
    {"http_server_", "http_response_status_code", false, "as sent; none when nothing was", NULL},
    {"http_server_", "network_protocol_version", true, "`1.0`; none when it could not be read",
     NULL},
    {"otel_sdk_exporter_operation_", "http_response_status_code", false,
     "of the answer; none where there was none", NULL},
    {"otel_sdk_exporter_operation_", "error_type", false,
     "as of what was exported; none for success", NULL},
    {"otel_sdk_exporter_", "error_type", true,
     "in place of `status`, of the first eight met, the status itself; none for success", NULL},
    {"otel_sdk_processor_", "error_type", true, "none for what was handed over", NULL},
#define CONSOLE(family)                                                                       \
    {family, "otel_component_name", true, "for the console `console_span_exporter/0`", NULL}, \
    {                                                                                         \
        family, "otel_component_type", true, "for the console `console_span_exporter`", NULL  \
    }
    CONSOLE("otel_sdk_exporter_span_"),
    CONSOLE("otel_sdk_exporter_operation_"),
#undef CONSOLE
    {"", "server_address", false, "the collector's name", NULL},
    {"", "server_port", false, "the collector's port", NULL},
    {"", "worker", false, "a thread's number, or `main`", NULL},
    {"", "version", false, "as built", NULL},
    {"", "revision", false, "as built", NULL},
    {"", "compiler", false, "as built", NULL},
};

/* What is said of a label, or NULL. */
static const struct said *find_said(const char *family, const char *label)
{
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (strncmp(family, said[i].family, strlen(said[i].family)) == 0 &&
            strcmp(label, said[i].label) == 0) {
            return &said[i];
        }
    }
    return NULL;
}

/* ---- labels whose values it shows -------------------------------------------------------------- */

struct value {
    const char *text;
    size_t length;
};

/* Adds the value once. Values here need no escapes. */
static size_t keep(struct value values[VALUES_MAX], size_t count, struct value value)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].length == value.length &&
            memcmp(values[i].text, value.text, value.length) == 0) {
            return count;
        }
    }
    if (count < VALUES_MAX) {
        values[count++] = value;
    }
    return count;
}

/* The values of a label in the samples of a family, in their order. `text` is an exposition. */
static size_t find_values(const char *text, const char *family, const char *label,
                          struct value values[VALUES_MAX])
{
    char pattern[128];
    size_t count = 0;
    int length = snprintf(pattern, sizeof(pattern), "%s=\"", label);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *end = line + strcspn(line, "\n");
        if (strncmp(line, family, strlen(family)) != 0) {
            continue;
        }
        for (const char *at = line;
             (at = memmem(at, (size_t)(end - at), pattern, (size_t)length)) != NULL;) {
            at += length;
            if (at[-length - 1] == '{' || at[-length - 1] == ',') {
                count = keep(values, count, (struct value){at, strcspn(at, "\"")});
            }
        }
    }
    return count;
}

/* ---- the page ---------------------------------------------------------------------------------- */

/* Returns how many there were. */
static size_t append_values(struct tel_buffer *out, const char *text, const char *family,
                            const char *label)
{
    struct value values[VALUES_MAX];
    size_t count = find_values(text, family, label, values);
    for (size_t i = 0; i < count; i++) {
        tel_buffer_append_format(out, "%s`%.*s`", i > 0 ? ", " : "", (int)values[i].length,
                                 values[i].text);
    }
    return count;
}

static int append_label(struct tel_buffer *out, const char *text, const char *family,
                        const char *label)
{
    const struct said *entry = find_said(family, label);
    size_t count = 0;
    tel_buffer_append_format(out, "`%s`: ", label);
    if (entry == NULL || entry->shown) {
        count = append_values(out, text, family, label);
    }
    if (count == 0 && (entry == NULL || entry->shown)) {
        fprintf(stderr, "%s: no word about the values of %s (docs/reference/metrics.c)\n", family,
                label);
        return -1;
    }
    if (entry != NULL && entry->list != NULL) {
        entry->list(out);
    } else if (entry != NULL) {
        tel_buffer_append_string(out, count > 0 ? "; " : "");
        tel_buffer_append_string(out, entry->words);
    }
    return 0;
}

static int append_labels(struct tel_buffer *out, const char *text,
                         const struct tel_family_options *family)
{
    int result = 0;
    if (strcmp(family->name, "target_info") == 0) {
        tel_buffer_append_string(out, "the attributes of the resource");
        return 0;
    }
    for (size_t i = 0; i < family->label_count; i++) {
        tel_buffer_append_string(out, i > 0 ? "<br>" : "");
        result |= append_label(out, text, family->name, family->label_names[i]);
    }
    return result;
}

static bool is_own(const char *name)
{
    static const char *const own[] = {
#define METRIC(ID, name, ...) name,
#include "metrics.def"
#undef METRIC
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(own[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int append_table(struct tel_buffer *out, const struct tel_registry *registry,
                        const char *text, bool own)
{
    static const char *const types[] = {[TEL_COUNTER] = "counter",
                                        [TEL_GAUGE] = "gauge",
                                        [TEL_HISTOGRAM] = "histogram",
                                        [TEL_INFO] = "info"};
    int result = 0;
    tel_buffer_append_string(
        out, "| metric | type | unit | labels | what it is |\n|---|---|---|---|---|\n");
    for (const struct tel_family *family = registry->first; family != NULL; family = family->next) {
        const struct tel_family_options *options = &family->options;
        if (is_own(options->name) == own) {
            tel_buffer_append_format(out, "| `%s` | %s | %s | ", options->name,
                                     types[options->type],
                                     options->unit != NULL ? options->unit : "");
            result |= append_labels(out, text, options);
            tel_buffer_append_string(out, " | ");
            reference_cell(out, options->help);
            tel_buffer_append_string(out, " |\n");
        }
    }
    return result;
}

static int append_page(struct tel_buffer *out, struct tel_registry *registry)
{
    struct tel_buffer text;
    tel_buffer_init(&text, EXPOSITION_MAX);
    tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &text);
    tel_buffer_append_char(&text, '\0');
    if (text.error != 0) {
        tel_buffer_fini(&text);
        return -1;
    }
    tel_buffer_append_string(
        out, "# Metrics\n\n"
             "Written by `make docs` from what a service registers (`src/metrics.def`, the "
             "library); not by\n"
             "hand.\n\n"
             "A label without a value is left out. A list of values is closed unless a word stands "
             "in its\n"
             "place; its series stand at 0 from the first scrape. A family that has as many series "
             "as it may\n"
             "have (256, unless it says otherwise) counts the rest in one labelled\n"
             "`otel_metric_overflow=\"true\"`. Histograms have classic buckets in all formats, "
             "with exemplars in\n"
             "OpenMetrics and protobuf, and native ones in protobuf.\n\n"
             "## The service\n\n");
    int result = append_table(out, registry, text.data, true);
    tel_buffer_append_string(
        out, "\n## The library\n\n"
             "Any program has these that uses it. Those of log records are there where\n"
             "`OTEL_LOGS_EXPORTER=otlp`.\n\n");
    result |= append_table(out, registry, text.data, false);
    tel_buffer_fini(&text);
    return result;
}

/* A problem of the arguments below: it cannot be. */
static void on_problem(enum tel_severity severity, const char *name, const char *message,
                       void *argument)
{
    (void)severity;
    (void)argument;
    fprintf(stderr, "%s %s\n", name, message);
}

/* A service as main() makes it, on a port of loopback that nobody knows, of nobody's environment. */
int reference_metrics(struct tel_buffer *out)
{
    char *const arguments[] = {"reference",    "--listen", "127.0.0.1:0", "--workers", "1",
                               "--access-log", "none",     "--page",      NULL};
    struct options options;
    struct service service = {.options = &options, .worker_count = 1};
    int result = -1;
    clearenv();
    setenv("OTEL_LOGS_EXPORTER", "otlp", 1);
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
        result = append_page(out, service.registry);
    }
    server_destroy(service.server);
    faults_destroy(service.faults);
    signals_fini(&service);
    lifecycle_fini(&service.lifecycle);
    event_base_free(base);
    return result;
}
