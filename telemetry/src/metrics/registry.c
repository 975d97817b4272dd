/*
 * The registry: the list of families, and what they share.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/model.h"

struct tel_registry *tel_registry_create(size_t shard_count)
{
    if (shard_count == 0 || shard_count > TEL_SHARDS_MAX) {
        errno = EINVAL;
        return NULL;
    }
    struct tel_registry *registry = calloc(1, sizeof(*registry));
    if (registry == NULL) {
        return NULL;
    }
    int error = pthread_mutex_init(&registry->lock, NULL);
    if (error != 0) {
        free(registry);
        errno = error;
        return NULL;
    }
    registry->shard_count = shard_count;
    return registry;
}

void tel_registry_destroy(struct tel_registry *registry)
{
    if (registry == NULL) {
        return;
    }
    for (struct tel_family *family = registry->first; family != NULL;) {
        struct tel_family *next = family->next;
        tel__family_destroy(family);
        family = next;
    }
    for (size_t shard = 0; shard < registry->shard_count; shard++) {
        tel__cell_pages_free(registry->pages[shard]);
    }
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

struct tel_family *tel__registry_find(const struct tel_registry *registry, const char *name)
{
    struct tel_family *family = registry->first;
    while (family != NULL && strcmp(family->options.name, name) != 0) {
        family = family->next;
    }
    return family;
}

uint64_t tel_registry_overflow_count(const struct tel_registry *registry)
{
    return tel__cell_get(&registry->overflowed);
}
