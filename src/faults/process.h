/*
 * The faults of the process as a whole: readiness, memory, CPU in the background.
 *
 * Threads: init, apply, fini: the main thread. The rest: any.
 * Failure: see ballast.h and spinners.h; readiness cannot fail.
 */
#ifndef GLASSBOX_FAULTS_PROCESS_H
#define GLASSBOX_FAULTS_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "faults/ballast.h"
#include "faults/plan.h"
#include "faults/spinners.h"

struct fault_process {
    uint64_t started_ns;             /* monotonic; when the process did */
    _Atomic bool not_ready;          /* in force */
    _Atomic uint64_t ready_after_ns; /* of slow_start, after the start; 0: not in force */
    struct ballast ballast;
    struct spinners spinners;
};

/* The process counts as started now. */
void fault_process_init(struct fault_process *process);

/* Readiness as the state has it, at once; any thread, one at a time. */
void fault_process_set_readiness(struct fault_process *process, const struct fault_state *state);

/* Memory and CPU as the state has them; they come and go without the caller waiting for it. */
void fault_process_apply(struct fault_process *process, const struct fault_state *state);

/* The fault for which the process is not ready at a moment (monotonic), or FAULT_KINDS. */
enum fault_kind fault_process_not_ready(const struct fault_process *process, uint64_t now_ns);

/* Gives back what is held and ends the threads. */
void fault_process_fini(struct fault_process *process);

#endif
