/*
 * The loop never ends by itself: the eventfd stays registered. Orders are flags, so an order given
 * twice, or before the loop runs, is an order given once. A wake says that there is something to look
 * at; the tick looks as well, so that one that got lost (somebody who shares our descriptors has closed
 * the eventfd) costs a moment, not the end.
 */
#include "worker.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "diagnostics.h"
#include "instruments.h"
#include "page/page.h"
#include "service.h"
#include "thread.h"

struct worker {
    struct site site;
    struct inbox inbox;
    struct event_base *base;
    struct event *wake;
    int wake_fd;
    bool running;
    atomic_bool leaving;
    atomic_bool draining;
    atomic_bool stopping;
};

struct event_base *worker_base_create(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;
    errno = 0;
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
        /* epoll(7) or nothing: without a descriptor for it libevent would take poll(2), which sees
         * no client go away and costs what there are connections. */
        event_config_require_features(config,
                                      EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE);
        base = event_base_new_with_config(config);
        int error = errno;
        event_config_free(config);
        errno = error;
    }
    errno = errno != 0 ? errno : ENOMEM; /* libevent leaves the kernel's, or none */
    return base;
}

static void wake(struct worker *worker)
{
    const uint64_t one = 1;
    /* A full counter means that a wake is pending already. */
    if (write(worker->wake_fd, &one, sizeof(one)) < 0) {
        return;
    }
}

static void adopt(struct worker *worker, const struct arrival *arrival)
{
    const struct site *site = &worker->site;
    if (http_engine_adopt(site->engine, arrival->fd, &arrival->peer.any, arrival->listener) != 0) {
        instruments_refused(site->service->instruments, site->shard, LISTENER_PUBLIC,
                            REFUSED_MEMORY);
    }
}

/* Takes what was handed over and does what was ordered. */
static void look(struct site *site)
{
    struct worker *worker = (struct worker *)site; /* its first member */
    struct arrival arrival;
    while (inbox_pop(&worker->inbox, &arrival)) {
        adopt(worker, &arrival);
    }
    if (atomic_load(&worker->leaving)) {
        http_engine_leave(worker->site.engine);
    }
    if (atomic_load(&worker->draining)) {
        http_engine_drain(worker->site.engine);
    }
    if (site->service->page != NULL) {
        page_look(site);
    }
    if (atomic_load(&worker->stopping)) {
        event_base_loopbreak(worker->base);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct worker *worker = argument;
    uint64_t count;
    if (read((int)fd, &count, sizeof(count)) >= 0) {
        look(&worker->site);
    }
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    char name[16]; /* as ps and top show it */
    snprintf(name, sizeof(name), "worker %s",
             service_thread_label(worker->site.service, worker->site.shard));
    pthread_setname_np(pthread_self(), name);
    event_base_dispatch(worker->base);
    if (!atomic_load(&worker->stopping)) {
        DIAGNOSTICS(TEL_ERROR, "worker", "the event loop ended by itself",
                    DIAGNOSTICS_TEXT("thread", name));
    }
    return NULL;
}

/* Returns 0 or a negative errno. */
static int start_thread(struct worker *worker)
{
    pthread_t thread;
    int error = thread_start(&thread, run, worker);
    if (error == 0) {
        worker->site.thread = thread;
        worker->running = true;
    }
    return error;
}

struct worker *worker_create(struct service *service, size_t shard, enum side side)
{
    struct worker *worker = aligned_alloc(64, sizeof(*worker));
    if (worker == NULL) {
        return NULL;
    }
    *worker =
        (struct worker){.site = {.tick_fd = -1}, .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    worker->base = worker->wake_fd >= 0 ? worker_base_create() : NULL;
    int error = errno;
    if (worker->wake_fd < 0 || worker->base == NULL) {
        goto failed;
    }
    error = -site_init(&worker->site, service, shard, side, worker->base);
    if (error != 0) {
        goto failed;
    }
    worker->site.ticked = look;
    worker->wake = event_new(worker->base, worker->wake_fd, EV_READ | EV_PERSIST, on_wake, worker);
    if (worker->wake == NULL || event_add(worker->wake, NULL) != 0) {
        error = ENOMEM;
        goto failed;
    }
    error = -start_thread(worker);
    if (error != 0) {
        goto failed;
    }
    return worker;

failed:
    worker_destroy(worker);
    errno = error;
    return NULL;
}

bool worker_has_room(const struct worker *worker)
{
    return inbox_count(&worker->inbox) < INBOX_SLOTS;
}

bool worker_give(struct worker *worker, const struct arrival *arrival)
{
    if (!inbox_push(&worker->inbox, arrival)) {
        return false;
    }
    wake(worker);
    return true;
}

void worker_leave(struct worker *worker)
{
    atomic_store(&worker->leaving, true);
    wake(worker);
}

void worker_drain(struct worker *worker)
{
    atomic_store(&worker->draining, true);
    wake(worker);
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stopping, true);
    wake(worker);
}

void worker_join(struct worker *worker)
{
    if (worker->running) {
        pthread_join(worker->site.thread, NULL);
        worker->running = false;
    }
}

void worker_destroy(struct worker *worker)
{
    struct arrival arrival;
    if (worker == NULL) {
        return;
    }
    while (inbox_pop(&worker->inbox, &arrival)) {
        close(arrival.fd);
    }
    site_fini(&worker->site);
    if (worker->wake != NULL) {
        event_free(worker->wake);
    }
    if (worker->base != NULL) {
        event_base_free(worker->base);
    }
    if (worker->wake_fd >= 0) {
        close(worker->wake_fd);
    }
    free(worker);
}

uint64_t worker_connections(const struct worker *worker)
{
    struct http_engine_stats stats;
    /* In this order: what is closed by now was pushed before. */
    http_engine_get_stats(worker->site.engine, &stats);
    return inbox_pushed(&worker->inbox) - stats.closed;
}

const struct site *worker_site(const struct worker *worker)
{
    return &worker->site;
}
