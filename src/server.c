/*
 * Invariant: a connection is counted where it is (in a worker's inbox or engine, or in the main
 * site's engine), so the limit needs no counter of its own that could drift.
 */
#include "server.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect.h"
#include "descriptors.h"
#include "diagnostics.h"
#include "faults/faults.h"
#include "listener.h"
#include "options.h"
#include "page/page.h"
#include "refuser.h"
#include "service.h"
#include "telemetry/clock.h"
#include "worker.h"

/* Until the handshakes that had begun have ended: a round trip nearby. */
#define LAST_HANDSHAKES_MS 5

struct server {
    struct service *service;
    struct event_base *base;
    struct site site; /* the main thread's: operators */
    bool has_site;
    struct refuser *refuser;
    struct descriptors shares;
    size_t listener_count;
    struct listener listeners[ADDRESS_LIST_MAX + 1]; /* the operators' one last */
    struct worker *workers[SERVICE_WORKERS_MAX];
};

/* ---- who gets a connection --------------------------------------------------------------------- */

static void count_refused(struct server *server, enum listener_label label, enum refusal reason)
{
    instruments_refused(server->service->instruments, service_main_shard(server->service), label,
                        reason);
}

static void refuse(struct server *server, int fd, enum listener_label label, enum refusal reason)
{
    count_refused(server, label, reason);
    refuser_refuse(server->refuser, fd);
    DIAGNOSTICS(TEL_WARN, "server", "refusing connections with 503",
                DIAGNOSTICS_TEXT("listener", listener_names[label]),
                DIAGNOSTICS_TEXT("reason", refusal_names[reason]));
}

static void accept_operators(struct server *server, const struct arrival *arrival)
{
    struct http_engine_stats stats;
    http_engine_get_stats(server->site.engine, &stats);
    if (stats.connections >= server->shares.operators) {
        refuse(server, arrival->fd, LISTENER_OPERATORS, REFUSED_LIMIT);
        return;
    }
    if (http_engine_adopt(server->site.engine, arrival->fd, &arrival->peer.any,
                          arrival->listener) != 0) {
        count_refused(server, LISTENER_OPERATORS, REFUSED_MEMORY);
        return;
    }
    instruments_accepted(server->service->instruments, service_main_shard(server->service),
                         LISTENER_OPERATORS);
}

/* The worker with the fewest connections; *connections: those of all. */
static struct worker *find_worker(const struct server *server, uint64_t *connections)
{
    struct worker *fewest = NULL;
    uint64_t fewest_connections = UINT64_MAX;
    *connections = 0;
    for (size_t i = 0; i < server->service->worker_count; i++) {
        uint64_t own = worker_connections(server->workers[i]);
        *connections += own;
        if (own < fewest_connections) {
            fewest_connections = own;
            fewest = server->workers[i];
        }
    }
    return fewest;
}

/* A burst may come faster than a worker adopts: what has no room yet waits with the kernel. */
static bool on_has_room(struct listener *listener, void *argument)
{
    uint64_t connections;
    return listener->label == LISTENER_OPERATORS ||
           worker_has_room(find_worker(argument, &connections));
}

static void accept_public(struct server *server, const struct arrival *arrival)
{
    uint64_t connections;
    struct worker *fewest = find_worker(server, &connections);
    if (connections >= server->shares.connections) {
        refuse(server, arrival->fd, LISTENER_PUBLIC, REFUSED_LIMIT);
    } else if (!worker_give(fewest, arrival)) {
        refuse(server, arrival->fd, LISTENER_PUBLIC, REFUSED_HANDOVER);
    } else {
        instruments_accepted(server->service->instruments, service_main_shard(server->service),
                             LISTENER_PUBLIC);
    }
}

static void on_accepted(struct listener *listener, const struct arrival *arrival, void *argument)
{
    if (listener->label == LISTENER_OPERATORS) {
        accept_operators(argument, arrival);
    } else {
        accept_public(argument, arrival);
    }
}

