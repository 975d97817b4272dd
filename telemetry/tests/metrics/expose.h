/*
 * What the tests of this folder share: the exposition of a registry compared with what it should
 * be, byte for byte, and registries that are quickly made.
 */
#ifndef TEL_TESTS_METRICS_EXPOSE_H
#define TEL_TESTS_METRICS_EXPOSE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/metrics.h"

#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define VALUES(...)      ((const char *const[]){__VA_ARGS__})
#define EXPOSITION_LIMIT ((size_t)1 << 20)

/* The exposition as a NUL-terminated string that the caller frees; *length may be NULL. */
static inline char *expose(struct tel_registry *registry, enum tel_exposition_format format,
                           size_t *length)
{
    struct tel_buffer out;
    tel_buffer_init(&out, EXPOSITION_LIMIT);
    assert_int_equal(tel_registry_expose(registry, format, &out), 0);
    tel_buffer_append_char(&out, '\0');
    assert_int_equal(out.error, 0);
    size_t size;
    char *text = tel_buffer_take(&out, &size);
    if (length != NULL) {
        *length = size - 1;
    }
    return text;
}

static inline void assert_exposed(struct tel_registry *registry, enum tel_exposition_format format,
                                  const char *expected)
{
    char *text = expose(registry, format, NULL);
    assert_string_equal(text, expected);
    free(text);
}

/* Whether the text exposition has this line. */
static inline int has_line(struct tel_registry *registry, enum tel_exposition_format format,
                           const char *line)
{
    char *text = expose(registry, format, NULL);
    size_t length = strlen(line);
    int found = 0;
    for (const char *at = text; !found && (at = strstr(at, line)) != NULL; at++) {
        found = (at == text || at[-1] == '\n') && at[length] == '\n';
    }
    free(text);
    return found;
}

static inline struct tel_registry *registry_of(size_t shards)
{
    struct tel_registry *registry = tel_registry_create(shards);
    assert_non_null(registry);
    return registry;
}

/* A family that must be possible. */
static inline struct tel_family *family_of(struct tel_registry *registry,
                                           struct tel_family_options options)
{
    struct tel_family *family = tel_family_create(registry, &options);
    assert_non_null(family);
    return family;
}

#endif
