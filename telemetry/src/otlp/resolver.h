/*
 * Host names to addresses, without ever blocking the exporter's loop.
 *
 * How it works: an address is its own answer. `localhost` and what ends in `.localhost` are ::1 and
 * 127.0.0.1 (RFC 6761 6.3), so that they work without resolver or hosts file. Everything else goes
 * to evdns, which speaks to the nameservers of /etc/resolv.conf itself: glibc's getaddrinfo(3)
 * would block and, in a static program, needs the C library's files at run time.
 *
 * Threads: one owner, on its event loop. Memory: one lookup at a time.
 * Failure: found is called with count 0 and a reason.
 */
#ifndef TEL_OTLP_RESOLVER_H
#define TEL_OTLP_RESOLVER_H

#include <netinet/in.h>
#include <stddef.h>

#define TEL__ADDRESSES_MAX 8 /* addresses of a host that are tried */

struct event_base;
struct evdns_base;
struct tel__resolver;

struct tel__addresses {
    size_t count;
    char text[TEL__ADDRESSES_MAX][INET6_ADDRSTRLEN]; /* numeric */
};

/* Called once a lookup, perhaps from within tel__resolver_start(). `reason` is static, NULL when
 * something was found. */
typedef void tel__resolver_fn(const struct tel__addresses *addresses, const char *reason,
                              void *argument);

/* `resolv_conf` is where the nameservers stand; NULL: /etc/resolv.conf. Borrowed. NULL with errno
 * ENOMEM. */
struct tel__resolver *tel__resolver_create(struct event_base *base, const char *resolv_conf,
                                           tel__resolver_fn *found, void *argument);

/* Frees it. A lookup under way is given up without a call; the loop is turned until evdns has let
 * go of it. */
void tel__resolver_destroy(struct tel__resolver *resolver);

/* Looks `host` up; none may be under way. */
void tel__resolver_start(struct tel__resolver *resolver, const char *host);

/* Gives up the lookup under way, if any: found is not called for it. */
void tel__resolver_cancel(struct tel__resolver *resolver);

/* For evhttp, which must be told to resolve even an address through evdns: NULL would mean
 * getaddrinfo(3). */
struct evdns_base *tel__resolver_evdns(struct tel__resolver *resolver);

#endif
