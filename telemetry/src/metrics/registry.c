/*
 * The registry: the list of families, what they share, and their sums.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/histogram.h"
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

/* Gauges are signed: their sum wraps as two's complement does. Counters stay at the end. */
static uint64_t add(const struct tel_family *family, uint64_t a, uint64_t b)
{
    return family->options.type == TEL_GAUGE ? a + b : tel__add_saturating(a, b);
}

uint64_t tel_series_value(const struct tel_series *series)
{
    if (series->family->options.type == TEL_HISTOGRAM) {
        struct tel__snapshot snapshot;
        tel__histogram_snapshot(series, &snapshot);
        return snapshot.count;
    }
    uint64_t sum = 0;
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        sum = add(series->family, sum, tel__cell_get(series->slots[shard].cell));
    }
    return sum;
}

uint64_t tel_family_value(const struct tel_family *family)
{
    uint64_t sum = tel_series_value(family->spare);
    const struct tel_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    while (series != NULL) {
        sum = add(family, sum, tel_series_value(series));
        series = atomic_load_explicit(&series->next, memory_order_acquire);
    }
    return sum;
}
