/*
 * What users' requests add up to: by route and by bucket, from the histogram that /metrics shows.
 *
 * Threads: any. Source: routes.def says which routes users call.
 */
#ifndef GLASSBOX_PAGE_TOTALS_H
#define GLASSBOX_PAGE_TOTALS_H

#include <stdint.h>

#include "instruments.h"
#include "router.h"

struct totals_route {
    uint64_t count;
    uint64_t failed; /* record_is_failure() */
};

struct totals {
    struct totals_route routes[ROUTES];    /* of those that users call */
    uint64_t buckets[TEL_BUCKETS_MAX + 1]; /* of the same, not cumulative */
    uint64_t failed;                       /* of all requests */
};

/* The users' route that figures of a path are added to, or ROUTE_NONE: two rows of the table with one
 * path are one route here, as they are in /metrics. */
enum route_id totals_find_route(const char *path, size_t length);

void totals_read(const struct instruments *instruments, struct totals *totals);

#endif