static void on_accept_failed(struct listener *listener, enum accept_error reason, int error,
                             bool answered, void *argument)
{
    struct server *server = argument;
    char text[ADDRESS_TEXT_MAX];
    instruments_accept_failed(server->service->instruments, service_main_shard(server->service),
                              reason);
    if (answered) {
        count_refused(server, listener->label, REFUSED_DESCRIPTORS);
    }
    DIAGNOSTICS(TEL_WARN, "server", "cannot accept: pausing for a moment",
                DIAGNOSTICS_TEXT("address", address_format(&listener->bound.any, text)),
                DIAGNOSTICS_TEXT("error", strerror(error)));
}

/* ---- setup ------------------------------------------------------------------------------------- */

/* Says which part there was not enough for; returns `error`. */
static int cannot_start(const char *part, int error)
{
    DIAGNOSTICS(TEL_ERROR, "server", "cannot start", DIAGNOSTICS_TEXT("part", part),
                DIAGNOSTICS_TEXT("error", strerror(-error)));
    return error;
}

static int open_listener(struct server *server, const struct address *address,
                         enum listener_label label)
{
    const struct listener_calls calls = {.has_room = on_has_room,
                                         .accepted = on_accepted,
                                         .failed = on_accept_failed,
                                         .argument = server};
    struct listener *listener = &server->listeners[server->listener_count];
    char text[ADDRESS_TEXT_MAX];
    int error = listener_open(listener, address, label, server->base, &calls);
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "server", "cannot listen",
                    DIAGNOSTICS_TEXT("address", address_format(&address->any, text)),
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
        return error;
    }
    server->listener_count++;
    return 0;
}

static int open_listeners(struct server *server)
{
    const struct options *options = server->service->options;
    for (size_t i = 0; i < options->listen.count; i++) {
        int error = open_listener(server, &options->listen.items[i], LISTENER_PUBLIC);
        if (error != 0) {
            return error;
        }
    }
    return options->admin_listen.length == 0
               ? 0
               : open_listener(server, &options->admin_listen, LISTENER_OPERATORS);
}

static int start_workers(struct server *server)
{
    const struct service *service = server->service;
    enum side side = service->options->admin_listen.length > 0 ? SIDE_PUBLIC : SIDE_BOTH;
    for (size_t i = 0; i < service->worker_count; i++) {
        server->workers[i] = worker_create(server->service, i, side);
        if (server->workers[i] == NULL) {
            return cannot_start("worker", -errno);
        }
    }
    return 0;
}

static int start_listeners(struct server *server)
{
    char text[ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < server->listener_count; i++) {
        struct listener *listener = &server->listeners[i];
        int error = listener_start(listener);
        if (error != 0) {
            return cannot_start("listener", error);
        }
        DIAGNOSTICS(TEL_INFO_LEVEL, "server", "listening",
                    DIAGNOSTICS_TEXT("address", address_format(&listener->bound.any, text)),
                    DIAGNOSTICS_TEXT("for", listener_names[listener->label]));
    }
    return 0;
}

struct server *server_create(struct service *service, struct event_base *base)
{
    struct server *server = aligned_alloc(64, (sizeof(*server) + 63) / 64 * 64);
    if (server == NULL) {
        cannot_start("server", -ENOMEM);
        return NULL;
    }
    memset(server, 0, sizeof(*server));
    server->service = service;
    server->base = base;
    int error = open_listeners(server);
    if (error != 0) {
        server_destroy(server);
        errno = -error;
        return NULL;
    }
    return server;
}

/* Last, when all that is no connection is open. */
static int share_descriptors(struct server *server)
{
    int error = descriptors_share(server->service, &server->shares);
    if (error == 0) {
        server->refuser = refuser_create(server->base, server->shares.refused);
        error = server->refuser == NULL ? cannot_start("refuser", -ENOMEM) : 0;
    }
    return error;
}

static void on_main_tick(struct site *site)
{
    faults_look(site->service->faults);
}

