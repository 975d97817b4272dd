/*
 * The OTEL_* variables: otel.def becomes an enum and a table, loading fills a value a row, and the
 * getters put values into options.
 *
 * What is wrong with a value is told while loading, once, with the variable's name; from then on a
 * config holds only usable values in normal form.
 */
#include "telemetry/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/url.h"
#include "config/variable.h"

enum {
#define VARIABLE(name, type, initial, low, high, choices) VAR_##name,
#include "config/otel.def"
#undef VARIABLE
    VARIABLES
};

static const struct tel__variable variables[] = {
#define VARIABLE(name, type, initial, low, high, choices) \
    {"OTEL_" #name, TEL__##type, initial, low, high, choices},
#include "config/otel.def"
#undef VARIABLE
};

struct tel_config {
    struct tel__value values[VARIABLES];
    bool from_environment[VARIABLES];
    struct tel_sampler sampler;
    char *traces_endpoint;
};

/* Where loading complains. */
struct reporter {
    tel_diagnostic_fn *diagnostic;
    void *argument;
};

__attribute__((format(printf, 2, 3))) static void warn(const struct reporter *reporter,
                                                       const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (reporter->diagnostic != NULL) {
        reporter->diagnostic(TEL_WARN, "config", message, reporter->argument);
    }
}

/* ---- loading ------------------------------------------------------------------------------- */

/* A copy without the white space around it: a mounted file often ends in a newline. */
static char *copy_trimmed(const char *text)
{
    static const char blank[] = " \t\r\n";
    text += strspn(text, blank);
    size_t length = strlen(text);
    while (length > 0 && strchr(blank, text[length - 1]) != NULL) {
        length--;
    }
    return strndup(text, length);
}

static int load_default(struct tel_config *config, size_t index)
{
    struct tel__value *value = &config->values[index];
    if (variables[index].initial[0] == '\0') {
        value->text = strdup("");
        return value->text != NULL ? 0 : -ENOMEM;
    }
    char why[8];
    return tel__variable_parse(&variables[index], variables[index].initial, value, why,
                               sizeof(why));
}

static int load_variable(struct tel_config *config, size_t index, const char *text,
                         const struct reporter *reporter)
{
    char why[384] = "";
    int error =
        tel__variable_parse(&variables[index], text, &config->values[index], why, sizeof(why));
    if (why[0] != '\0') {
        warn(reporter, "%s: %s; ignored", variables[index].name, why);
    }
    config->from_environment[index] = error == 0;
    return error == -EINVAL ? load_default(config, index) : error;
}

static int load_variables(struct tel_config *config, tel_getenv_fn *get,
                          const struct reporter *reporter)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *raw = get(variables[i].name);
        char *text = copy_trimmed(raw != NULL ? raw : "");
        if (text == NULL) {
            return -ENOMEM;
        }
        int error =
            text[0] != '\0' ? load_variable(config, i, text, reporter) : load_default(config, i);
        free(text);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static const char *text_of(const struct tel_config *config, size_t index)
{
    return config->values[index].text;
}

/* Forgets what the environment said: it has no effect, and must not be shown as if it had. */
static int fall_back(struct tel_config *config, size_t index)
{
    free(config->values[index].text);
    config->values[index].text = NULL;
    config->from_environment[index] = false;
    return load_default(config, index);
}

/* The argument of a sampler that takes none is not looked at. */
static int resolve_sampler(struct tel_config *config, const struct reporter *reporter)
{
    const char *name = text_of(config, VAR_TRACES_SAMPLER);
    const char *argument = text_of(config, VAR_TRACES_SAMPLER_ARG);
    bool usable =
        tel_sampler_parse(name, argument[0] != '\0' ? argument : NULL, &config->sampler) == 0;
    if (usable && config->sampler.root == TEL_SAMPLER_RATIO) {
        return 0;
    }
    if (!usable) {
        warn(reporter, "%s: '%.64s' is not a ratio within 0 to 1; ignored",
             variables[VAR_TRACES_SAMPLER_ARG].name, argument);
        tel_sampler_parse(name, NULL, &config->sampler);
    }
    return fall_back(config, VAR_TRACES_SAMPLER_ARG);
}

/* A batch larger than the queue could never fill; the specification forbids it. */
static int resolve_batch(struct tel_config *config, size_t batch, size_t queue,
                         const struct reporter *reporter)
{
    const struct tel__value *limit = &config->values[queue];
    struct tel__value *value = &config->values[batch];
    if (value->number <= limit->number) {
        return 0;
    }
    warn(reporter, "%s: %s is more than %s; %s is used", variables[batch].name, value->text,
         variables[queue].name, limit->text);
    char *text = strdup(limit->text);
    if (text == NULL) {
        return -ENOMEM;
    }
    free(value->text);
    *value = (struct tel__value){.text = text, .number = limit->number};
    config->from_environment[batch] = false;
    return 0;
}

static int resolve(struct tel_config *config, const struct reporter *reporter)
{
    int error = resolve_sampler(config, reporter);
    if (error == 0) {
        error =
            resolve_batch(config, VAR_BSP_MAX_EXPORT_BATCH_SIZE, VAR_BSP_MAX_QUEUE_SIZE, reporter);
    }
    const char *own = text_of(config, VAR_EXPORTER_OTLP_TRACES_ENDPOINT);
    config->traces_endpoint =
        own[0] != '\0' ? tel__url_complete(own)
                       : tel__url_compose(text_of(config, VAR_EXPORTER_OTLP_ENDPOINT), "v1/traces");
    return config->traces_endpoint == NULL ? -ENOMEM : error;
}

struct tel_config *tel_config_create(tel_getenv_fn *get, tel_diagnostic_fn *diagnostic,
                                     void *argument)
{
    const struct reporter reporter = {diagnostic, argument};
    struct tel_config *config = calloc(1, sizeof(*config));
    if (config == NULL) {
        return NULL;
    }
    if (load_variables(config, get, &reporter) != 0 || resolve(config, &reporter) != 0) {
        tel_config_destroy(config);
        errno = ENOMEM;
        return NULL;
    }
    return config;
}

void tel_config_destroy(struct tel_config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < VARIABLES; i++) {
        free(config->values[i].text);
    }
    free(config->traces_endpoint);
    free(config);
}

