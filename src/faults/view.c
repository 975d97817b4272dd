/*
 * What is read of the faults: a serving thread's view, and what others ask. Copies are made under the
 * mutex; it is held for some microseconds, at most a few times a second.
 */
#include <string.h>

#include "faults/internal.h"
#include "telemetry/clock.h"

void fault_view_init(struct fault_view *view, struct faults *faults)
{
    *view = (struct fault_view){.published = &faults->generation, .faults = faults};
}

static void refresh(struct fault_view *view)
{
    struct faults *faults = view->faults;
    pthread_mutex_lock(&faults->mutex);
    view->seen = atomic_load_explicit(&faults->generation, memory_order_relaxed);
    view->state = faults->state;
    view->counted = faults->state.counted;
    view->counts = faults->source->counts;
    memcpy(view->plan, faults->source->plan.name, sizeof(view->plan));
    pthread_mutex_unlock(&faults->mutex);
}

bool fault_view_counts(struct fault_view *view, enum route_id route)
{
    if (atomic_load_explicit(view->published, memory_order_relaxed) != view->seen) {
        refresh(view);
    }
    return (view->counted >> route & 1) != 0;
}

enum fault_kind faults_not_ready(const struct faults *faults)
{
    return fault_process_not_ready(&faults->process, tel_clock_monotonic_ns());
}

void faults_get_facts(struct faults *faults, struct faults_facts *facts)
{
    const uint64_t wall_ns = tel_clock_wall_ns();
    *facts = (struct faults_facts){.held_bytes = ballast_held(&faults->process.ballast),
                                   .burning_cpus = spinners_burning(&faults->process.spinners)};
    pthread_mutex_lock(&faults->mutex);
    const struct fault_layer *layer = faults->source;
    const uint64_t end_wall_ns =
        layer->source != FAULT_SOURCE_NONE ? fault_plan_end(&layer->plan) : 0;
    facts->state = faults->state;
    facts->end_wall_ns = end_wall_ns > wall_ns ? end_wall_ns : 0;
    facts->loads_ok = faults->file.loads_ok;
    facts->loads_refused = faults->file.loads_refused;
    facts->last_load_ok = faults->file.reason[0] == '\0';
    pthread_mutex_unlock(&faults->mutex);
}
