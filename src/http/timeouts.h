/*
 * Deadlines of many connections at the price of one store each time one moves.
 *
 * How it works: a wheel of slots, a tick each; a timeout waits in the list of the slot in which it
 * is to be looked at. Moving a deadline to later only writes it down: the slot it waits in comes
 * first, is found too early then, and the timeout is put where it belongs. So a connection that
 * answers thousands of requests is moved once an idle period, not once a request, and no neighbour
 * in a list is touched (with 10,000 connections each neighbour is a cache miss). Only a deadline
 * that comes earlier moves its timeout at once, O(1).
 *
 *     slots   [..][..][..][a,b][..][c][..]       b's deadline moved on: it is put there when the
 *                  ^now     └──────────────^     wheel comes by
 *
 * libevent's common timeouts would do the same work for each event_add(): a list move, two clock
 * readings and a walk through the event's flags on every request. Measured beside this wheel:
 * src/http/README.md.
 *
 * Resolution: a timeout expires up to one tick (TIMEOUT_TICK_NS) late, never early.
 * Threads: none. Memory: intrusive, nothing is allocated. Failure: none.
 */
#ifndef GLASSBOX_HTTP_TIMEOUTS_H
#define GLASSBOX_HTTP_TIMEOUTS_H

#include <stdint.h>

#define TIMEOUT_TICK_NS 100000000ull
#define TIMEOUT_SLOTS   1024u /* a power of two; later deadlines go round again */
#define TIMEOUT_NEVER   UINT64_MAX

struct timeout {
    struct timeout *next; /* NULL: in no slot */
    struct timeout **link;
    uint64_t deadline_ns; /* monotonic */
    uint64_t tick;        /* at which its slot comes by */
};

struct timeouts {
    uint64_t tick; /* the last one looked at */
    struct timeout *slots[TIMEOUT_SLOTS];
};

/* Makes an empty wheel at `now_ns` (monotonic). */
void timeouts_init(struct timeouts *timeouts, uint64_t now_ns);

/* Tells an empty wheel what time it is, after a pause in which nobody called timeouts_expire. */
void timeouts_restart(struct timeouts *timeouts, uint64_t now_ns);

/* Makes a timeout that waits for nothing. */
void timeout_init(struct timeout *timeout);

/* Moves the deadline to `deadline_ns`, or to TIMEOUT_NEVER. */
void timeout_set(struct timeouts *timeouts, struct timeout *timeout, uint64_t deadline_ns);
/* Takes it out of its slot; it must be out before its memory goes. */
void timeout_clear(struct timeout *timeout);

/* Calls `expired` for each timeout whose deadline has come; it is in no slot then, and may be set
 * again or freed, as may any other. */
typedef void timeout_fn(struct timeout *timeout, void *argument);
void timeouts_expire(struct timeouts *timeouts, uint64_t now_ns, timeout_fn *expired,
                     void *argument);

#endif
