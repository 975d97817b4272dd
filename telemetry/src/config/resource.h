/*
 * The resource from within: what resource.c owns and target_info.c reads.
 *
 * Threads, memory, failure: as telemetry/resource.h says.
 */
#ifndef TEL_CONFIG_RESOURCE_H
#define TEL_CONFIG_RESOURCE_H

#include "telemetry/resource.h"

struct tel_resource {
    size_t count;
    struct {
        char *key;
        char *value;
        char *label; /* the key as a Prometheus label name */
    } attributes[TEL_RESOURCE_ATTRIBUTES_MAX];
    /* The labels without repetition: two keys may make the same name. */
    size_t label_count;
    const char *labels[TEL_RESOURCE_ATTRIBUTES_MAX];
};

/* The label name of a key: what is not a letter, a digit or `_` becomes `_`, runs of `_` become
 * one; a name that begins with a digit, or is the registry's own, gets a `key_` before it. NULL
 * without memory. */
char *tel__label_name(const char *key);

#endif
