/*
 * A frame: how the process stands, as one server-sent event.
 *
 * How it works: every number is read from where the signals keep it; the requests come from the sites'
 * rings, oldest first. A frame is at most PAGE_FRAME_BYTES_MAX: what finds no room waits for the next
 * one. A request that has waited for PAGE_STALE_NS is not shown any more: under load the page
 * shows what ends now, not what ended a while ago.
 *
 * Threads: the main thread.
 */
#ifndef GLASSBOX_PAGE_FRAME_H
#define GLASSBOX_PAGE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "page/ring.h"
#include "telemetry/buffer.h"
#include "telemetry/clock.h"

#define PAGE_FRAME_REQUESTS 32
#define PAGE_STALE_NS       TEL_NS_PER_SECOND

struct service;

/* What a frame is made of beside what the service has. */
struct frame_source {
    const struct service *service;
    struct page_ring *const *rings; /* the sites' */
    size_t ring_count;
    uint64_t now_wall_ns; /* as it is told */
    uint64_t now_ns;      /* monotonic: a clock that is set makes nothing old */
    uint64_t connections;
    uint64_t viewers;
    uint64_t updates_lost;
    uint64_t skipped; /* requests that no ring had room for */
};

/* Replaces what is in *out by the event. Returns how many requests were too old to be shown; out->error
 * says whether there was memory. */
uint64_t frame_compose(const struct frame_source *source, struct tel_buffer *out);

#endif
