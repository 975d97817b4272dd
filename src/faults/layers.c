/*
 * Pure bookkeeping: no clock, no lock. A set of counts that is handed out anew is zeroed then, and
 * never one that the other layer still counts in.
 */
#include "faults/layers.h"

#include <stddef.h>

const char *fault_source_name(enum fault_source source)
{
    static const char *const names[] = {[FAULT_SOURCE_NONE] = "none",
                                        [FAULT_SOURCE_FILE] = "file",
                                        [FAULT_SOURCE_API] = "api",
                                        [FAULT_SOURCE_INCIDENT] = "incident"};
    return names[source];
}

void fault_layers_init(struct fault_layers *layers)
{
    *layers = (struct fault_layers){.armings = 0};
}

/* The next set in turn that no layer counts in, from 0. */
static struct fault_counts *take_counts(struct fault_layers *layers)
{
    size_t turn = layers->armings % FAULT_COUNT_SETS;
    struct fault_counts *counts = &layers->sets[turn];
    while (counts == layers->file.counts || counts == layers->override.counts) {
        turn = (turn + 1) % FAULT_COUNT_SETS;
        counts = &layers->sets[turn];
    }
    for (size_t route = 0; route < ROUTES; route++) {
        atomic_store_explicit(&counts->routes[route].requests, 0, memory_order_relaxed);
    }
    return counts;
}

void fault_layers_arm(struct fault_layers *layers, enum fault_source source,
                      const struct fault_plan *plan)
{
    struct fault_layer *layer = source == FAULT_SOURCE_FILE ? &layers->file : &layers->override;
    struct fault_counts *counts = take_counts(layers);
    layers->armings++;
    layer->source = source;
    layer->plan = *plan;
    layer->counts = counts;
}

void fault_layers_take_off(struct fault_layers *layers)
{
    if (layers->override.source != FAULT_SOURCE_NONE) {
        layers->override.source = FAULT_SOURCE_NONE;
        layers->armings++;
    }
}

const struct fault_layer *fault_layers_at(struct fault_layers *layers, uint64_t wall_ns)
{
    if (layers->override.source != FAULT_SOURCE_NONE &&
        wall_ns >= fault_plan_end(&layers->override.plan)) {
        fault_layers_take_off(layers);
    }
    return layers->override.source != FAULT_SOURCE_NONE ? &layers->override : &layers->file;
}

uint64_t fault_layers_next_change(const struct fault_layers *layers, uint64_t wall_ns)
{
    const struct fault_layer *layer =
        layers->override.source != FAULT_SOURCE_NONE ? &layers->override : &layers->file;
    return layer->source != FAULT_SOURCE_NONE ? fault_plan_next_change(&layer->plan, wall_ns)
                                              : UINT64_MAX;
}
