/*
 * The live page: the process, shown from its own signals to those who look at it.
 *
 * How it works: a viewer is a stream of server-sent events (GET /page/events) on whichever site it came
 * in. While there is one, each site makes JSON of the first PAGE_TICK_REQUESTS requests that end within
 * a tick and puts it into a ring of its own; the main thread's tick composes a frame of all of these
 * and of the figures, and the hub keeps the last ones; each site's tick sends its viewers what they
 * have not had.
 *
 *     request ends ─> ring of the site ─┐
 *     request ends ─> ring of the site ─┴> main thread: frame ─> hub ─┬─> viewers of a site
 *                                           figures, equation ┘       └─> viewers of a site
 *
 * A viewer that does not read misses frames, which is counted and told to it; one whose connection
 * takes nothing for PAGE_STUCK_NS is given up. When draining begins all streams end. Without a viewer
 * a request costs one relaxed load, and there is no frame.
 *
 * Threads: create and destroy by the main thread, when no other serves; the rest by the site's own;
 * page_get_stats() by any.
 * Memory: without a viewer next to none of what is set aside; with some, 520 KiB a site of requests on
 * their way, and sixteen frames of up to 256 KiB.
 * Failure: what finds no memory is not shown, and counted.
 */
#ifndef GLASSBOX_PAGE_PAGE_H
#define GLASSBOX_PAGE_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/clock.h"

#define PAGE_TICK_REQUESTS 32 /* of a site */
#define PAGE_STUCK_NS      (60 * TEL_NS_PER_SECOND)

struct exchange;
struct page;
struct page_document;
struct page_request;
struct route;
struct service;
struct site;

/* NULL with errno. Borrows the service, whose options and worker count are set. */
struct page *page_create(const struct service *service);
/* NULL is fine. Sites have ended: there are no viewers. */
void page_destroy(struct page *page);

/* The page as it is served, made at the first call; NULL without memory. */
const struct page_document *page_get_document(struct page *page);

/* The route of a request for which the table has `found`: where page and message share a path, what the
 * client accepts decides. */
const struct route *page_choose_route(const struct exchange *exchange, const struct route *found);

/* Whether the client wants the page rather than JSON: text/html has the better quality. */
bool page_is_wanted(const struct exchange *exchange);

/* Answers with the page. */
void page_answer(struct exchange *exchange);

/* ---- requests ------------------------------------------------------------------------------------ */

/* What the request path looks at: the first thing in a page. */
struct page_gate {
    _Atomic unsigned viewers;
};

/* Whether somebody looks. NULL: the page is off. */
static inline bool page_is_watched(const struct page *page)
{
    return page != NULL && atomic_load_explicit(&((const struct page_gate *)page)->viewers,
                                                memory_order_relaxed) > 0;
}

/* Whether the site may still show a request in this tick; one that it may not is counted. Asked before
 * anything is put together for it. */
bool page_takes_request(const struct site *site);
/* A request that has just been recorded, as far as there is room to show it. While it is watched. */
void page_show_request(struct site *site, const struct page_request *request);
/* The child span of an exchange has just ended. While it is watched. Nothing is kept where the tick has
 * shown what it may: a request that is shown after all, in the next one, then says that it is cut. */
void page_keep_child(struct exchange *exchange);
/* Forgets what is kept for an exchange that is closed. */
void page_close_exchange(struct exchange *exchange);

/* ---- viewers ------------------------------------------------------------------------------------- */

/* Answers GET /page/events: a stream, or 503 when there are too many or the service is draining. */
void page_open_stream(struct exchange *exchange);

/* A tick of the site: composes (the main thread's), and sends its viewers what is new. */
void page_tick(struct site *site);
/* Ends the site's streams if draining has begun. */
void page_look(struct site *site);

struct page_stats {
    uint64_t viewers;          /* now */
    uint64_t updates_lost;     /* frames that viewers missed */
    uint64_t records_skipped;  /* requests that ended while somebody looked and were not shown */
    uint64_t refused_limit;    /* streams: too many viewers */
    uint64_t refused_draining; /* streams */
    uint64_t refused_memory;   /* streams */
};
/* NULL: the page is off, and all is 0. */
void page_get_stats(const struct page *page, struct page_stats *stats);

#endif
