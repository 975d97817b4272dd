/*
 * Options: the service's settings, from flags and GLASSBOX_* variables.
 *
 * How it works: options.def has a row a setting; its default, then its variable, then its flag are
 * read in this order, by the same parser, and the last one wins. An empty variable is as good as
 * none. Every problem is reported, by the name the operator wrote, before loading fails: nobody
 * should have to start a service five times to learn of five mistakes.
 *
 * Threads: load before threads start; read-only afterwards.
 * Memory: strings are borrowed from argv and the environment, so both must stay as they are.
 *
 *     struct options options;
 *     int status = options_start(&options, argc, argv, environ);
 *     if (status != OPTIONS_GO_ON) { return status; }
 */
#ifndef GLASSBOX_OPTIONS_H
#define GLASSBOX_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "http/http.h" /* HTTP_HEADERS_MAX */
#include "option_value.h"
#include "telemetry/otlp.h" /* enum tel_severity */

#define OPTIONS_GO_ON    (-1) /* of options_start() */
#define OPTIONS_EXIT_BAD 2    /* exit status when settings are wrong */

enum option_access_log_format { OPTION_FORMAT_W3C, OPTION_FORMAT_IIS };
enum option_timestamp_unit { OPTION_TIMESTAMP_S, OPTION_TIMESTAMP_MS };

enum option_id {
#define OPTION_GROUP(title)
#define OPTION(member, flag, variable, type, text, min, max, value, help) OPTION_ID_##member,
#include "options.def"
    OPTIONS_COUNT
};

enum option_origin { OPTION_FROM_DEFAULT, OPTION_FROM_ENVIRONMENT, OPTION_FROM_FLAG };

/* What the operator asked for besides serving. */
enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_PRINT_CONFIG };

struct options {
#define OPTION_GROUP(title)
#define OPTION(member, flag, variable, type, text, min, max, value, help) OPTION_C_##type member;
#include "options.def"
    enum options_action action;
    enum option_origin origin[OPTIONS_COUNT];
};

/* A row of options.def. */
struct option_spec {
    const char *flag; /* without dashes */
    const char *variable;
    const char *default_text;
    const char *value; /* how --help names the value */
    const char *help;
    struct option_rule rule;
    size_t offset; /* of the member in struct options */
};
extern const struct option_spec option_specs[OPTIONS_COUNT];

/* Told once a problem. `name` is the flag or variable as the operator wrote it. TEL_ERROR makes
 * loading fail; TEL_WARN (a GLASSBOX_* variable that is none of ours) does not. */
typedef void options_problem_fn(enum tel_severity severity, const char *name, const char *message,
                                void *argument);

/* Fills *options. `environment` is environ(7)'s shape. Returns 0, or -EINVAL after all problems were
 * told; *options then holds defaults where values were bad. */
int options_load(struct options *options, int argc, char *const argv[], char *const environment[],
                 options_problem_fn *problem, void *argument);

/* What --help, --version and --print-config print; the last with the OTEL_* variables, those that
 * cannot be used told as diagnostics. Return 0, or a negative errno when `out` took not all of it. */
int options_print_help(FILE *out);
int options_print_version(FILE *out);
int options_print_config(const struct options *options, FILE *out);

/* All of it, as main() needs it: loads, reports problems as diagnostics, sets their level, and
 * answers --help and its like. Returns OPTIONS_GO_ON, or the status to exit with. */
int options_start(struct options *options, int argc, char *const argv[], char *const environment[]);

#endif
