/*
 * A fault plan: what goes wrong, where, from when to when, and by which seed.
 *
 * How it works: a plan is one JSON document (docs/faults.md), read strictly: an unknown key, a value
 * out of its range, a route that is not there is refused by its name and place, and then nothing of
 * the document is taken. All times are absolute afterwards: offsets and durations are added to the
 * plan's `begin`. An incident is a plan with a name and a timeline, whose steps are flattened into
 * the same list. fault_plan_at() says what is in force at a moment; of two faults of one kind on one
 * route it is the later one in the list.
 *
 * Threads: any; a plan is not changed once it is read.
 * Memory: the caller's, of fixed size; nothing is borrowed from the text.
 * Failure: the reason names the place, what was found and what is allowed: `faults[2].error.ratio:
 * 1.5 is not a ratio: 0 to 1`.
 */
#ifndef GLASSBOX_FAULTS_PLAN_H
#define GLASSBOX_FAULTS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "router.h"

#define FAULT_PLAN_BYTES_MAX  65536 /* of a document */
#define FAULT_PLAN_FAULTS_MAX 64    /* of a plan, those of all steps together */
#define FAULT_PLAN_STEPS_MAX  64    /* of an incident's timeline */
#define FAULT_PLAN_NAME_BYTES 64
#define FAULT_PATTERN_BYTES   64
#define FAULT_REASON_BYTES    512
#define FAULT_SEED_MAX        (UINT64_C(1) << 53) /* every JSON number up to it is whole everywhere */

enum fault_kind {
#define FAULT(ID, ...) FAULT_##ID,
#include "faults/kinds.def"
#undef FAULT
    FAULT_KINDS
};

enum fault_scope { FAULT_SCOPE_ROUTE, FAULT_SCOPE_PROCESS };

/* How many kinds there are of routes: they come first. */
#define FAULT_ROUTE_KINDS ((size_t)FAULT_NOT_READY)

/* "error", …, and what it does, in words; static. */
const char *fault_kind_name(enum fault_kind kind);
const char *fault_kind_help(enum fault_kind kind);
enum fault_scope fault_kind_scope(enum fault_kind kind);

/* How strong; what a kind does not use is 0. */
struct fault_value {
    double ratio;    /* error, reset, truncate: 0 to 1 */
    uint16_t status; /* error: 400 to 599 */
    uint64_t p50_ns; /* latency; p50 <= p90 <= p99 */
    uint64_t p90_ns;
    uint64_t p99_ns;
    uint64_t cpu_ns;   /* cpu: a request */
    uint64_t ready_ns; /* slow_start: after the process started */
    uint64_t bytes;    /* memory */
    double cpus;       /* background_cpu */
};

struct fault {
    enum fault_kind kind;
    char pattern[FAULT_PATTERN_BYTES]; /* the route as written; "" of the process */
    uint32_t routes;                   /* bit 1 << route id for each that it names */
    uint64_t seed;
    uint64_t start_wall_ns;
    uint64_t end_wall_ns; /* after start; when it is over */
    struct fault_value value;
};

struct fault_plan {
    char name[FAULT_PLAN_NAME_BYTES]; /* "" when it has none */
    bool has_timeline;                /* it is an incident */
    uint64_t begin_wall_ns;
    uint64_t seed;
    size_t fault_count;
    struct fault faults[FAULT_PLAN_FAULTS_MAX];
};

/* Whether faults may touch a route: those that users call. */
bool fault_may_touch(const struct route *route);

/* Reads a document. `now_wall_ns` is its begin when it does not hold one, unless `must_begin`: then it
 * is refused. Returns 0, or -EBADMSG (not JSON), -EINVAL (JSON, but no plan), -ENOMEM, with the plan
 * untouched and why in `reason`. */
int fault_plan_parse(const char *json, size_t length, bool must_begin, uint64_t now_wall_ns,
                     struct fault_plan *plan, char reason[FAULT_REASON_BYTES]);

/* What is in force, as the request path reads it: a copy each serving thread. */
struct fault_state {
    bool is_on; /* anything of what follows */
    struct {
        bool is_on;
        uint64_t seed;
        struct fault_value value;
    } routes[ROUTES][FAULT_ROUTE_KINDS], process[FAULT_KINDS]; /* process: by kind */
    uint32_t counted; /* routes of which requests are counted: the plan has begun, is not over, and
                       * names them */
};

/* What the plan has in force at a moment; NULL has nothing. */
void fault_plan_at(const struct fault_plan *plan, uint64_t wall_ns, struct fault_state *state);

/* The first moment after this one at which fault_plan_at() may answer otherwise: its begin, a start, an
 * end. UINT64_MAX when none is left. */
uint64_t fault_plan_next_change(const struct fault_plan *plan, uint64_t wall_ns);

/* When its last fault is over; its begin when it has none; 0 for NULL. */
uint64_t fault_plan_end(const struct fault_plan *plan);

#endif
