/*
 * A lookup is a struct of its own with an evdns base of its own, which knows the nameservers for as
 * long as it lives:
 *
 *     start ─> hosts? ─no─> a name of the search list ─> AAAA and A at once ─> found
 *                                 ^────── no such name, no address ──┘ └─any other error─> failed
 *
 * Both families are asked for the same name before the next one is tried: evdns_getaddrinfo()
 * searches for each apart, and puts IPv4 first. When one answer is there the other gets WAIT_MS.
 *
 * evdns' ways, and what is done about them:
 * - It calls back for what was given up too, later, from the loop. So the base is freed with
 *   `fail_requests`, which calls back for everything still open, and the last of these calls frees
 *   the lookup.
 * - It asks a nameserver that failed, from time to time and on its own, for `google.com`. No such
 *   probe is due before an hour, and the base does not live that long.
 * - To SERVFAIL it answers with a timeout, though at once: so that is how it is told apart.
 * - Only UDP, and no answer over 512 bytes (about 28 addresses): a longer one is an error, and its
 *   reason says so.
 */
#include "otlp/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "otlp/names.h"
#include "telemetry/clock.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS       "/etc/hosts"
#define WAIT_MS     1000 /* of one family for the other */
#define AT_ONCE_MS  900  /* no nameserver's time is over so soon */
#define DRAIN_TURNS 64   /* of the loop at the end; evdns needs two or three */

enum { IPV6, IPV4, FAMILIES };

struct query {
    struct lookup *lookup;
    struct tel__addresses addresses;
    int error; /* of evdns */
    bool open; /* its callback is still to come */
};

struct lookup {
    struct tel__resolver *resolver;
    struct evdns_base *evdns; /* NULL: over, and waiting for the last callback */
    struct query queries[FAMILIES];
    struct tel__search search;
    size_t index; /* of the name being asked */
    uint64_t asked_ns;
    const char *reason; /* why a name before this one gave nothing, when that counts more */
    char host[TEL__NAME_MAX + 1];
};

struct tel__resolver {
    struct event_base *base;
    struct evdns_base *evdns; /* for evhttp */
    struct event *patience;   /* with the slower family */
    struct tel__resolver_files files;
    tel__resolver_fn *found;
    void *argument;
    struct lookup *lookup; /* the one under way, or NULL */
    size_t unanswered;     /* callbacks that evdns still has to make */
};

static void ask(struct lookup *lookup);

/* ---- the end of a lookup ------------------------------------------------------------------- */

static void free_when_answered(struct lookup *lookup)
{
    if (lookup->evdns == NULL && !lookup->queries[IPV6].open && !lookup->queries[IPV4].open) {
        free(lookup);
    }
}

static void end(struct lookup *lookup)
{
    struct evdns_base *evdns = lookup->evdns;
    event_del(lookup->resolver->patience);
    lookup->resolver->lookup = NULL;
    lookup->evdns = NULL;
    evdns_base_free(evdns, 1);
    free_when_answered(lookup);
}

static void finish(struct lookup *lookup, const struct tel__addresses *addresses,
                   const char *reason)
{
    struct tel__resolver *resolver = lookup->resolver;
    end(lookup);
    resolver->found(addresses, addresses->count > 0 ? NULL : reason, resolver->argument);
}

/* ---- answers ------------------------------------------------------------------------------- */

static bool is_no_such_name(int error)
{
    return error == DNS_ERR_NOTEXIST || error == DNS_ERR_NODATA;
}

/* SERVFAIL may be one domain's fault, so the others are tried, as glibc does. */
static bool is_of_this_name(int error)
{
    return is_no_such_name(error) || error == DNS_ERR_SERVERFAILED;
}

static const char *describe(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {DNS_ERR_NOTEXIST, "the name does not exist"},
        {DNS_ERR_NODATA, "the name has no address"},
        {DNS_ERR_SERVERFAILED, "the nameserver failed to find out (SERVFAIL)"},
        {DNS_ERR_REFUSED, "the nameserver refuses to answer"},
        {DNS_ERR_NOTIMPL, "the nameserver does not understand the question"},
        {DNS_ERR_TIMEOUT, "no nameserver answers"},
        {DNS_ERR_TRUNCATED, "the nameserver's answer does not fit into 512 bytes, and only UDP is "
                            "spoken"},
        {DNS_ERR_FORMAT, "the name cannot be asked for"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].error == error) {
            return texts[i].text;
        }
    }
    return "the nameserver's answer is malformed";
}

