/*
 * Lifecycle: starting -> ready -> draining -> stopped, and the signals that drive it.
 *
 *     starting ──listening──> ready ──SIGTERM/SIGINT──> delay ──> drain ──> stopped
 *                                      not ready from here on     │
 *                                                  accepting ends ┘
 *
 * The drain delay keeps serving while load balancers take note; each response is its connection's
 * last from then on, so that clients have gone by themselves before what is idle is closed. Then what
 * the kernel has queued is accepted, the public listeners and idle connections close, and the loop
 * waits for what is in flight up to the drain timeout. The operators' listener answers all that time.
 * The flush of spans and log comes after the loop, last of all (main.c). A second SIGTERM or SIGINT
 * ends the process at once; SIGHUP reopens the access log.
 *
 * Threads: the main thread, but for lifecycle_is_ready(), _get_state() and _state_name(): any.
 */
#ifndef GLASSBOX_LIFECYCLE_H
#define GLASSBOX_LIFECYCLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;
struct service;

enum lifecycle_state { LIFE_STARTING, LIFE_READY, LIFE_DRAINING, LIFE_STOPPED };

struct lifecycle {
    _Atomic int state; /* enum lifecycle_state */
    struct service *service;
    struct event_base *base;
    struct event *on_terminate;
    struct event *on_interrupt;
    struct event *on_hangup;
    struct event *timer;     /* drain delay, then the poll of what is in flight */
    uint64_t drain_until_ns; /* monotonic; 0 while the delay runs */
};

/* Registers the signal events. Returns 0 or a negative errno. */
int lifecycle_init(struct lifecycle *lifecycle, struct service *service, struct event_base *base);
void lifecycle_fini(struct lifecycle *lifecycle);

/* From starting to ready: everything listens. */
void lifecycle_set_ready(struct lifecycle *lifecycle);

/* Whether traffic is welcome, as far as the state and the faults in force go: what /readyz says. */
bool lifecycle_is_ready(const struct lifecycle *lifecycle);
enum lifecycle_state lifecycle_get_state(const struct lifecycle *lifecycle);
/* "starting", "ready", "draining", "stopped". */
const char *lifecycle_state_name(enum lifecycle_state state);

#endif
