/*
 * Faults on a request's way: drawn when it is handled, carried out, and written into its signals.
 *
 * How it works: the n-th request to a route since the plan began draws f(seed, route, n) (draw.h).
 * One that is struck gets a child span `fault`, in which it waits and burns CPU; then it is reset, or
 * answered with an error, or goes on to its handler, whose answer may be cut. What the request came to
 * counts, whether or not its client was still there to get it; what it did not come to does not, and
 * a wait that the client cut short only as long as it was. So whatever was struck has a kind, and span,
 * child, line and counters say the same of it.
 *
 *     handle ─ draw ─┬─ nothing ──────────────────────────────────> handler
 *                    └─ [fault: latency ─ cpu ] ─┬─ reset
 *                                                ├─ error
 *                                                └─ truncated or not ─> handler
 *
 * Threads: the site's own.
 */
#ifndef GLASSBOX_FAULTS_INJECT_H
#define GLASSBOX_FAULTS_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "faults/plan.h"

#define FAULT_KINDS_TEXT_BYTES 48 /* "error,latency,cpu,reset,truncate" fits */

struct exchange;

/* What faults do to a request. Only `drawn` is set for one that they do not touch. */
struct fault_mark {
    uint32_t drawn; /* a bit for each kind that strikes */
    uint32_t kinds; /* those that took effect; after inject_settle() */
    uint16_t status;
    bool burning;       /* the exchange's burn is the fault's */
    uint64_t n;         /* which request to its route it was */
    uint64_t struck_ns; /* monotonic */
    uint64_t delay_ns;  /* to wait; after inject_settle(): what was waited of it */
    uint64_t cpu_ns;    /* the same of CPU time, and what was burnt */
    char plan[FAULT_PLAN_NAME_BYTES];
    char text[FAULT_KINDS_TEXT_BYTES]; /* of `kinds`: "error,latency" */
};

/* Handles a request to a route that may be counted. */
void inject_handle(struct exchange *exchange);

/* At the end of an exchange that was struck, when its error_type is known: what came of it, counted. */
void inject_settle(struct exchange *exchange);

#endif
