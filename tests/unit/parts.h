/*
 * A service's parts that unit tests need and no more: registry, instruments, and for whoever wants
 * spans a tracer that samples everything.
 *
 * Memory: the parts are the service's, until parts_drop(), which takes what is NULL too.
 */
#ifndef GLASSBOX_UNIT_PARTS_H
#define GLASSBOX_UNIT_PARTS_H

#include "instruments.h"
#include "service.h"

static inline void parts_make(struct service *service, const struct options *options,
                              size_t worker_count)
{
    *service = (struct service){.options = options, .worker_count = worker_count};
    service->registry = tel_registry_create(service_shard_count(service));
    service->instruments = instruments_create(service->registry, service);
}

static inline void parts_make_tracer(struct service *service)
{
    service->tracer = tel_tracer_create(
        &(struct tel_tracer_options){.shard_count = service_serving_shards(service),
                                     .sampler = {.root = TEL_SAMPLER_ALWAYS_ON},
                                     .queue_size = 64});
}

static inline void parts_drop(struct service *service)
{
    tel_tracer_destroy(service->tracer);
    instruments_destroy(service->instruments);
    tel_registry_destroy(service->registry);
}

#endif
