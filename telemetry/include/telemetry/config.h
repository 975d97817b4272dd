/*
 * The standard OTEL_* environment variables, read as the OpenTelemetry specification says: empty
 * means unset; what cannot be parsed is warned about and ignored; enum values ignore case;
 * signal-specific variables win over general ones.
 *
 * How it works: a row a variable in src/config/otel.def (name, type, default, member). A row says
 * everything: parsing, the default, and what tel_config_each() prints.
 *
 * Threads: load before threads start; read-only afterwards.
 * Source: OpenTelemetry specification, configuration/sdk-environment-variables, protocol/exporter.
 */
#ifndef TELEMETRY_CONFIG_H
#define TELEMETRY_CONFIG_H

#include "telemetry/logs.h"
#include "telemetry/otlp.h"
#include "telemetry/resource.h"
#include "telemetry/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tel_config; /* what the variables said */

/* getenv(3)'s shape, so that tests can bring their own environment. */
typedef char *tel_getenv_fn(const char *name);

/* Reads all variables. Unusable values are told through `diagnostic` (severity TEL_WARN) and leave
 * the default. NULL with errno ENOMEM. */
struct tel_config *tel_config_create(tel_getenv_fn *get, tel_diagnostic_fn *diagnostic,
                                     void *argument);
/* Frees it, and with it every string that the getters lent. NULL is fine. */
void tel_config_destroy(struct tel_config *config);

bool tel_config_is_disabled(const struct tel_config *config); /* OTEL_SDK_DISABLED */

/* Fill options from the variables; strings are borrowed from the config. Shard count and
 * diagnostics are left alone. queue_size is 0 when the signal's exporter is none or the SDK
 * disabled. */
void tel_config_get_tracer(const struct tel_config *config, struct tel_tracer_options *options);
void tel_config_get_exporter(const struct tel_config *config, struct tel_exporter_options *options);
/* The same for log records, which are exported only where OTEL_LOGS_EXPORTER asks for it. */
void tel_config_get_logger(const struct tel_config *config, struct tel_logger_options *options);
void tel_config_get_logs_exporter(const struct tel_config *config,
                                  struct tel_exporter_options *options);

/* Adds service.name and OTEL_RESOURCE_ATTRIBUTES. To an empty resource it cannot fail but for
 * memory, and it leaves room for tel_resource_detect() and eight attributes of the program's own.
 * Returns 0, -ENOSPC or -ENOMEM. */
int tel_config_add_resource(const struct tel_config *config, struct tel_resource *resource);

/* Called for one variable; strings are borrowed for the call. */
typedef void tel_config_each_fn(const char *name, const char *value, bool from_environment,
                                void *argument);

/* Calls `each` for every variable, in the table's order: effective value as text ("" when unset),
 * and whether it came from the environment: what was set there but is not used (unusable, out of
 * bounds, the argument of a sampler that takes none) did not. The signals' endpoints are given as
 * they were composed. Values of variables that hold secrets (headers) are given as `***`, as is a user in
 * a URL. */
void tel_config_each(const struct tel_config *config, tel_config_each_fn *each, void *argument);

#ifdef __cplusplus
}
#endif

#endif
