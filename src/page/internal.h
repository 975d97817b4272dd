/*
 * What the page's own files share: who writes what.
 *
 *     page.c     create, destroy; requests into rings; a frame each tick
 *     viewers.c  the streams of a site
 *     hello.c    what a viewer is told first
 */
#ifndef GLASSBOX_PAGE_INTERNAL_H
#define GLASSBOX_PAGE_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "page/document.h"
#include "page/hub.h"
#include "page/page.h"
#include "page/ring.h"
#include "telemetry/buffer.h"

/* The log's longest line beside the record that it is made of: forty fields of a kilobyte, each byte
 * written as three. */
#define PAGE_LINE_BYTES ((size_t)512 * 1024)

/* One stream. In the list of its site from begin until it ends or its client has gone. */
struct page_viewer {
    struct page_viewer *next, **link;
    struct exchange *exchange;
    bool is_greeted;      /* it was sent hello */
    uint64_t next_frame;  /* the number of the one it has not had */
    uint64_t missed;      /* frames that it has not been told of */
    uint64_t bytes;       /* sent when it was last seen to take something */
    uint64_t progress_ns; /* when that was, monotonic */
};

/* A serving thread's part. The counts are read by any, the rest is its own. */
struct page_site {
    _Alignas(64) struct page_viewer *viewers;
    struct tel_buffer text; /* where a log line, or a hello, is put together */
    unsigned shown;         /* requests, in this tick */
    _Atomic uint64_t skipped;
    _Atomic uint64_t lost;
    _Atomic uint64_t refused_limit;
    _Atomic uint64_t refused_draining;
    _Atomic uint64_t refused_memory;
};

struct page {
    struct page_gate gate;
    const struct service *service;
    uint64_t started_wall_ns;
    struct page_hub hub;
    pthread_mutex_t document_lock; /* over making it */
    _Atomic(struct page_document *) document;
    struct tel_buffer frame; /* the main thread's */
    bool has_frames;         /* in the hub; the main thread's */
    _Atomic uint64_t stale;  /* requests that waited too long to be shown */
    size_t site_count;
    struct page_ring **rings; /* one a site */
    struct page_site sites[];
};

/* One more of a count that only the calling thread writes. */
static inline void page_count(_Atomic uint64_t *count, uint64_t amount)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* ---- viewers.c --------------------------------------------------------------------------------- */

/* Sends the site's viewers what they have not had, and ends those that take nothing. */
void viewers_turn(struct page *page, struct page_site *own, uint64_t now_ns);
/* Takes one out and gives its place back; the stream is the caller's to end. */
void viewers_remove(struct page_viewer *viewer);
/* Says goodbye to all of them. */
void viewers_end(struct page_site *own);

/* ---- hello.c ----------------------------------------------------------------------------------- */

/* Replaces what is in *out by the first event of a stream. */
void hello_compose(const struct page *page, const struct exchange *exchange,
                   struct tel_buffer *out);

#endif
