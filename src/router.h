/*
 * The router: which handler answers a path, on which side, and by which methods.
 *
 * The table is routes.def; a route's number indexes the signals' caches, ROUTE_NONE stands for
 * requests that matched nothing. Pure lookups on constant data: any thread.
 */
#ifndef GLASSBOX_ROUTER_H
#define GLASSBOX_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

struct exchange;

/* Where a request came in, and where a route answers. */
enum side { SIDE_PUBLIC = 1, SIDE_OPERATORS = 2, SIDE_BOTH = 3 };

enum route_id {
    ROUTE_NONE = 0,
#define ROUTE(ID, ...) ROUTE_##ID,
#include "routes.def"
#undef ROUTE
    ROUTES
};

#define ROUTE_STATUSES_MAX 4
#define ROUTER_ALLOW_BYTES 64 /* of an Allow value with every method there is, and its NUL */

/* Stands in a route's statuses for one that an option sets. */
#define STATUS_CONFIGURED 1

struct route {
    enum route_id id;
    const char *path; /* NULL for ROUTE_NONE */
    size_t path_length;
    void (*handle)(struct exchange *exchange);
    enum side side;
    bool user;                             /* users call it: it counts for objectives and scaling */
    uint32_t methods;                      /* bit 1 << method for each, OPTIONS included */
    const char *allow;                     /* the same as the value of Allow */
    size_t content_bytes;                  /* of content it takes at most; 0: none */
    uint16_t statuses[ROUTE_STATUSES_MAX]; /* ends with 0 */
};

/* Whether a route is there only while the page is (--page). */
static inline bool router_is_page(enum route_id id)
{
    return id == ROUTE_PAGE || id == ROUTE_PAGE_EVENTS;
}

/* All ROUTES rows, indexed by id. */
const struct route *router_table(void);

/* The route of a path for a request that came in on `side`; never NULL: ROUTE_NONE's row. */
const struct route *router_find(enum side side, const char *path, size_t length);

/* The same in a table of `count` rows, of which the first is the one for no route. */
const struct route *router_find_in(const struct route *table, size_t count, enum side side,
                                   const char *path, size_t length);

/* What stands in `path` for the `{name}` of its route's; absent where the route has none. */
struct http_slice router_rest(const struct route *route, struct http_slice path);

/* Whether a route takes the method. */
static inline bool router_takes(const struct route *route, enum http_method method)
{
    return (route->methods >> method & 1) != 0;
}

/* The Allow value of a side as a whole: all that any of its routes takes. */
void router_format_allow(enum side side, char out[ROUTER_ALLOW_BYTES]);

/* "{method} {route}" or "{method}": the span name of the OpenTelemetry conventions; static. */
const char *router_span_name(const struct route *route, enum http_method method);

#endif
