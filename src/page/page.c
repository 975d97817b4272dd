/*
 * The page's own life, and the way of a request into a frame.
 *
 * Invariant: gate.viewers is the number of streams in all sites' lists (and for a moment of those that
 * are being refused). The hub has frames only while it is not 0, or until the main thread's next tick.
 */
#include "page/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "page/frame.h"
#include "page/internal.h"
#include "page/request.h"
#include "server.h"
#include "service.h"

/* ---- life -------------------------------------------------------------------------------------- */

static int make_rings(struct page *page)
{
    page->rings = calloc(page->site_count, sizeof(struct page_ring *));
    for (size_t i = 0; page->rings != NULL && i < page->site_count; i++) {
        page->rings[i] = aligned_alloc(_Alignof(struct page_ring), sizeof(struct page_ring));
        if (page->rings[i] == NULL) {
            return -ENOMEM;
        }
        page_ring_init(page->rings[i]);
    }
    return page->rings != NULL ? 0 : -ENOMEM;
}

static struct page *allocate(size_t site_count)
{
    const size_t size = sizeof(struct page) + site_count * sizeof(struct page_site);
    struct page *page = aligned_alloc(_Alignof(struct page), size);
    if (page != NULL) {
        memset(page, 0, size);
        page->site_count = site_count;
    }
    return page;
}

struct page *page_create(const struct service *service)
{
    struct page *page = allocate(service_serving_shards(service));
    if (page == NULL) {
        return NULL;
    }
    page->service = service;
    page->started_wall_ns = tel_clock_wall_ns();
    tel_buffer_init(&page->frame, PAGE_FRAME_BYTES_MAX);
    for (size_t i = 0; i < page->site_count; i++) {
        tel_buffer_init(&page->sites[i].text, PAGE_LINE_BYTES);
    }
    int error = page_hub_init(&page->hub);
    if (error == 0) {
        error = -pthread_mutex_init(&page->document_lock, NULL);
    }
    if (error == 0) {
        error = make_rings(page);
    }
    if (error != 0) {
        page_destroy(page);
        errno = -error;
        return NULL;
    }
    return page;
}

void page_destroy(struct page *page)
{
    if (page == NULL) {
        return;
    }
    struct page_document *document = atomic_load(&page->document);
    if (document != NULL) {
        page_document_fini(document);
        free(document);
    }
    for (size_t i = 0; i < page->site_count; i++) {
        tel_buffer_fini(&page->sites[i].text);
        if (page->rings != NULL) {
            free(page->rings[i]);
        }
    }
    free(page->rings);
    tel_buffer_fini(&page->frame);
    page_hub_fini(&page->hub);
    pthread_mutex_destroy(&page->document_lock);
    free(page);
}

static struct page_document *make_document(void)
{
    struct page_parts parts;
    struct page_document *document = malloc(sizeof(*document));
    page_parts_get(&parts);
    if (document != NULL && page_document_init(document, &parts) != 0) {
        page_document_fini(document);
        free(document);
        document = NULL;
    }
    return document;
}

const struct page_document *page_get_document(struct page *page)
{
    struct page_document *document = atomic_load_explicit(&page->document, memory_order_acquire);
    if (document == NULL) {
        pthread_mutex_lock(&page->document_lock);
        document = atomic_load_explicit(&page->document, memory_order_relaxed);
        if (document == NULL) {
            document = make_document();
            atomic_store_explicit(&page->document, document, memory_order_release);
        }
        pthread_mutex_unlock(&page->document_lock);
    }
    return document;
}

/* ---- requests ---------------------------------------------------------------------------------- */

static bool has_budget(const struct page_site *own)
{
    return own->shown < PAGE_TICK_REQUESTS;
}

bool page_takes_request(const struct site *site)
{
    struct page_site *own = &site->service->page->sites[site->shard];
    if (!has_budget(own)) {
        page_count(&own->skipped, 1);
    }
    return has_budget(own);
}

