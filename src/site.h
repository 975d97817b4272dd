/*
 * A site: one thread's place to serve from. What the exchanges of a thread share: its shard, the
 * side they came in on, its clock offset, its scratch memory.
 *
 * Threads: a site belongs to its thread; heartbeat_ns is read by any.
 * Memory: the scratch buffers grow to the largest response and stay.
 */
#ifndef GLASSBOX_SITE_H
#define GLASSBOX_SITE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "burner.h"
#include "faults/faults.h"
#include "http/http.h"
#include "router.h"
#include "telemetry/buffer.h"

struct event;
struct event_base;
struct service;

struct site {
    struct service *service;
    size_t shard;
    enum side side;
    struct event_base *base;
    struct http_engine *engine;
    struct http_service calls;      /* what the engine calls: exchange.c */
    char allow[ROUTER_ALLOW_BYTES]; /* methods that its side takes, of whatever route */
    struct event *tick;             /* heartbeat, loop lag, clock offset */
    int tick_fd;
    uint64_t tick_due_ns;
    uint64_t wall_offset_ns;           /* monotonic reading + this = wall time */
    struct burner burner;              /* of /demo/work */
    uint64_t random_state;             /* of /demo/random-error */
    struct tel_buffer body;            /* a response that is built */
    struct tel_buffer packed;          /* the same, compressed */
    pthread_t thread;                  /* whose CPU clock is the busy time */
    _Atomic uint64_t heartbeat_ns;     /* monotonic time of the last turn of the tick */
    void (*ticked)(struct site *site); /* called at each tick, or NULL */
    struct fault_view faults;          /* last, mostly untouched memory */
};

/* Makes engine and tick on `base`. Returns 0 or a negative errno; site_fini() cleans up after either.
 * Before the thread that serves starts, or on it. */
int site_init(struct site *site, struct service *service, size_t shard, enum side side,
              struct event_base *base);
/* Ends what is open (as `shutdown`) and frees everything; a second call does nothing. */
void site_fini(struct site *site);

/* CPU time of the site's thread in nanoseconds; any thread, while the site's thread runs. */
uint64_t site_cpu_ns(const struct site *site);

#endif
