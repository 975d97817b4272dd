/*
 * evdns answers a lookup that was cancelled nevertheless, later, and until then its base must stay:
 * so a cancelled lookup only forgets whom it was for, and the names count what is unanswered.
 */
#include "names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

#define DRAIN_TURNS 64 /* of the loop at the end; evdns needs two or three */

struct names {
    struct event_base *base;
    struct evdns_base *evdns;
    bool configured; /* nameservers are known: read when the first name is asked for */
    size_t unanswered;
};

struct lookup {
    struct names *names;
    names_found_fn *found; /* NULL: cancelled */
    void *argument;
    struct evdns_getaddrinfo_request *request; /* NULL while evdns_getaddrinfo() is running */
};

struct names *names_create(struct event_base *base)
{
    struct names *names = calloc(1, sizeof(*names));
    if (names == NULL) {
        return NULL;
    }
    names->base = base;
    names->evdns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (names->evdns == NULL) {
        free(names);
        errno = ENOMEM;
        return NULL;
    }
    return names;
}

void names_destroy(struct names *names)
{
    if (names == NULL) {
        return;
    }
    for (int i = 0; i < DRAIN_TURNS && names->unanswered > 0; i++) {
        event_base_loop(names->base, EVLOOP_NONBLOCK);
    }
    evdns_base_free(names->evdns, 0);
    free(names);
}

struct evdns_base *names_evdns(struct names *names)
{
    return names->evdns;
}

static void add(struct addresses *addresses, int family, const void *address)
{
    if (addresses->count < NAMES_ADDRESSES_MAX &&
        inet_ntop(family, address, addresses->text[addresses->count], INET6_ADDRSTRLEN) != NULL) {
        addresses->count++;
    }
}

static void on_answer(int result, struct evutil_addrinfo *list, void *argument)
{
    struct lookup *lookup = argument;
    struct addresses addresses = {0};
    for (const struct evutil_addrinfo *at = list; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET) {
            add(&addresses, AF_INET, &((struct sockaddr_in *)(void *)at->ai_addr)->sin_addr);
        } else if (at->ai_family == AF_INET6) {
            add(&addresses, AF_INET6, &((struct sockaddr_in6 *)(void *)at->ai_addr)->sin6_addr);
        }
    }
    if (list != NULL) {
        evutil_freeaddrinfo(list);
    }
    lookup->names->unanswered--;
    if (lookup->found != NULL) {
        lookup->found(&addresses,
                      result != 0 ? evutil_gai_strerror(result) : "the name has no address",
                      lookup->argument);
    }
    free(lookup);
}

/* What needs no resolver: `localhost`, and an address. */
static void add_known(struct addresses *addresses, const char *host)
{
    struct in6_addr address;
    if (strcasecmp(host, "localhost") == 0) {
        add(addresses, AF_INET6, &in6addr_loopback);
        add(addresses, AF_INET, &(struct in_addr){htonl(INADDR_LOOPBACK)});
    } else if (inet_pton(AF_INET, host, &address) == 1) {
        add(addresses, AF_INET, &address);
    } else if (inet_pton(AF_INET6, host, &address) == 1) {
        add(addresses, AF_INET6, &address);
    }
}

struct lookup *names_start(struct names *names, const char *host, names_found_fn *found,
                           void *argument)
{
    struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct addresses addresses = {0};
    add_known(&addresses, host);
    if (addresses.count > 0) {
        found(&addresses, "", argument);
        return NULL;
    }
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        found(&addresses, "no memory for a lookup", argument);
        return NULL;
    }
    if (!names->configured) {
        names->configured = true;
        /* Without the file evdns asks 127.0.0.1; a lookup then fails, and says so. */
        evdns_base_resolv_conf_parse(names->evdns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
    }
    *lookup = (struct lookup){.names = names, .found = found, .argument = argument};
    names->unanswered++;
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(names->evdns, host, NULL, &hints, on_answer, lookup);
    if (request == NULL) {
        return NULL; /* it was answered, and freed, within the call */
    }
    lookup->request = request;
    return lookup;
}

void names_cancel(struct lookup *lookup)
{
    if (lookup != NULL) {
        lookup->found = NULL;
        evdns_getaddrinfo_cancel(lookup->request);
    }
}
