/*
 * Names to addresses, by evdns and never by getaddrinfo(3): nothing blocks, and nothing of the host
 * is needed but /etc/resolv.conf and /etc/hosts. `localhost` needs neither (RFC 6761 6.3).
 *
 * Threads: the loop's. Memory: a small block a lookup under way.
 * Failure: no address, and the reason.
 */
#ifndef TESTSERVER_NAMES_H
#define TESTSERVER_NAMES_H

#include <netinet/in.h>
#include <stddef.h>

#define NAMES_ADDRESSES_MAX 8

struct event_base;
struct evdns_base;
struct lookup; /* one under way */
struct names;

struct addresses {
    size_t count;
    char text[NAMES_ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

/* NULL with errno ENOMEM. */
struct names *names_create(struct event_base *base);
/* Frees it; the loop may not be running, and is turned until evdns has let go of what was cancelled.
 * NULL is fine. */
void names_destroy(struct names *names);

/* For evhttp, which must be told to resolve even an address through evdns: NULL would mean
 * getaddrinfo(3). */
struct evdns_base *names_evdns(struct names *names);

/* Called once a lookup. `reason` is static, and only of use when there is no address. */
typedef void names_found_fn(const struct addresses *addresses, const char *reason, void *argument);

/* Begins a lookup. NULL: `found` was called already. */
struct lookup *names_start(struct names *names, const char *host, names_found_fn *found,
                           void *argument);
/* Gives it up: `found` is not called. NULL is fine. */
void names_cancel(struct lookup *lookup);

#endif
