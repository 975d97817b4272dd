/*
 * evdns answers a cancelled lookup too, later, from the loop; and until it has, its base must stay.
 * So a lookup is a small struct of its own, which evdns' answer frees: cancelling it only cuts it
 * off from the resolver, and destroying the resolver turns the loop until all are answered.
 *
 * The nameservers are read when the first name is asked for, and again after a name could not be
 * found: the machine may have moved to another network.
 */
#include "otlp/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define DRAIN_TURNS 64 /* of the loop at the end; evdns needs two or three */

struct lookup {
    struct tel__resolver *resolver;
    bool cancelled;
};

struct tel__resolver {
    struct event_base *base;
    struct evdns_base *evdns;
    const char *resolv_conf;
    tel__resolver_fn *found;
    void *argument;
    bool configured;       /* nameservers are known */
    bool stale;            /* and should be read again */
    struct lookup *lookup; /* the one under way, or NULL */
    struct evdns_getaddrinfo_request *request;
    size_t unanswered; /* lookups evdns still has, cancelled ones included */
};

struct tel__resolver *tel__resolver_create(struct event_base *base, const char *resolv_conf,
                                           tel__resolver_fn *found, void *argument)
{
    struct tel__resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL) {
        return NULL;
    }
    resolver->base = base;
    resolver->resolv_conf = resolv_conf != NULL ? resolv_conf : RESOLV_CONF;
    resolver->found = found;
    resolver->argument = argument;
    resolver->evdns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (resolver->evdns == NULL) {
        free(resolver);
        errno = ENOMEM;
        return NULL;
    }
    return resolver;
}

void tel__resolver_destroy(struct tel__resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    tel__resolver_cancel(resolver);
    for (int i = 0; i < DRAIN_TURNS && resolver->unanswered > 0; i++) {
        event_base_loop(resolver->base, EVLOOP_NONBLOCK);
    }
    evdns_base_free(resolver->evdns, 0);
    free(resolver);
}

struct evdns_base *tel__resolver_evdns(struct tel__resolver *resolver)
{
    return resolver->evdns;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void add_text(struct tel__addresses *addresses, const char *text)
{
    size_t length = strlen(text);
    if (addresses->count < TEL__ADDRESSES_MAX && length < sizeof(addresses->text[0])) {
        memcpy(addresses->text[addresses->count++], text, length + 1);
    }
}

static void add_addresses(struct tel__addresses *addresses, const struct evutil_addrinfo *info)
{
    for (; info != NULL; info = info->ai_next) {
        char text[INET6_ADDRSTRLEN];
        const void *address = NULL;
        if (info->ai_family == AF_INET) {
            address = &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
        } else if (info->ai_family == AF_INET6) {
            address = &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
        }
        if (address != NULL && inet_ntop(info->ai_family, address, text, sizeof(text)) != NULL) {
            add_text(addresses, text);
        }
    }
}

static void answer(int result, struct evutil_addrinfo *info, void *argument)
{
    struct lookup *lookup = argument;
    struct tel__resolver *resolver = lookup->resolver;
    bool cancelled = lookup->cancelled;
    struct tel__addresses addresses = {0};
    add_addresses(&addresses, info);
    if (info != NULL) {
        evutil_freeaddrinfo(info);
    }
    resolver->unanswered--;
    free(lookup);
    if (cancelled) {
        return;
    }
    resolver->lookup = NULL;
    resolver->request = NULL;
    resolver->stale = addresses.count == 0;
    resolver->found(&addresses,
                    addresses.count > 0 ? NULL
                    : result != 0       ? evutil_gai_strerror(result)
                                        : "the name has no address",
                    resolver->argument);
}

/* ---- questions ----------------------------------------------------------------------------- */

static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t length = strlen(host);
    size_t name_length = strlen(name);
    return length >= name_length && strcasecmp(host + length - name_length, name) == 0 &&
           (length == name_length || host[length - name_length - 1] == '.');
}

static bool is_numeric(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void read_nameservers(struct tel__resolver *resolver)
{
    int what = DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC;
    if (!resolver->configured) {
        what |= DNS_OPTION_HOSTSFILE; /* only once: reading it again would add it again */
    } else {
        evdns_base_clear_nameservers_and_suspend(resolver->evdns);
    }
    evdns_base_resolv_conf_parse(resolver->evdns, what, resolver->resolv_conf);
    if (resolver->configured) {
        evdns_base_resume(resolver->evdns);
    }
    resolver->configured = true;
    resolver->stale = false;
}

static void ask(struct tel__resolver *resolver, const char *host)
{
    struct evutil_addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        resolver->found(&(struct tel__addresses){0}, "no memory for a lookup", resolver->argument);
        return;
    }
    if (!resolver->configured || resolver->stale) {
        read_nameservers(resolver);
    }
    lookup->resolver = resolver;
    resolver->lookup = lookup;
    resolver->unanswered++;
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(resolver->evdns, host, NULL, &hints, answer, lookup);
    if (request != NULL) { /* else it has been answered already */
        resolver->request = request;
    }
}

void tel__resolver_start(struct tel__resolver *resolver, const char *host)
{
    struct tel__addresses addresses = {0};
    if (is_numeric(host)) {
        add_text(&addresses, host);
    } else if (is_localhost(host)) {
        add_text(&addresses, "::1");
        add_text(&addresses, "127.0.0.1");
    } else {
        ask(resolver, host);
        return;
    }
    resolver->found(&addresses, NULL, resolver->argument);
}

void tel__resolver_cancel(struct tel__resolver *resolver)
{
    if (resolver->lookup == NULL) {
        return;
    }
    resolver->lookup->cancelled = true;
    resolver->lookup = NULL;
    resolver->stale = true; /* who waited too long may have asked the wrong ones */
    evdns_getaddrinfo_cancel(resolver->request);
    resolver->request = NULL;
}
