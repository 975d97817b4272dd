/*
 * Socket addresses as people write them: `127.0.0.1:8080`, `[::1]:8080`, `[fe80::1%eth0]:8080`,
 * and `:8080` or `*:8080` for every address of the host.
 *
 * Names are not resolved: what a service listens on must not depend on a resolver.
 *
 * Threads: any; nothing is shared.
 * Failure: parse returns -EINVAL and leaves the result alone.
 */
#ifndef GLASSBOX_ADDRESS_H
#define GLASSBOX_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* `[`, an IPv6 address with a scope, `]:65535`, NUL. */
#define ADDRESS_TEXT_MAX 80
#define ADDRESS_LIST_MAX 16

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t length;  /* bytes of the union in use; 0: no address */
    bool every_family; /* no host was given: [::] with IPV6_V6ONLY off, 0.0.0.0 without IPv6 */
};

struct address_list {
    struct address items[ADDRESS_LIST_MAX];
    size_t count;
};

/* Reads HOST:PORT of `length` bytes. The port is 0 to 65535; 0 lets the kernel choose. Returns 0 or
 * -EINVAL. */
int address_parse(const char *text, size_t length, struct address *address);

/* Writes the address as parse reads it, NUL-terminated, and returns `out`. An IPv4-mapped address is
 * written as IPv4; a family that is neither is `unknown`. */
char *address_format(const struct sockaddr *address, char out[ADDRESS_TEXT_MAX]);

#endif
