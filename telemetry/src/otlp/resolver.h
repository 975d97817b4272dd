/*
 * Host names to addresses, without ever blocking the exporter's loop.
 *
 * How it works: an address is its own answer. `localhost` and what ends in `.localhost` are ::1 and
 * 127.0.0.1 (RFC 6761 6.3), so that they work without resolver or hosts file. What /etc/hosts knows
 * is asked of nobody else (names.h). Everything else goes to evdns, which speaks to the nameservers
 * of /etc/resolv.conf itself: glibc's getaddrinfo(3) would block and, in a static program, needs
 * the C library's files at run time. IPv6 comes before IPv4 (addresses.h).
 *
 * Nothing is kept from one lookup to the next: files and nameservers are asked anew, so what they
 * say now counts, and no time to live has to be looked after.
 *
 * Threads: one owner, on its event loop. Memory: one lookup at a time.
 * Failure: found is called with count 0 and a reason.
 */
#ifndef TEL_OTLP_RESOLVER_H
#define TEL_OTLP_RESOLVER_H

#include "otlp/addresses.h"

struct event_base;
struct evdns_base;
struct tel__resolver;

/* Called once a lookup, perhaps from within tel__resolver_start(). `reason` is static, NULL when
 * something was found. */
typedef void tel__resolver_fn(const struct tel__addresses *addresses, const char *reason,
                              void *argument);

/* Borrowed files; NULL: those of the machine. */
struct tel__resolver_files {
    const char *resolv_conf;
    const char *hosts;
};

/* NULL with errno ENOMEM. */
struct tel__resolver *tel__resolver_create(struct event_base *base,
                                           const struct tel__resolver_files *files,
                                           tel__resolver_fn *found, void *argument);

/* Frees it. A lookup under way is given up without a call; the loop is turned until evdns has let
 * go of it. */
void tel__resolver_destroy(struct tel__resolver *resolver);

/* Looks `host` up; none may be under way. */
void tel__resolver_start(struct tel__resolver *resolver, const char *host);

/* Gives up the lookup under way, if any: found is not called for it. */
void tel__resolver_cancel(struct tel__resolver *resolver);

/* For evhttp, which must be told to resolve even an address through evdns: NULL would mean
 * getaddrinfo(3). It knows no nameserver. */
struct evdns_base *tel__resolver_evdns(struct tel__resolver *resolver);

#endif
