/*
 * The addresses of a collector, and in which order they are tried.
 *
 * How it works: IPv6 first, then IPv4, each in the order the nameserver gave; and of both, what
 * failed not long ago last. A list has room for few, so IPv4 keeps half of it where a name has many
 * of both. Numeric text all along: that is what evhttp takes and what people read.
 *
 * Threads: pure, on the caller's structs. Memory: those.
 * Source: RFC 8305 and 6724 prefer IPv6; nothing here races, since one connection lasts long.
 */
#ifndef TEL_OTLP_ADDRESSES_H
#define TEL_OTLP_ADDRESSES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEL__ADDRESSES_MAX 8 /* of a host that are tried */

/* How long an address that failed is tried after the others. */
#define TEL__ADDRESS_AVOID_NS (30ull * 60 * 1000000000)

struct tel__addresses {
    size_t count;
    char text[TEL__ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

/* Those that failed, the latest at `next - 1`. All zero: none. */
struct tel__avoided {
    struct {
        char text[INET6_ADDRSTRLEN];
        uint64_t until_ns;
    } items[TEL__ADDRESSES_MAX];
    size_t next;
};

/* Whether `host` is an address rather than a name. */
bool tel__address_is_numeric(const char *host);

/* Adds an address if it is not there yet and there is room. */
void tel__addresses_add(struct tel__addresses *addresses, const char *text);

/* IPv6 before IPv4. */
void tel__addresses_join(struct tel__addresses *addresses, const struct tel__addresses *ipv6,
                         const struct tel__addresses *ipv4);

/* Notes that an address failed at monotonic time `now_ns`, or that it works after all. */
void tel__avoided_add(struct tel__avoided *avoided, const char *text, uint64_t now_ns);
void tel__avoided_remove(struct tel__avoided *avoided, const char *text);

/* Moves those that failed behind the others; the order within both stays. */
void tel__avoided_sort(const struct tel__avoided *avoided, struct tel__addresses *addresses,
                       uint64_t now_ns);

#endif