/* Which error of the two says more: one that is not about the name first, then that it exists. */
static int worse(int a, int b)
{
    if (is_of_this_name(a) != is_of_this_name(b)) {
        return is_of_this_name(a) ? b : a;
    }
    if (is_no_such_name(a) != is_no_such_name(b)) {
        return is_no_such_name(a) ? b : a;
    }
    return a == DNS_ERR_NOTEXIST ? b : a;
}

static void keep(struct tel__addresses *addresses, int family, int count, const void *bytes)
{
    size_t size = family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
    for (int i = 0; i < count; i++) {
        char text[INET6_ADDRSTRLEN];
        if (inet_ntop(family, (const char *)bytes + (size_t)i * size, text, sizeof(text)) != NULL) {
            tel__addresses_add(addresses, text);
        }
    }
}

/* Both families have answered, or one has and the other is too slow. */
static void conclude(struct lookup *lookup)
{
    const struct query *queries = lookup->queries;
    struct tel__addresses addresses;
    tel__addresses_join(&addresses, &queries[IPV6].addresses, &queries[IPV4].addresses);
    if (addresses.count > 0) {
        finish(lookup, &addresses, NULL);
        return;
    }
    int error = worse(queries[IPV6].error, queries[IPV4].error);
    if (!is_of_this_name(error)) {
        finish(lookup, &addresses, describe(error));
        return;
    }
    if (lookup->reason == NULL || !is_no_such_name(error)) {
        lookup->reason = describe(error);
    }
    lookup->index++;
    ask(lookup);
}

static void on_patience_over(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__resolver *resolver = argument;
    if (resolver->lookup != NULL) {
        conclude(resolver->lookup);
    }
}

static void on_answer(int result, char type, int count, int ttl, void *addresses, void *argument)
{
    (void)ttl;
    struct query *query = argument;
    struct lookup *lookup = query->lookup;
    query->open = false;
    lookup->resolver->unanswered--;
    if (lookup->evdns == NULL) {
        free_when_answered(lookup);
        return;
    }
    query->error = result == DNS_ERR_NONE ? DNS_ERR_NODATA : result;
    if (result == DNS_ERR_NONE) {
        keep(&query->addresses, type == DNS_IPv6_AAAA ? AF_INET6 : AF_INET, count, addresses);
    } else if (result == DNS_ERR_TIMEOUT &&
               tel_clock_monotonic_ns() - lookup->asked_ns < AT_ONCE_MS * TEL_NS_PER_MS) {
        query->error = DNS_ERR_SERVERFAILED;
    }
    if (!lookup->queries[IPV6].open && !lookup->queries[IPV4].open) {
        conclude(lookup);
    } else if (query->addresses.count > 0) {
        event_add(lookup->resolver->patience,
                  &(struct timeval){.tv_sec = WAIT_MS / 1000, .tv_usec = WAIT_MS % 1000 * 1000});
    }
}

/* ---- questions ----------------------------------------------------------------------------- */

/* Asks for both families of a name. False when it could not be asked for any. */
static bool ask_for(struct lookup *lookup, const char *name)
{
    static struct evdns_request *(*const askers[])(struct evdns_base *, const char *, int,
                                                   evdns_callback_type, void *) = {
        [IPV6] = evdns_base_resolve_ipv6, [IPV4] = evdns_base_resolve_ipv4};
    lookup->asked_ns = tel_clock_monotonic_ns();
    for (int i = 0; i < FAMILIES; i++) {
        struct query *query = &lookup->queries[i];
        *query = (struct query){.lookup = lookup, .error = DNS_ERR_FORMAT};
        query->open = askers[i](lookup->evdns, name, DNS_QUERY_NO_SEARCH, on_answer, query) != NULL;
        lookup->resolver->unanswered += query->open;
    }
    return lookup->queries[IPV6].open || lookup->queries[IPV4].open;
}