void page_show_request(struct site *site, const struct page_request *request)
{
    struct page *page = site->service->page;
    struct page_site *own = &page->sites[site->shard];
    struct page_record *record = NULL;
    if (has_budget(own)) {
        record = page_ring_reserve(page->rings[site->shard]);
    }
    if (record == NULL || !page_request_format(request, &own->text, record)) {
        page_count(&own->skipped, 1);
        return;
    }
    own->shown++;
    page_ring_commit(page->rings[site->shard]);
}

/* In place of children that nobody kept: it says that there were some. Never written. */
static struct page_children not_kept = {.length = 0, .is_cut = true};

void page_keep_child(struct exchange *exchange)
{
    const struct site *site = exchange->site;
    if (exchange->children == &not_kept) {
        return;
    }
    if (!has_budget(&site->service->page->sites[site->shard])) {
        if (exchange->children != NULL) {
            exchange->children->is_cut = true;
        } else {
            exchange->children = &not_kept;
        }
        return;
    }
    if (exchange->children == NULL) {
        exchange->children = malloc(sizeof(*exchange->children));
        if (exchange->children == NULL) {
            return;
        }
        exchange->children->length = 0;
        exchange->children->is_cut = false;
    }
    page_children_add(exchange->children, &exchange->child);
}

void page_close_exchange(struct exchange *exchange)
{
    if (exchange->viewer != NULL) {
        viewers_remove(exchange->viewer); /* its client had gone before the stream began */
    }
    if (exchange->children != NULL) {
        if (exchange->children != &not_kept) {
            free(exchange->children);
        }
        exchange->children = NULL;
    }
}

/* ---- frames ------------------------------------------------------------------------------------ */

static void compose(struct page *page)
{
    const struct server *server = page->service->server;
    struct page_stats stats;
    page_get_stats(page, &stats);
    const struct frame_source source = {.service = page->service,
                                        .rings = page->rings,
                                        .ring_count = page->site_count,
                                        .now_wall_ns = tel_clock_wall_ns(),
                                        .now_ns = tel_clock_monotonic_ns(),
                                        .connections =
                                            server_connections(server, LISTENER_PUBLIC) +
                                            server_connections(server, LISTENER_OPERATORS),
                                        .viewers = stats.viewers,
                                        .updates_lost = stats.updates_lost,
                                        .skipped = stats.records_skipped};
    page_count(&page->stale, frame_compose(&source, &page->frame));
    if (page->frame.error == 0 &&
        page_hub_publish(&page->hub, page->frame.data, page->frame.length) == 0) {
        page->has_frames = true;
    }
}

/* Nobody looks any more: frames are given back. */
static void rest(struct page *page)
{
    if (page->has_frames) {
        page_hub_clear(&page->hub);
        tel_buffer_fini(&page->frame);
        page->has_frames = false;
    }
}

void page_tick(struct site *site)
{
    struct page *page = site->service->page;
    struct page_site *own = &page->sites[site->shard];
    own->shown = 0;
    page_look(site);
    if (site->shard == service_main_shard(page->service)) {
        if (page_is_watched(page)) {
            compose(page);
        } else {
            rest(page);
        }
    }
    if (own->viewers != NULL) {
        viewers_turn(page, own, tel_clock_monotonic_ns());
    }
}

void page_look(struct site *site)
{
    struct page *page = site->service->page;
    struct page_site *own = &page->sites[site->shard];
    if (own->viewers != NULL && lifecycle_get_state(&page->service->lifecycle) >= LIFE_DRAINING) {
        viewers_end(own);
    }
}

/* ---- counts ------------------------------------------------------------------------------------ */

static uint64_t get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void page_get_stats(const struct page *page, struct page_stats *stats)
{
    *stats = (struct page_stats){.viewers = 0};
    if (page == NULL) {
        return;
    }
    stats->viewers = atomic_load_explicit(&page->gate.viewers, memory_order_relaxed);
    stats->records_skipped = get(&page->stale);
    for (size_t i = 0; i < page->site_count; i++) {
        const struct page_site *own = &page->sites[i];
        stats->updates_lost += get(&own->lost);
        stats->records_skipped += get(&own->skipped);
        stats->refused_limit += get(&own->refused_limit);
        stats->refused_draining += get(&own->refused_draining);
        stats->refused_memory += get(&own->refused_memory);
    }
}
