/*
 * An inbox: new connections on their way from the main thread to a worker.
 *
 * A bounded ring with one writer (main) and one reader (the worker); the eventfd that wakes the
 * worker belongs to the worker. While it is full the main thread leaves new connections with the
 * kernel.
 *
 * Threads: push by the main thread, pop by the worker, counts by any.
 */
#ifndef GLASSBOX_INBOX_H
#define GLASSBOX_INBOX_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define INBOX_SLOTS 1024 /* a power of two */

/* A connected, non-blocking socket and where it came from. */
struct arrival {
    int fd;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    const struct sockaddr *listener; /* borrowed; outlives the connection */
};

struct inbox {
    _Alignas(64) _Atomic size_t pushed;
    _Alignas(64) _Atomic size_t popped;
    struct arrival slots[INBOX_SLOTS];
};

/* Returns false when it is full; the arrival is then still the caller's. */
bool inbox_push(struct inbox *inbox, const struct arrival *arrival);
/* Takes the first. Returns false when it is empty. */
bool inbox_pop(struct inbox *inbox, struct arrival *arrival);
/* Arrivals waiting now, and pushed ever: less what the worker closed since, the latter is what it
 * has or is about to get, with no moment in which an arrival is in both or in neither. */
size_t inbox_count(const struct inbox *inbox);
size_t inbox_pushed(const struct inbox *inbox);

#endif
