/*
 * A config from within: a value a row of otel.def, in normal form, and which rows are a signal's.
 *
 * config.c fills it, config_get.c reads it.
 */
#ifndef TEL_CONFIG_CONFIG_H
#define TEL_CONFIG_CONFIG_H

#include "config/variable.h"
#include "telemetry/config.h"

enum {
#define VARIABLE(name, type, initial, low, high, choices, help) VAR_##name,
#include "config/otel.def"
#undef VARIABLE
    VARIABLES
};

extern const struct tel__variable tel__variables[VARIABLES];

enum { TRACES, LOGS, SIGNALS };

struct tel_config {
    struct tel__value values[VARIABLES];
    bool from_environment[VARIABLES];
    struct tel_sampler sampler;
    char *endpoints[SIGNALS]; /* of each row of tel__signal_variables */
};

/* A signal's own variables. `path` goes behind the general endpoint. */
struct tel__signal_variables {
    const char *path;
    size_t exporter;
    size_t schedule_delay;
    size_t export_timeout;
    size_t max_queue_size;
    size_t max_batch_size;
    size_t endpoint;
    size_t headers;
    size_t compression;
    size_t timeout;
    size_t certificate;
    size_t client_key;
    size_t client_certificate;
};

extern const struct tel__signal_variables tel__signal_variables[SIGNALS];

static inline const char *tel__config_text(const struct tel_config *config, size_t index)
{
    return config->values[index].text;
}

/* Whether anything is exported over the network. */
bool tel__config_sends(const struct tel_config *config);

#endif
