/*
 * A series is of the route that its label says; two rows of the table with one path are one route here,
 * as they are in /metrics.
 */
#include "page/totals.h"

#include <string.h>

/* The users' route of a series, or ROUTE_NONE. */
static enum route_id route_of(const struct tel_series *series)
{
    const struct route *routes = router_table();
    size_t length;
    const char *path = tel_series_label(series, DURATION_ROUTE, &length);
    for (size_t id = ROUTE_NONE + 1; path != NULL && id < ROUTES; id++) {
        if (routes[id].user && routes[id].path_length == length &&
            memcmp(routes[id].path, path, length) == 0) {
            return (enum route_id)id;
        }
    }
    return ROUTE_NONE;
}

static bool has_failed(const struct tel_series *series)
{
    size_t length;
    if (tel_series_label(series, DURATION_ERROR, &length) != NULL) {
        return true;
    }
    const char *status = tel_series_label(series, DURATION_STATUS, &length);
    return status != NULL && status[0] >= '5';
}

void totals_read(const struct instruments *instruments, struct totals *totals)
{
    const struct tel_family *family = instruments_durations(instruments);
    *totals = (struct totals){.failed = 0};
    for (const struct tel_series *series = NULL;
         (series = tel_family_next_series(family, series)) != NULL;) {
        const enum route_id route = route_of(series);
        const bool failed = has_failed(series);
        if (route == ROUTE_NONE && !failed) {
            continue;
        }
        uint64_t counts[TEL_BUCKETS_MAX + 1] = {0};
        uint64_t count = 0;
        tel_histogram_add_counts(series, counts);
        for (size_t i = 0; i <= TEL_BUCKETS_MAX; i++) {
            count += counts[i];
            totals->buckets[i] += route != ROUTE_NONE ? counts[i] : 0;
        }
        totals->failed += failed ? count : 0;
        if (route != ROUTE_NONE) {
            totals->routes[route].count += count;
            totals->routes[route].failed += failed ? count : 0;
        }
    }
}
