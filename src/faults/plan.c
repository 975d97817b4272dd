/*
 * What a plan has in force is looked up in its list, front to back, so that the later of two faults
 * wins: at most 64 rows, at the moments at which anything changes.
 */
#include "faults/plan.h"

#include <string.h>

bool fault_may_touch(const struct route *route)
{
    return route->user;
}

static void put_of_route(const struct fault *fault, struct fault_state *state)
{
    for (size_t route = 0; route < ROUTES; route++) {
        if ((fault->routes & UINT32_C(1) << route) != 0) {
            state->routes[route][fault->kind].is_on = true;
            state->routes[route][fault->kind].seed = fault->seed;
            state->routes[route][fault->kind].value = fault->value;
        }
    }
}

static void put_of_process(const struct fault *fault, struct fault_state *state)
{
    state->process[fault->kind].is_on = true;
    state->process[fault->kind].seed = fault->seed;
    state->process[fault->kind].value = fault->value;
}

void fault_plan_at(const struct fault_plan *plan, uint64_t wall_ns, struct fault_state *state)
{
    memset(state, 0, sizeof(*state));
    if (plan == NULL || wall_ns < plan->begin_wall_ns || wall_ns >= fault_plan_end(plan)) {
        return;
    }
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct fault *fault = &plan->faults[i];
        state->counted |= fault->routes;
        if (wall_ns < fault->start_wall_ns || wall_ns >= fault->end_wall_ns) {
            continue;
        }
        state->is_on = true;
        if (fault_kind_scope(fault->kind) == FAULT_SCOPE_ROUTE) {
            put_of_route(fault, state);
        } else {
            put_of_process(fault, state);
        }
    }
}

/* The earlier of the two that is after a moment. */
static uint64_t earlier(uint64_t best, uint64_t candidate, uint64_t wall_ns)
{
    return candidate > wall_ns && candidate < best ? candidate : best;
}

uint64_t fault_plan_next_change(const struct fault_plan *plan, uint64_t wall_ns)
{
    uint64_t next = UINT64_MAX;
    if (plan == NULL) {
        return next;
    }
    next = earlier(next, plan->begin_wall_ns, wall_ns);
    for (size_t i = 0; i < plan->fault_count; i++) {
        next = earlier(next, plan->faults[i].start_wall_ns, wall_ns);
        next = earlier(next, plan->faults[i].end_wall_ns, wall_ns);
    }
    return next;
}

uint64_t fault_plan_end(const struct fault_plan *plan)
{
    if (plan == NULL) {
        return 0;
    }
    uint64_t end = plan->begin_wall_ns;
    for (size_t i = 0; i < plan->fault_count; i++) {
        end = plan->faults[i].end_wall_ns > end ? plan->faults[i].end_wall_ns : end;
    }
    return end;
}
