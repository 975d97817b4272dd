/*
 * A worker: a thread, its event loop, and the connections it was given.
 *
 * How it works: the main thread puts connections into the inbox and orders into flags, then wakes
 * the loop through an eventfd; nothing else crosses between the two, and the loop's own structures
 * are never touched from outside (EVENT_BASE_FLAG_NOLOCK).
 *
 * Threads: create, give, leave, drain, stop, join, destroy by the main thread; worker_connections() by any.
 */
#ifndef GLASSBOX_WORKER_H
#define GLASSBOX_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "inbox.h"
#include "site.h"

struct worker;

/* Starts a worker's thread. NULL with errno. */
struct worker *worker_create(struct service *service, size_t shard, enum side side);

/* Whether worker_give() would take a connection. */
bool worker_has_room(const struct worker *worker);

/* Hands over a connection. Returns false when the inbox is full; it is then still the caller's. */
bool worker_give(struct worker *worker, const struct arrival *arrival);

/* From now on responses close their connections. It also looks at the state of the process now, and not
 * at its next tick. */
void worker_leave(struct worker *worker);

/* From now on idle ones are closed as well. */
void worker_drain(struct worker *worker);

/* Asks the loop to end. Returns at once: workers look at each other for metrics and probes, so all
 * are asked and waited for before the first is destroyed. */
void worker_stop(struct worker *worker);

/* Waits until the loop has ended. */
void worker_join(struct worker *worker);

/* Ends what is open as `shutdown` and frees the worker, whose loop has ended; NULL is fine. */
void worker_destroy(struct worker *worker);

/* Connections it has or is about to get. */
uint64_t worker_connections(const struct worker *worker);

/* The worker's site, for its clocks and its engine's counts. */
const struct site *worker_site(const struct worker *worker);

/* An event base as every serving thread uses it. NULL with errno: no memory, no descriptor, or no
 * epoll(7). */
struct event_base *worker_base_create(void);

#endif
