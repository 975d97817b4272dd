/*
 * A series is of the route, and of the error, that its labels say.
 */
#include "page/totals.h"

#include <string.h>

#include "record.h"

enum route_id totals_find_route(const char *path, size_t length)
{
    const struct route *routes = router_table();
    for (size_t id = ROUTE_NONE + 1; path != NULL && id < ROUTES; id++) {
        if (routes[id].user && routes[id].path_length == length &&
            memcmp(routes[id].path, path, length) == 0) {
            return (enum route_id)id;
        }
    }
    return ROUTE_NONE;
}

/* The users' route of a series, or ROUTE_NONE. */
static enum route_id route_of(const struct tel_series *series)
{
    size_t length;
    const char *path = tel_series_label(series, DURATION_ROUTE, &length);
    return totals_find_route(path, length);
}

/* HTTP_OK also where the label is a status. */
static enum http_error error_of(const struct tel_series *series)
{
    size_t length;
    const char *label = tel_series_label(series, DURATION_ERROR, &length);
    for (int error = HTTP_OK + 1; label != NULL && error < HTTP_ERRORS; error++) {
        const char *name = http_error_name((enum http_error)error);
        if (strlen(name) == length && memcmp(name, label, length) == 0) {
            return (enum http_error)error;
        }
    }
    return HTTP_OK;
}

static bool has_failed(const struct tel_series *series)
{
    size_t length;
    const char *status = tel_series_label(series, DURATION_STATUS, &length);
    const int hundreds = status != NULL ? status[0] - '0' : 0;
    return record_is_failure(error_of(series), (uint16_t)(hundreds * 100));
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