int server_start(struct server *server)
{
    int error = site_init(&server->site, server->service, service_main_shard(server->service),
                          SIDE_OPERATORS, server->base);
    server->has_site = true;
    server->site.ticked = on_main_tick;
    if (error != 0) {
        return cannot_start("main thread", error);
    }
    error = start_workers(server);
    if (error == 0) {
        error = share_descriptors(server);
    }
    return error != 0 ? error : start_listeners(server);
}

/* ---- the end ----------------------------------------------------------------------------------- */

/* Calls `step` for every public listener. */
static void each_public(struct server *server, void (*step)(struct listener *listener))
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].label == LISTENER_PUBLIC) {
            step(&server->listeners[i]);
        }
    }
}

/* Calls `step` for every worker there is. */
static void each_worker(struct server *server, void (*step)(struct worker *worker))
{
    for (size_t i = 0; i < SERVICE_WORKERS_MAX; i++) {
        if (server->workers[i] != NULL) {
            step(server->workers[i]);
        }
    }
}

void server_leave(struct server *server)
{
    if (server->service->page != NULL) {
        page_look(&server->site);
    }
    each_worker(server, worker_leave);
}

void server_drain(struct server *server)
{
    const struct timespec handshakes = {.tv_nsec = LAST_HANDSHAKES_MS * TEL_NS_PER_MS};
    each_public(server, listener_turn_away);
    nanosleep(&handshakes, NULL);
    each_public(server, listener_accept_last);
    each_public(server, listener_close);
    each_worker(server, worker_drain);
}

bool server_is_idle(const struct server *server)
{
    return server_connections(server, LISTENER_PUBLIC) == 0;
}

void server_stop(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        listener_close(&server->listeners[i]);
    }
    /* A worker that still runs may be looking at another for a scrape or a probe. */
    each_worker(server, worker_stop);
    each_worker(server, worker_join);
    each_worker(server, worker_destroy);
    memset(server->workers, 0, sizeof(server->workers));
    if (server->has_site) {
        site_fini(&server->site);
        server->has_site = false;
    }
}

void server_destroy(struct server *server)
{
    if (server == NULL) {
        return;
    }
    server_stop(server);
    refuser_destroy(server->refuser);
    free(server);
}

/* ---- for metrics and probes -------------------------------------------------------------------- */

static const struct site *site_of(const struct server *server, size_t shard)
{
    return shard < server->service->worker_count ? worker_site(server->workers[shard])
                                                 : &server->site;
}

uint64_t server_connections(const struct server *server, enum listener_label label)
{
    uint64_t connections = 0;
    if (label == LISTENER_OPERATORS) {
        struct http_engine_stats stats;
        http_engine_get_stats(server->site.engine, &stats);
        return stats.connections;
    }
    for (size_t i = 0; i < server->service->worker_count; i++) {
        connections += worker_connections(server->workers[i]);
    }
    return connections;
}

size_t server_connections_limit(const struct server *server)
{
    return server->shares.connections;
}

void server_get_stats(const struct server *server, struct http_engine_stats *stats)
{
    *stats = (struct http_engine_stats){0};
    for (size_t shard = 0; shard <= service_main_shard(server->service); shard++) {
        struct http_engine_stats own;
        http_engine_get_stats(site_of(server, shard)->engine, &own);
        stats->connections += own.connections;
        stats->exchanges += own.exchanges;
        stats->idle_closed += own.idle_closed;
        stats->without_request += own.without_request;
        stats->drained += own.drained;
        stats->lost += own.lost;
    }
}

uint64_t server_thread_cpu_ns(const struct server *server, size_t shard)
{
    return site_cpu_ns(site_of(server, shard));
}

const char *server_stuck_thread(const struct server *server)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    for (size_t shard = 0; shard <= service_main_shard(server->service); shard++) {
        const struct site *site = site_of(server, shard);
        uint64_t turned_ns = atomic_load_explicit(&site->heartbeat_ns, memory_order_relaxed);
        if (now_ns > turned_ns && now_ns - turned_ns > SERVER_STUCK_NS) {
            return service_thread_label(server->service, shard);
        }
    }
    return NULL;
}
