/*
 * The environment: the input's lines are `NAME=value`, where NAME leaves OTEL_ out. Whatever they
 * say, the options that come out are usable, and nothing that is secret is shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "telemetry/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 64

static char *lines[LINES_MAX];
static size_t line_count;

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static char *get_variable(const char *name)
{
    size_t length = strlen(name) - strlen("OTEL_");
    for (size_t i = 0; i < line_count; i++) {
        if (strncmp(lines[i], name + strlen("OTEL_"), length) == 0 && lines[i][length] == '=') {
            return lines[i] + length + 1;
        }
    }
    return NULL;
}

static void read_lines(char *text)
{
    char *rest = NULL;
    line_count = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && line_count < LINES_MAX;
         line = strtok_r(NULL, "\n", &rest)) {
        lines[line_count++] = line;
    }
}

static void count_warning(enum tel_severity severity, const char *component, const char *message,
                          void *argument)
{
    size_t *warnings = argument;
    (void)component;
    check(severity == TEL_WARN && strncmp(message, "OTEL_", 5) == 0);
    (*warnings)++;
}

static void check_shown(const char *name, const char *value, bool from_environment, void *argument)
{
    (void)argument;
    check(value != NULL && (!from_environment || value[0] != '\0'));
    if (strstr(name, "_HEADERS") != NULL) {
        check(value[0] == '\0' || strcmp(value, "***") == 0);
    }
}

static void check_exporter(const struct tel_exporter_options *exporter, size_t queue_size)
{
    check((queue_size == 0) == (exporter->kind == TEL_EXPORTER_NONE));
    check(exporter->max_batch >= 1);
    check(queue_size == 0 || exporter->max_batch <= queue_size);
    check(exporter->timeout_ms >= 1 && exporter->export_timeout_ms >= 1);
    check(strncasecmp(exporter->endpoint, "http", 4) == 0);
    check(exporter->headers == NULL || exporter->headers[0] != '\0');
}

static void check_options(const struct tel_config *config)
{
    struct tel_tracer_options tracer = {0};
    struct tel_logger_options logger = {0};
    struct tel_exporter_options exporter = {0};
    struct tel_exporter_options logs_exporter = {0};
    tel_config_get_tracer(config, &tracer);
    tel_config_get_exporter(config, &exporter);
    check(tracer.sampler.ratio >= 0 && tracer.sampler.ratio <= 1);
    check_exporter(&exporter, tracer.queue_size);
    tel_config_get_logger(config, &logger);
    tel_config_get_logs_exporter(config, &logs_exporter);
    check(logs_exporter.kind != TEL_EXPORTER_CONSOLE);
    check_exporter(&logs_exporter, logger.queue_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t warnings = 0;
    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    read_lines(text);

    struct tel_config *config = tel_config_create(get_variable, count_warning, &warnings);
    struct tel_resource *resource = tel_resource_create();
    check(config != NULL && resource != NULL);
    check_options(config);
    tel_config_each(config, check_shown, NULL);
    /* What was accepted never stands in the way of what follows it. */
    check(tel_config_add_resource(config, resource) == 0);
    check(tel_resource_detect(resource) == 0);
    check(tel_resource_count(resource) <= TEL_RESOURCE_ATTRIBUTES_MAX);
    tel_resource_destroy(resource);
    tel_config_destroy(config);
    free(text);
    return 0;
}
