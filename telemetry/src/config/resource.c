/*
 * The list of attributes. A linear search is right for sixty-four entries that are read once.
 *
 * Invariant: keys differ; every key and value is UTF-8 without a NUL; labels[] are the different
 * label names of attributes[], in the order of their first key.
 */
#include "config/resource.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct tel_resource *tel_resource_create(void)
{
    return calloc(1, sizeof(struct tel_resource));
}

/* Forgets the attributes from `count` on. */
static void truncate_to(struct tel_resource *resource, size_t count, size_t label_count)
{
    while (resource->count > count) {
        resource->count--;
        free(resource->attributes[resource->count].key);
        free(resource->attributes[resource->count].value);
        free(resource->attributes[resource->count].label);
    }
    resource->label_count = label_count;
}

void tel_resource_destroy(struct tel_resource *resource)
{
    if (resource != NULL) {
        truncate_to(resource, 0, 0);
        free(resource);
    }
}

static void add_label(struct tel_resource *resource, const char *label)
{
    for (size_t i = 0; i < resource->label_count; i++) {
        if (strcmp(resource->labels[i], label) == 0) {
            return;
        }
    }
    resource->labels[resource->label_count++] = label;
}

static int append(struct tel_resource *resource, const char *key, const char *value)
{
    char *key_copy = strdup(key);
    char *value_copy = strdup(value);
    char *label = tel__label_name(key);
    if (key_copy == NULL || value_copy == NULL || label == NULL) {
        free(key_copy);
        free(value_copy);
        free(label);
        return -ENOMEM;
    }
    size_t at = resource->count++;
    resource->attributes[at].key = key_copy;
    resource->attributes[at].value = value_copy;
    resource->attributes[at].label = label;
    add_label(resource, label);
    return 0;
}

static bool is_usable(const char *text)
{
    size_t length = strnlen(text, TEL_RESOURCE_VALUE_MAX + 1);
    return length <= TEL_RESOURCE_VALUE_MAX && tel__utf8_is_valid(text, length);
}

int tel_resource_add(struct tel_resource *resource, const char *key, const char *value)
{
    if (key[0] == '\0' || !is_usable(key) || !is_usable(value)) {
        return -EINVAL;
    }
    if (tel_resource_get(resource, key) != NULL) {
        return 0;
    }
    if (resource->count == TEL_RESOURCE_ATTRIBUTES_MAX) {
        return -ENOSPC;
    }
    return append(resource, key, value);
}

/* Decodes in place and ends it with a NUL, which lies over the delimiter behind. */
static bool decode(char *text, size_t length)
{
    long decoded = tel__percent_decode(text, length);
    if (decoded < 0 || memchr(text, '\0', (size_t)decoded) != NULL) {
        return false;
    }
    text[decoded] = '\0';
    return true;
}

static char *trim(char *text, size_t *length)
{
    while (*length > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        (*length)--;
    }
    while (*length > 0 && (text[*length - 1] == ' ' || text[*length - 1] == '\t')) {
        (*length)--;
    }
    return text;
}

/* One `key=value` of a list, which may be changed. An empty one is fine. */
static int add_pair(struct tel_resource *resource, char *pair, size_t length)
{
    pair = trim(pair, &length);
    if (length == 0) {
        return 0;
    }
    char *equals = memchr(pair, '=', length);
    if (equals == NULL) {
        return -EINVAL;
    }
    size_t key_length = (size_t)(equals - pair);
    size_t value_length = length - key_length - 1;
    char *key = trim(pair, &key_length);
    char *value = trim(equals + 1, &value_length);
    if (!decode(value, value_length) || !decode(key, key_length)) {
        return -EINVAL;
    }
    return tel_resource_add(resource, key, value);
}

int tel_resource_add_list(struct tel_resource *resource, const char *list)
{
    size_t count = resource->count;
    size_t label_count = resource->label_count;
    char *copy = strdup(list);
    if (copy == NULL) {
        return -ENOMEM;
    }
    int error = 0;
    for (char *at = copy; at != NULL && error == 0;) {
        char *comma = strchr(at, ',');
        size_t length = comma != NULL ? (size_t)(comma - at) : strlen(at);
        error = add_pair(resource, at, length);
        at = comma != NULL ? comma + 1 : NULL;
    }
    free(copy);
    if (error != 0) {
        truncate_to(resource, count, label_count);
    }
    return error;
}

size_t tel_resource_count(const struct tel_resource *resource)
{
    return resource->count;
}

struct tel_resource_attribute tel_resource_at(const struct tel_resource *resource, size_t index)
{
    return (struct tel_resource_attribute){resource->attributes[index].key,
                                           resource->attributes[index].value};
}

const char *tel_resource_get(const struct tel_resource *resource, const char *key)
{
    for (size_t i = 0; i < resource->count; i++) {
        if (strcmp(resource->attributes[i].key, key) == 0) {
            return resource->attributes[i].value;
        }
    }
    return NULL;
}
