/*
 * An inbox: new connections on their way from the main thread to a worker.
 *
 * A bounded ring with one writer (main) and one reader (the worker); the eventfd that wakes the
 * worker belongs to the worker. While it is full the main thread leaves new connections with the
 * kernel.
 *
 * The worker looks at the first arrival, takes it in, and only then drops it: whoever adds what is in
 * the inbox to what the worker has, in this order, never counts too few.
 *
 * Threads: push by the main thread, peek, drop and pop by the worker, count by any.
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
/* The first, borrowed until it is dropped; NULL when it is empty. */
const struct arrival *inbox_peek(const struct inbox *inbox);
/* Drops the first. */
void inbox_drop(struct inbox *inbox);
/* Both, with a copy. Returns false when it is empty. */
bool inbox_pop(struct inbox *inbox, struct arrival *arrival);
size_t inbox_count(const struct inbox *inbox);

#endif
