/*
 * What a config says, put into the options of the nouns that it is about.
 */
#include <string.h>

#include "config/config.h"
#include "config/url.h"

bool tel_config_is_disabled(const struct tel_config *config)
{
    return config->values[VAR_SDK_DISABLED].number != 0;
}

static enum tel_exporter_kind exporter_kind(const struct tel_config *config,
                                            const struct tel__signal_variables *signal)
{
    const char *text = tel__config_text(config, signal->exporter);
    if (tel_config_is_disabled(config) || strcmp(text, "none") == 0) {
        return TEL_EXPORTER_NONE;
    }
    return strcmp(text, "console") == 0 ? TEL_EXPORTER_CONSOLE : TEL_EXPORTER_OTLP;
}

bool tel__config_sends(const struct tel_config *config)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        if (exporter_kind(config, &tel__signal_variables[i]) == TEL_EXPORTER_OTLP) {
            return true;
        }
    }
    return false;
}

/* Whether `word` is in the list in normal form; `none` takes all others back. */
static bool has_propagator(const struct tel_config *config, const char *word)
{
    const char *list = tel__config_text(config, VAR_PROPAGATORS);
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

static size_t queue_size(const struct tel_config *config,
                         const struct tel__signal_variables *signal)
{
    return exporter_kind(config, signal) != TEL_EXPORTER_NONE
               ? config->values[signal->max_queue_size].number
               : 0;
}

void tel_config_get_tracer(const struct tel_config *config, struct tel_tracer_options *options)
{
    options->sampler = config->sampler;
    if (tel_config_is_disabled(config)) {
        /* Disabled is no reason to break a trace that goes through us, nor to start one. */
        options->sampler =
            (struct tel_sampler){.root = TEL_SAMPLER_ALWAYS_OFF, .parent_based = true};
    }
    options->queue_size = queue_size(config, &tel__signal_variables[TRACES]);
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

/* The variable that a value is of. */
static const char *name_of(const struct tel_config *config, const struct tel__value *value)
{
    return tel__variables[value - config->values].name;
}

static void get_exporter(const struct tel_config *config, size_t index,
                         struct tel_exporter_options *options)
{
    const struct tel__signal_variables *own = &tel__signal_variables[index];
    const struct tel__value *compression =
        of_signal(config, own->compression, VAR_EXPORTER_OTLP_COMPRESSION);
    options->kind = exporter_kind(config, own);
    options->endpoint = config->endpoints[index];
    options->headers = text_or_null(of_signal(config, own->headers, VAR_EXPORTER_OTLP_HEADERS));
    options->compression =
        strcmp(compression->text, "gzip") == 0 ? TEL_COMPRESSION_GZIP : TEL_COMPRESSION_NONE;
    options->timeout_ms =
        (uint32_t)of_signal(config, own->timeout, VAR_EXPORTER_OTLP_TIMEOUT)->number;
    options->schedule_delay_ms = (uint32_t)config->values[own->schedule_delay].number;
    options->export_timeout_ms = (uint32_t)config->values[own->export_timeout].number;
    options->max_batch = config->values[own->max_batch_size].number;
    const struct tel__value *authorities =
        of_signal(config, own->certificate, VAR_EXPORTER_OTLP_CERTIFICATE);
    const struct tel__value *key = of_signal(config, own->client_key, VAR_EXPORTER_OTLP_CLIENT_KEY);
    const struct tel__value *certificate =
        of_signal(config, own->client_certificate, VAR_EXPORTER_OTLP_CLIENT_CERTIFICATE);
    options->certificate_file = text_or_null(authorities);
    options->certificate_name = name_of(config, authorities);
    options->client_key_file = text_or_null(key);
    options->client_key_name = name_of(config, key);
    options->client_certificate_file = text_or_null(certificate);
    options->client_certificate_name = name_of(config, certificate);
}

void tel_config_get_exporter(const struct tel_config *config, struct tel_exporter_options *options)
{
    get_exporter(config, TRACES, options);
}

void tel_config_get_logger(const struct tel_config *config, struct tel_logger_options *options)
{
    options->queue_size = queue_size(config, &tel__signal_variables[LOGS]);
}

void tel_config_get_logs_exporter(const struct tel_config *config,
                                  struct tel_exporter_options *options)
{
    get_exporter(config, LOGS, options);
}

int tel_config_add_resource(const struct tel_config *config, struct tel_resource *resource)
{
    const char *name = tel__config_text(config, VAR_SERVICE_NAME);
    int error = name[0] != '\0' ? tel_resource_add(resource, "service.name", name) : 0;
    return error != 0
               ? error
               : tel_resource_add_list(resource, tel__config_text(config, VAR_RESOURCE_ATTRIBUTES));
}

/* An endpoint as it was composed, everything else as it is kept. */
static const char *effective_text(const struct tel_config *config, size_t index)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        if (index == tel__signal_variables[i].endpoint) {
            return config->endpoints[i];
        }
    }
    return tel__config_text(config, index);
}

void tel_config_each(const struct tel_config *config, tel_config_each_fn *each, void *argument)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *text = effective_text(config, i);
        char masked[1024];
        if (tel__variables[i].type == TEL__SECRETS && text[0] != '\0') {
            text = "***";
        } else if (tel__variables[i].type == TEL__URL || tel__variables[i].type == TEL__URL_BASE) {
            tel__url_mask(text, masked, sizeof(masked));
            text = masked;
        }
        each(tel__variables[i].name, text, config->from_environment[i], argument);
    }
}
