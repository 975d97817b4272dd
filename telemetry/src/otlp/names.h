/*
 * What the machine's files say of names: /etc/hosts, and of /etc/resolv.conf the search list. The
 * nameservers and their options are evdns' to read.
 *
 * How it works: each lookup reads the files anew, since both change under a running program (a
 * cluster rewrites them, a laptop moves) and a lookup is made but once a connection.
 *
 * Why not evdns for these too: it reads hosts once, searches for IPv4 and IPv6 apart, so that a
 * name may get addresses of two different hosts, and takes `name.` for one that may be completed.
 *
 * Threads: pure, but for the files. Memory: the caller's structs. Failure: a file that cannot be
 * read says nothing.
 * Source: hosts(5), resolv.conf(5).
 */
#ifndef TEL_OTLP_NAMES_H
#define TEL_OTLP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "otlp/addresses.h"

#define TEL__NAME_MAX   253 /* bytes of a name */
#define TEL__SEARCH_MAX 16  /* domains that are looked at; Kubernetes allows 32, people use 6 */
#define TEL__NDOTS_MAX  15  /* as in glibc */
#define TEL__CONF_LINE  2048
#define TEL__CONF_LINES 65536 /* of a file; what follows is not read */

struct tel__search {
    size_t count;
    char domains[TEL__SEARCH_MAX][TEL__NAME_MAX + 1];
    unsigned ndots; /* a name with this many dots is tried as it is first */
};

/* Finds the addresses that a hosts file gives for a name. Returns whether it gives any: then
 * nobody else is to be asked. */
bool tel__hosts_find(const char *path, const char *name, struct tel__addresses *addresses);

/* Reads `search`, `domain` and `options ndots:` of a resolv.conf; without one of the first two the
 * list is the domain of this machine's own name, if it has one. */
void tel__search_read(const char *path, struct tel__search *search);

/* The index-th name to be asked for `host`. False when there are no more of them; one that would be
 * too long is "". */
bool tel__search_name(const struct tel__search *search, const char *host, size_t index,
                      char name[TEL__NAME_MAX + 1]);

#endif
