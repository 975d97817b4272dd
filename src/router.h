/*
 * The router: which handler answers a path, on which side.
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

/* Stands in a route's statuses for one that an option sets. */
#define STATUS_CONFIGURED 1

struct route {
    enum route_id id;
    const char *path; /* NULL for ROUTE_NONE */
    size_t path_length;
    void (*handle)(struct exchange *exchange);
    enum side side;
    bool user;                             /* users call it: it counts for objectives and scaling */
    uint16_t statuses[ROUTE_STATUSES_MAX]; /* ends with 0 */
};

/* All ROUTES rows, indexed by id. */
const struct route *router_table(void);

/* The route of a path for a request that came in on `side`; never NULL: ROUTE_NONE's row. */
const struct route *router_find(enum side side, const char *path, size_t length);

/* Whether a route takes the method. */
bool router_allows(enum http_method method);

/* The Allow value, and the methods in it; static. */
extern const char router_allow[];
extern const enum http_method router_methods[];
extern const size_t router_method_count;

/* "{method} {route}" or "{method}": the span name of the OpenTelemetry conventions; static. */
const char *router_span_name(const struct route *route, enum http_method method);

#endif
