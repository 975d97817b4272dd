/*
 * The faults of the process: which plan is in force, and what of it now.
 *
 * How it works: plans come from a file that is read again when it changes (watch.h), and from
 * operators, who lay one over it (layers.h). What is in force at the moment is published under a
 * generation number whenever it changes: at each start and end, by a timer on the main thread's loop,
 * which its tick backs up, so that a wall clock that was set does no harm. A serving thread has a
 * view, a copy of what was published; a request costs it one load to know that the copy is good.
 *
 *     file ─┐                  ┌ fault_state ─┐  view: worker 0 ─> inject.h, each request
 *           ├ layers ─ now? ─> │ generation   │─ view: worker 1
 *     API ──┘                  └──────────────┘  process faults: process.h
 *
 * Faults that are of the process (not ready, memory, CPU) are applied by the main thread at its next
 * turn; readiness at once.
 *
 * Threads: create, start, look, stop, destroy: the main thread. Put, play, clear, and all that reads:
 * any. Neither takes a lock on the way of a request whose view is good.
 * Memory: some 100 KiB, up to 192 KiB of the file's text and its last readings, a view of some KiB for
 * each serving thread, and what a memory fault holds.
 * Failure: what is bad at start is told by the option's name, and nothing is made. Later, a bad plan
 * changes nothing and its reason is told.
 */
#ifndef GLASSBOX_FAULTS_FAULTS_H
#define GLASSBOX_FAULTS_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults/layers.h"
#include "faults/plan.h"
#include "telemetry/buffer.h"

struct event_base;
struct faults;
struct options;

/* Reads what --faults, --incident and --fault-token-file name; also without any of them there is
 * one. NULL with errno EINVAL, all that is wrong told by name, or ENOMEM, told too. */
struct faults *faults_create(const struct options *options);

/* Puts the timer on the loop and looks for the first time. Returns 0 or a negative errno. */
int faults_start(struct faults *faults, struct event_base *base);

/* Ends the process faults and the timer; requests are served no more. Twice is fine. */
void faults_end(struct faults *faults);

/* Stops it if need be, and frees it; NULL is fine. */
void faults_destroy(struct faults *faults);

/* Looks at the file and at the clock: at each tick of the main thread. */
void faults_look(struct faults *faults);
/* The same at a given time. */
void faults_look_at(struct faults *faults, uint64_t wall_ns);

/* ---- what operators do --------------------------------------------------------------------------- */

/* Arms a plan over the file's, until its end. Returns 0; -EBADMSG: the text is not JSON; -EINVAL: it
 * is no plan, an empty one, one that is over or begins more than 168h ahead; -ENOMEM. The reason is told in all three, and nothing is changed. */
int faults_put(struct faults *faults, const char *json, size_t length,
               char reason[FAULT_REASON_BYTES]);

/* Plays a shipped incident from now on, over the file's plan. Returns 0, -ENOENT or -ENOMEM. */
int faults_play(struct faults *faults, const char *name, size_t length);

/* Takes off what was laid over the file's plan; nothing is fine. */
void faults_clear(struct faults *faults);

/* ---- what a serving thread sees ------------------------------------------------------------------ */

/* A copy of what is in force, as of `seen`. */
struct fault_view {
    const _Atomic uint64_t *published; /* the generation, now */
    uint64_t seen;
    uint32_t counted; /* a bit for each route whose requests are counted */
    struct faults *faults;
    struct fault_counts *counts;
    char plan[FAULT_PLAN_NAME_BYTES]; /* "" when it has no name */
    struct fault_state state;
};

/* An empty view: what is in force is copied at the first look. */
void fault_view_init(struct fault_view *view, struct faults *faults);

/* Whether a request to the route may be counted, and so struck: else there is nothing to do. All that a
 * request pays for faults that are not there. */
static inline bool fault_view_may_count(const struct fault_view *view, enum route_id route)
{
    return __builtin_expect(atomic_load_explicit(view->published, memory_order_relaxed) !=
                                    view->seen ||
                                (view->counted >> route & 1) != 0,
                            0);
}

/* Whether it is, by what is published now. */
bool fault_view_counts(struct fault_view *view, enum route_id route);

/* ---- what others ask ----------------------------------------------------------------------------- */

/* The fault for which the process is not ready: NOT_READY or SLOW_START; FAULT_KINDS: none. */
enum fault_kind faults_not_ready(const struct faults *faults);

/* What metrics tell. */
struct faults_facts {
    struct fault_state state;
    uint64_t end_wall_ns; /* of the plan in force; 0: none, or it is over */
    uint64_t held_bytes;  /* of memory, really */
    double burning_cpus;  /* in the background, really */
    uint64_t loads_ok;    /* of the file */
    uint64_t loads_refused;
    bool last_load_ok; /* true without a file */
};
void faults_get_facts(struct faults *faults, struct faults_facts *facts);

/* Appends what is in force as JSON (docs/faults.md): the answer of the API. */
void faults_append_json(struct faults *faults, struct tel_buffer *out);

#endif
