/*
 * The resource in the metrics: `target_info` with a label an attribute.
 *
 * Attribute keys are free text, label names are not, so two keys may become one label; its value is
 * then both values with a `;` between, in the order of the keys, as the OpenTelemetry specification
 * (compatibility/prometheus_and_openmetrics) wants.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/resource.h"
#include "metrics/labels.h"
#include "telemetry/buffer.h"

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Puts the key's letters, digits and single `_` at `to`. */
static void put_name(char *to, const char *key)
{
    char last = '\0';
    for (; *key != '\0'; key++) {
        char byte = is_letter(*key) || is_digit(*key) ? *key : '_';
        if (byte != '_' || last != '_') {
            *to++ = byte;
        }
        last = byte;
    }
    *to = '\0';
}

char *tel__label_name(const char *key)
{
    static const char prefix[] = "key_";
    const size_t prefix_length = sizeof(prefix) - 1;
    char *name = malloc(sizeof(prefix) + strlen(key));
    if (name == NULL) {
        return NULL;
    }
    memcpy(name, prefix, prefix_length);
    put_name(name + prefix_length, key);
    char *bare = name + prefix_length;
    if (!is_digit(bare[0]) && strcmp(bare, TEL__OVERFLOW_LABEL) != 0) {
        memmove(name, bare, strlen(bare) + 1);
    }
    return name;
}

/* All values whose key makes this label. */
static void join_values(const struct tel_resource *resource, const char *label,
                        struct tel_buffer *out)
{
    size_t start = out->length;
    for (size_t i = 0; i < resource->count; i++) {
        if (strcmp(resource->attributes[i].label, label) == 0) {
            if (out->length > start) {
                tel_buffer_append_char(out, ';');
            }
            tel_buffer_append_string(out, resource->attributes[i].value);
        }
    }
    tel_buffer_append_char(out, '\0');
}

/* A series that there is no memory for is the overflow series, which would tell nothing of us. */
static int set_series(const struct tel_resource *resource, struct tel_registry *registry,
                      struct tel_family *family)
{
    uint64_t overflowed = tel_registry_overflow_count(registry);
    struct tel_buffer text;
    size_t starts[TEL_LABELS_MAX];
    const char *values[TEL_LABELS_MAX];
    tel_buffer_init(&text, (size_t)TEL_RESOURCE_ATTRIBUTES_MAX * (TEL_RESOURCE_VALUE_MAX + 2));
    for (size_t i = 0; i < resource->label_count; i++) {
        starts[i] = text.length;
        join_values(resource, resource->labels[i], &text);
    }
    int error = text.error;
    if (error == 0) {
        for (size_t i = 0; i < resource->label_count; i++) { /* the text no longer moves */
            values[i] = text.data + starts[i];
        }
        tel_family_series(family, 0, values);
        error = tel_registry_overflow_count(registry) == overflowed ? 0 : -ENOMEM;
    }
    tel_buffer_fini(&text);
    return error;
}

int tel_resource_register(const struct tel_resource *resource, struct tel_registry *registry)
{
    _Static_assert(TEL_LABELS_MAX >= TEL_RESOURCE_ATTRIBUTES_MAX, "each attribute is a label");
    struct tel_family *family = tel_family_create(
        registry, &(struct tel_family_options){.name = "target_info",
                                               .help = "Attributes of the resource that reports.",
                                               .type = TEL_INFO,
                                               .label_names = resource->labels,
                                               .label_count = resource->label_count,
                                               .series_limit = 1});
    return family != NULL ? set_series(resource, registry, family) : -errno;
}
