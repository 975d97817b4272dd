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

#include "base/pairs.h"
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

/* Decodes in place. A NUL would end the text before its end. */
static bool decode(char *text)
{
    long decoded = tel__percent_decode(text, strlen(text));
    if (decoded < 0 || memchr(text, '\0', (size_t)decoded) != NULL) {
        return false;
    }
    text[decoded] = '\0';
    return true;
}

static int add_pair(struct tel_resource *resource, const struct tel__pair *pair)
{
    if (pair->value == NULL || !decode(pair->value) || !decode(pair->key)) {
        return -EINVAL;
    }
    return tel_resource_add(resource, pair->key, pair->value);
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
    struct tel__pair pair;
    for (char *at = copy; error == 0 && tel__pairs_next(&at, &pair);) {
        error = add_pair(resource, &pair);
        if (error == 0 && resource->count - count > TEL_RESOURCE_LIST_MAX) {
            error = -ENOSPC;
        }
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
