/*
 * Finished requests on their way from a site to the thread that composes frames.
 *
 * A bounded ring of records with one writer (the site) and one reader (the main thread), as inbox.h. A
 * record is made in its slot, so nothing is copied; what finds the ring full is the writer's to count.
 *
 * Threads: reserve and commit by the site, peek and pop by the main thread.
 * Memory: PAGE_RING_SLOTS records; they become resident as they are first used.
 */
#ifndef GLASSBOX_PAGE_RING_H
#define GLASSBOX_PAGE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_RING_SLOTS   64 /* a power of two */
#define PAGE_RECORD_BYTES 8160

struct page_record {
    uint64_t end_ns; /* when the request ended, monotonic */
    size_t length;
    char json[PAGE_RECORD_BYTES]; /* an object */
};

struct page_ring {
    _Alignas(64) _Atomic size_t pushed;
    _Alignas(64) _Atomic size_t popped;
    struct page_record slots[PAGE_RING_SLOTS];
};

/* Makes it empty; its slots are not touched. */
void page_ring_init(struct page_ring *ring);

/* The next slot, NULL while all are full. Nobody sees it before commit; reserved again it is the same
 * one. */
struct page_record *page_ring_reserve(struct page_ring *ring);
void page_ring_commit(struct page_ring *ring);

/* The oldest record, NULL when there is none; it stays until pop. */
const struct page_record *page_ring_peek(struct page_ring *ring);
void page_ring_pop(struct page_ring *ring);

#endif
