/*
 * A burner: burns CPU time on a serving thread without keeping its loop from anything else.
 *
 * How it works: burns wait in a queue; each turn of the loop burns one slice of the first and puts
 * it at the end. So however many burns there are, the loop looks at its sockets after every slice.
 * What was burnt is what the thread's own CPU clock says: a preempted thread neither burns less nor
 * more.
 *
 * Threads: the loop's own, but for burner_burn().
 * Memory: burns are the caller's, from burner_add() until `done` is called or burner_remove().
 */
#ifndef GLASSBOX_BURNER_H
#define GLASSBOX_BURNER_H

#include <stdbool.h>
#include <stdint.h>

#define BURNER_SLICE_NS UINT64_C(1000000) /* of CPU time in one turn of the loop */

struct event;
struct event_base;

struct burn {
    uint64_t wanted_ns;              /* CPU time to burn; set by the caller */
    uint64_t done_ns;                /* burnt so far; the last slice may overshoot by some µs */
    void (*done)(struct burn *burn); /* called once wanted_ns are burnt; set by the caller */
    struct burn *next, **link;       /* in the queue; link is NULL outside */
};

struct burner {
    struct burn *first, **last;
    struct event *turn;
};

/* Burns at least `budget_ns` of the calling thread's CPU time, and some µs more at most; returns what
 * it took. Any thread. */
uint64_t burner_burn(uint64_t budget_ns);

/* Returns 0 or -ENOMEM; burner_fini() is fine after either. */
int burner_init(struct burner *burner, struct event_base *base);
void burner_fini(struct burner *burner);

/* Queues a burn. `done` is never called before this returns. */
void burner_add(struct burner *burner, struct burn *burn);

/* Takes a burn out whose `done` has not been called; one that was never added is fine, too, if its
 * link is NULL. */
void burner_remove(struct burner *burner, struct burn *burn);

#endif