/* Goes on with the next name that can be asked for. */
static void ask(struct lookup *lookup)
{
    char name[TEL__NAME_MAX + 1];
    event_del(lookup->resolver->patience);
    for (; tel__search_name(&lookup->search, lookup->host, lookup->index, name); lookup->index++) {
        if (name[0] != '\0' && ask_for(lookup, name)) {
            return;
        }
    }
    finish(lookup, &(struct tel__addresses){0},
           lookup->reason != NULL ? lookup->reason : describe(DNS_ERR_FORMAT));
}

/* An evdns base that knows the nameservers. */
static struct evdns_base *make_evdns(const struct tel__resolver *resolver, const char *resolv_conf)
{
    struct evdns_base *evdns = evdns_base_new(resolver->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (evdns != NULL) {
        evdns_base_set_option(evdns, "timeout:", "2"); /* unless the file says otherwise */
        evdns_base_resolv_conf_parse(evdns, DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, resolv_conf);
        evdns_base_set_option(evdns, "initial-probe-timeout:", "3600");
    }
    return evdns;
}

static void look_up(struct tel__resolver *resolver, const char *host)
{
    const char *resolv_conf =
        resolver->files.resolv_conf != NULL ? resolver->files.resolv_conf : RESOLV_CONF;
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    struct evdns_base *evdns = lookup != NULL ? make_evdns(resolver, resolv_conf) : NULL;
    if (evdns == NULL) {
        free(lookup);
        resolver->found(&(struct tel__addresses){0}, "no memory for a lookup", resolver->argument);
        return;
    }
    lookup->resolver = resolver;
    lookup->evdns = evdns;
    snprintf(lookup->host, sizeof(lookup->host), "%s", host);
    tel__search_read(resolv_conf, &lookup->search);
    resolver->lookup = lookup;
    ask(lookup);
}

static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t length = strlen(host);
    length -= length > 0 && host[length - 1] == '.';
    size_t before = length - strlen(name); /* bytes, when it is that long */
    return length >= strlen(name) && strncasecmp(host + before, name, strlen(name)) == 0 &&
           (before == 0 || host[before - 1] == '.');
}

/* ---- public -------------------------------------------------------------------------------- */

struct tel__resolver *tel__resolver_create(struct event_base *base,
                                           const struct tel__resolver_files *files,
                                           tel__resolver_fn *found, void *argument)
{
    struct tel__resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL) {
        return NULL;
    }
    resolver->base = base;
    resolver->files = files != NULL ? *files : (struct tel__resolver_files){0};
    resolver->found = found;
    resolver->argument = argument;
    resolver->evdns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    resolver->patience = evtimer_new(base, on_patience_over, resolver);
    if (resolver->evdns == NULL || resolver->patience == NULL) {
        tel__resolver_destroy(resolver);
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
    if (resolver->evdns != NULL) {
        evdns_base_free(resolver->evdns, 0);
    }
    if (resolver->patience != NULL) {
        event_free(resolver->patience);
    }
    free(resolver);
}

void tel__resolver_start(struct tel__resolver *resolver, const char *host)
{
    const char *hosts = resolver->files.hosts != NULL ? resolver->files.hosts : HOSTS;
    struct tel__addresses addresses = {0};
    if (tel__address_is_numeric(host)) {
        tel__addresses_add(&addresses, host);
    } else if (is_localhost(host)) {
        tel__addresses_add(&addresses, "::1");
        tel__addresses_add(&addresses, "127.0.0.1");
    } else if (!tel__hosts_find(hosts, host, &addresses)) {
        look_up(resolver, host);
        return;
    }
    resolver->found(&addresses, NULL, resolver->argument);
}

void tel__resolver_cancel(struct tel__resolver *resolver)
{
    if (resolver->lookup != NULL) {
        end(resolver->lookup);
    }
}

struct evdns_base *tel__resolver_evdns(struct tel__resolver *resolver)
{
    return resolver->evdns;
}
