/*
 * An environment for a test, and a reader of warnings.
 */
#ifndef TEL_TESTS_CONFIG_ENVIRONMENT_H
#define TEL_TESTS_CONFIG_ENVIRONMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const *environment; /* `NAME=value`, ends with NULL */

static inline char *get_variable(const char *name)
{
    size_t length = strlen(name);
    for (const char *const *at = environment; *at != NULL; at++) {
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') {
            return (char *)*at + length + 1;
        }
    }
    return NULL;
}

struct warnings {
    size_t count;
    char text[2048];
};

static inline void collect(enum tel_severity severity, const char *component, const char *message,
                           void *argument)
{
    struct warnings *warnings = argument;
    assert_int_equal(severity, TEL_WARN);
    assert_string_equal(component, "config");
    size_t at = strlen(warnings->text);
    snprintf(warnings->text + at, sizeof(warnings->text) - at, "%s\n", message);
    warnings->count++;
}

static inline struct tel_config *load(const char *const settings[], struct warnings *warnings)
{
    *warnings = (struct warnings){0};
    environment = settings;
    struct tel_config *config = tel_config_create(get_variable, collect, warnings);
    assert_non_null(config);
    return config;
}

static inline struct tel_config *load_quietly(const char *const settings[])
{
    struct warnings warnings;
    struct tel_config *config = load(settings, &warnings);
    assert_string_equal(warnings.text, "");
    return config;
}

static const char *const nothing[] = {NULL};

#endif
