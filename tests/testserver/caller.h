/*
 * The caller: makes the calls of a plan, one after the other, each within a CLIENT span of its own
 * whose trace headers go out with it.
 *
 * How it works: a name is resolved by evdns, its addresses are tried in turn until one takes the
 * connection, and libevent's HTTP client posts the arguments. The next call begins when this one was
 * answered with 2xx; anything else ends the plan.
 *
 *     resolve ──> connect ──> post ──2xx──> the next call … done
 *        └───────────┴──────────┴─ anything else, or no time left ──> done, with a problem
 *
 * Threads: the loop's.
 * Memory: one block a plan under way; a plan is borrowed.
 * Failure: `done` says which URL failed, and why. The time of a call and of a plan is bounded, as is
 * the answer that is read.
 */
#ifndef TESTSERVER_CALLER_H
#define TESTSERVER_CALLER_H

#include "plan.h"
#include "telemetry/trace.h"

#define CALLER_CALL_MS     2000 /* of one call: name, connection and answer */
#define CALLER_PLAN_MS     10000
#define CALLER_ANSWER_MAX  65536 /* bytes of a body that is read, and of its head */
#define CALLER_PROBLEM_MAX (PLAN_URL_MAX + 256)

struct event_base;
struct caller; /* what all plans share: the loop, the nameservers */
struct calls;  /* a plan under way */

/* NULL with errno ENOMEM. Borrows both. */
struct caller *caller_create(struct event_base *base, struct tel_tracer *tracer);
/* Frees it. No plan may be under way, nor the loop; NULL is fine. */
void caller_destroy(struct caller *caller);

/* Called once from the loop, never from within caller_start(). `problem` is NULL when all calls were
 * answered well. */
typedef void caller_done_fn(const char *problem, void *argument);

/* Begins; `parent` is the span that the calls' spans are children of. NULL without memory, and then
 * `done` is never called. */
struct calls *caller_start(struct caller *caller, const struct plan *plan,
                           const struct tel_span *parent, caller_done_fn *done, void *argument);
/* Stops a plan whose `done` was not called yet, and will not be. NULL is fine. */
void caller_cancel(struct calls *calls);

#endif