/* ---- reading ------------------------------------------------------------------------------- */

bool tel_config_is_disabled(const struct tel_config *config)
{
    return config->values[VAR_SDK_DISABLED].number != 0;
}

static enum tel_exporter_kind exporter_kind(const struct tel_config *config)
{
    const char *text = text_of(config, VAR_TRACES_EXPORTER);
    if (tel_config_is_disabled(config) || strcmp(text, "none") == 0) {
        return TEL_EXPORTER_NONE;
    }
    return strcmp(text, "console") == 0 ? TEL_EXPORTER_CONSOLE : TEL_EXPORTER_OTLP;
}

/* Whether `word` is in the list in normal form; `none` takes all others back. */
static bool has_propagator(const struct tel_config *config, const char *word)
{
    const char *list = text_of(config, VAR_PROPAGATORS);
    bool found = false;
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        if (length == strlen("none") && strncmp(list, "none", length) == 0) {
            return false;
        }
        found = found || (length == strlen(word) && strncmp(list, word, length) == 0);
        list += length + (list[length] == ',' ? 1 : 0);
    }
    return found;
}

void tel_config_get_tracer(const struct tel_config *config, struct tel_tracer_options *options)
{
    bool exports = exporter_kind(config) != TEL_EXPORTER_NONE;
    options->sampler = config->sampler;
    if (tel_config_is_disabled(config)) {
        /* Disabled is no reason to break a trace that goes through us, nor to start one. */
        options->sampler =
            (struct tel_sampler){.root = TEL_SAMPLER_ALWAYS_OFF, .parent_based = true};
    }
    options->queue_size = exports ? config->values[VAR_BSP_MAX_QUEUE_SIZE].number : 0;
    options->trace_context = has_propagator(config, "tracecontext");
    options->baggage = has_propagator(config, "baggage");
}

/* The value that counts for a signal: its own variable's if that is set, else the general one's. */
static const struct tel__value *of_signal(const struct tel_config *config, size_t own,
                                          size_t general)
{
    const struct tel__value *value = &config->values[own];
    return value->text[0] != '\0' ? value : &config->values[general];
}

static const char *text_or_null(const struct tel__value *value)
{
    return value->text[0] != '\0' ? value->text : NULL;
}

#define OF_TRACES(what) of_signal(config, VAR_EXPORTER_OTLP_TRACES_##what, VAR_EXPORTER_OTLP_##what)

void tel_config_get_exporter(const struct tel_config *config, struct tel_exporter_options *options)
{
    options->kind = exporter_kind(config);
    options->endpoint = config->traces_endpoint;
    options->headers = text_or_null(OF_TRACES(HEADERS));
    options->compression = strcmp(OF_TRACES(COMPRESSION)->text, "gzip") == 0 ? TEL_COMPRESSION_GZIP
                                                                             : TEL_COMPRESSION_NONE;
    options->timeout_ms = (uint32_t)OF_TRACES(TIMEOUT)->number;
    options->schedule_delay_ms = (uint32_t)config->values[VAR_BSP_SCHEDULE_DELAY].number;
    options->export_timeout_ms = (uint32_t)config->values[VAR_BSP_EXPORT_TIMEOUT].number;
    options->max_batch = config->values[VAR_BSP_MAX_EXPORT_BATCH_SIZE].number;
    options->certificate_file = text_or_null(OF_TRACES(CERTIFICATE));
    options->client_key_file = text_or_null(OF_TRACES(CLIENT_KEY));
    options->client_certificate_file = text_or_null(OF_TRACES(CLIENT_CERTIFICATE));
}

int tel_config_add_resource(const struct tel_config *config, struct tel_resource *resource)
{
    const char *name = text_of(config, VAR_SERVICE_NAME);
    int error = name[0] != '\0' ? tel_resource_add(resource, "service.name", name) : 0;
    return error != 0 ? error
                      : tel_resource_add_list(resource, text_of(config, VAR_RESOURCE_ATTRIBUTES));
}

void tel_config_each(const struct tel_config *config, tel_config_each_fn *each, void *argument)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *text =
            i == VAR_EXPORTER_OTLP_TRACES_ENDPOINT ? config->traces_endpoint : text_of(config, i);
        char masked[1024];
        if (variables[i].type == TEL__SECRETS && text[0] != '\0') {
            text = "***";
        } else if (variables[i].type == TEL__URL || variables[i].type == TEL__URL_BASE) {
            tel__url_mask(text, masked, sizeof(masked));
            text = masked;
        }
        each(variables[i].name, text, config->from_environment[i], argument);
    }
}
