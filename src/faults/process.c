#include "faults/process.h"

#include "telemetry/clock.h"

void fault_process_init(struct fault_process *process)
{
    process->started_ns = tel_clock_monotonic_ns();
    atomic_init(&process->not_ready, false);
    atomic_init(&process->ready_after_ns, 0);
    ballast_init(&process->ballast);
    spinners_init(&process->spinners);
}

void fault_process_set_readiness(struct fault_process *process, const struct fault_state *state)
{
    bool slow = state->process[FAULT_SLOW_START].is_on;
    atomic_store(&process->not_ready, state->process[FAULT_NOT_READY].is_on);
    atomic_store(&process->ready_after_ns,
                 slow ? state->process[FAULT_SLOW_START].value.ready_ns : 0);
}

void fault_process_apply(struct fault_process *process, const struct fault_state *state)
{
    bool memory = state->process[FAULT_MEMORY].is_on;
    bool cpu = state->process[FAULT_BACKGROUND_CPU].is_on;
    ballast_set(&process->ballast, memory ? state->process[FAULT_MEMORY].value.bytes : 0);
    spinners_set(&process->spinners, cpu ? state->process[FAULT_BACKGROUND_CPU].value.cpus : 0);
}

enum fault_kind fault_process_not_ready(const struct fault_process *process, uint64_t now_ns)
{
    if (atomic_load_explicit(&process->not_ready, memory_order_relaxed)) {
        return FAULT_NOT_READY;
    }
    uint64_t after_ns = atomic_load_explicit(&process->ready_after_ns, memory_order_relaxed);
    return now_ns - process->started_ns < after_ns ? FAULT_SLOW_START : FAULT_KINDS;
}

void fault_process_fini(struct fault_process *process)
{
    ballast_fini(&process->ballast);
    spinners_fini(&process->spinners);
}
