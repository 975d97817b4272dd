/*
 * Whose plan is in force: the file's, or one that an operator laid over it until its end.
 *
 * How it works: two layers, each with a plan and the counts of requests to its routes. A plan that
 * is armed begins to count anew. What is over the file's layer hides it from when it was armed, also
 * before its first fault begins, until its last is over or it is taken off; then the file's goes on,
 * by its own times, and counts on.
 *
 *     override   ─ ─ ─[ PUT ──────────────── end ]─ ─ ─ ─ ─ ─ ─
 *     file       [ begin ────────────────────────────── end ]
 *     in force   file │ the override's            │ file   │ none
 *
 * The counts of an arming are its own: a set of several, taken in turn, so that a thread that had its
 * view from before an arming does not count in what began after it. It would only if it slept from one
 * look at its view to its counting while about FAULT_COUNT_SETS plans are armed and taken off: then the
 * set that it counts in is another plan's, which skips a number, and nothing worse.
 *
 * Threads: the owner's, under its lock; the counts of a set by any, without one.
 * Memory: the caller's struct, some 50 KiB; plans are copied.
 */
#ifndef GLASSBOX_FAULTS_LAYERS_H
#define GLASSBOX_FAULTS_LAYERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "faults/plan.h"

enum fault_source { FAULT_SOURCE_NONE, FAULT_SOURCE_FILE, FAULT_SOURCE_API, FAULT_SOURCE_INCIDENT };

/* "none", "file", …; static. */
const char *fault_source_name(enum fault_source source);

/* Requests since a plan was armed, each route's on a cache line of its own. */
struct fault_counts {
    struct {
        _Alignas(64) _Atomic uint64_t requests;
    } routes[ROUTES];
};

#define FAULT_COUNT_SETS 8

struct fault_layer {
    enum fault_source source; /* NONE: nothing is armed */
    struct fault_plan plan;
    struct fault_counts *counts;
};

struct fault_layers {
    struct fault_layer file;
    struct fault_layer override;
    uint64_t armings; /* how often anything of this changed */
    struct fault_counts sets[FAULT_COUNT_SETS];
};

void fault_layers_init(struct fault_layers *layers);

/* Arms a plan: of source FILE as the file's, of the others over it. */
void fault_layers_arm(struct fault_layers *layers, enum fault_source source,
                      const struct fault_plan *plan);

/* Takes off what is over the file's layer; nothing is fine. */
void fault_layers_take_off(struct fault_layers *layers);

/* The layer that is in force at a moment; one without a plan has source NONE. An override that is
 * over by then is taken off, for good. */
const struct fault_layer *fault_layers_at(struct fault_layers *layers, uint64_t wall_ns);

/* The first moment after `wall_ns` at which what is in force changes by itself; UINT64_MAX: never. */
uint64_t fault_layers_next_change(const struct fault_layers *layers, uint64_t wall_ns);

#endif
