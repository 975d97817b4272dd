/*
 * Loading the OTEL_* variables: otel.def becomes an enum and a table, and a value a row is filled.
 *
 * What is wrong with a value is told while loading, once, with the variable's name; from then on a
 * config holds only usable values in normal form.
 */
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/proxy.h"
#include "config/url.h"

const struct tel__variable tel__variables[VARIABLES] = {
#define VARIABLE(name, type, initial, low, high, choices, help) \
    {"OTEL_" #name, TEL__##type, initial, low, high, choices},
#include "config/otel.def"
#undef VARIABLE
};

#define SIGNAL(SIGNAL_NAME, PROCESSOR)                                                            \
    .exporter = VAR_##SIGNAL_NAME##_EXPORTER, .schedule_delay = VAR_##PROCESSOR##_SCHEDULE_DELAY, \
    .export_timeout = VAR_##PROCESSOR##_EXPORT_TIMEOUT,                                           \
    .max_queue_size = VAR_##PROCESSOR##_MAX_QUEUE_SIZE,                                           \
    .max_batch_size = VAR_##PROCESSOR##_MAX_EXPORT_BATCH_SIZE,                                    \
    .endpoint = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_ENDPOINT,                                       \
    .headers = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_HEADERS,                                         \
    .compression = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_COMPRESSION,                                 \
    .timeout = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_TIMEOUT,                                         \
    .certificate = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_CERTIFICATE,                                 \
    .client_key = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_CLIENT_KEY,                                   \
    .client_certificate = VAR_EXPORTER_OTLP_##SIGNAL_NAME##_CLIENT_CERTIFICATE

const struct tel__signal_variables tel__signal_variables[SIGNALS] = {
    [TRACES] = {"v1/traces", SIGNAL(TRACES, BSP)},
    [LOGS] = {"v1/logs", SIGNAL(LOGS, BLRP)},
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
    if (tel__variables[index].initial[0] == '\0') {
        value->text = strdup("");
        return value->text != NULL ? 0 : -ENOMEM;
    }
    char why[8];
    return tel__variable_parse(&tel__variables[index], tel__variables[index].initial, value, why,
                               sizeof(why));
}

static int load_variable(struct tel_config *config, size_t index, const char *text,
                         const struct reporter *reporter)
{
    char why[384] = "";
    int error =
        tel__variable_parse(&tel__variables[index], text, &config->values[index], why, sizeof(why));
    if (why[0] != '\0') {
        warn(reporter, "%s: %s; ignored", tel__variables[index].name, why);
    }
    config->from_environment[index] = error == 0;
    return error == -EINVAL ? load_default(config, index) : error;
}

static int load_variables(struct tel_config *config, tel_getenv_fn *get,
                          const struct reporter *reporter)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *raw = get(tel__variables[i].name);
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
    const char *name = tel__config_text(config, VAR_TRACES_SAMPLER);
    const char *argument = tel__config_text(config, VAR_TRACES_SAMPLER_ARG);
    bool usable =
        tel_sampler_parse(name, argument[0] != '\0' ? argument : NULL, &config->sampler) == 0;
    if (usable && config->sampler.root == TEL_SAMPLER_RATIO) {
        return 0;
    }
    if (!usable) {
        warn(reporter, "%s: '%.64s' is not a ratio within 0 to 1; ignored",
             tel__variables[VAR_TRACES_SAMPLER_ARG].name, argument);
        tel_sampler_parse(name, NULL, &config->sampler);
    }
    return fall_back(config, VAR_TRACES_SAMPLER_ARG);
}

/* A batch larger than the queue could never fill; the specification forbids it. */
static int resolve_batch(struct tel_config *config, const struct tel__signal_variables *signal,
                         const struct reporter *reporter)
{
    const size_t batch = signal->max_batch_size;
    const size_t queue = signal->max_queue_size;
    const struct tel__value *limit = &config->values[queue];
    struct tel__value *value = &config->values[batch];
    if (value->number <= limit->number) {
        return 0;
    }
    warn(reporter, "%s: %s is more than %s; %s is used", tel__variables[batch].name, value->text,
         tel__variables[queue].name, limit->text);
    char *text = strdup(limit->text);
    if (text == NULL) {
        return -ENOMEM;
    }
    free(value->text);
    *value = (struct tel__value){.text = text, .number = limit->number};
    config->from_environment[batch] = false;
    return 0;
}

static int resolve_endpoint(struct tel_config *config, size_t index)
{
    const char *own = tel__config_text(config, tel__signal_variables[index].endpoint);
    config->endpoints[index] =
        own[0] != '\0' ? tel__url_complete(own)
                       : tel__url_compose(tel__config_text(config, VAR_EXPORTER_OTLP_ENDPOINT),
                                          tel__signal_variables[index].path);
    return config->endpoints[index] == NULL ? -ENOMEM : 0;
}

static int resolve(struct tel_config *config, const struct reporter *reporter)
{
    int error = resolve_sampler(config, reporter);
    for (size_t i = 0; i < SIGNALS && error == 0; i++) {
        error = resolve_batch(config, &tel__signal_variables[i], reporter);
        if (error == 0) {
            error = resolve_endpoint(config, i);
        }
    }
    return error;
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
    if (tel__config_sends(config)) {
        tel__proxy_warn(get, diagnostic, argument);
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
    for (size_t i = 0; i < SIGNALS; i++) {
        free(config->endpoints[i]);
    }
    free(config);
}
