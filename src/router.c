/*
 * The routes are few and exact, so a lookup compares lengths, then bytes: cheaper than any hash for
 * a table of this size, and without state. Span names are the product of the two tables, written
 * out by the preprocessor so that no thread ever builds one.
 */
#include "router.h"

#include <string.h>

#include "handlers/handlers.h"

#define PUBLIC    SIDE_PUBLIC
#define OPERATORS SIDE_OPERATORS
#define BOTH      SIDE_BOTH
#define STATUSES(...) \
    {                 \
        __VA_ARGS__   \
    }

static const struct route routes[ROUTES] = {
    [ROUTE_NONE] = {.id = ROUTE_NONE, .side = SIDE_BOTH},
#define ROUTE(ID, path_, handler, side_, user_, ...)  \
    [ROUTE_##ID] = {.id = ROUTE_##ID,                 \
                    .path = path_,                    \
                    .path_length = sizeof(path_) - 1, \
                    .handle = handle_##handler,       \
                    .side = side_,                    \
                    .user = user_,                    \
                    .statuses = __VA_ARGS__},
#include "routes.def"
#undef ROUTE
};

#define EACH_METHOD(X, path_)                                                             \
    [HTTP_METHOD_NONE] = "HTTP" path_, [HTTP_METHOD_OTHER] = "HTTP" path_, X(GET, path_), \
    X(HEAD, path_), X(POST, path_), X(PUT, path_), X(DELETE, path_), X(CONNECT, path_),   \
    X(OPTIONS, path_), X(TRACE, path_), X(PATCH, path_)
#define SPAN_NAME(METHOD, path_) [HTTP_METHOD_##METHOD] = #METHOD path_

static const char *const span_names[ROUTES][HTTP_METHODS] = {
    [ROUTE_NONE] = {EACH_METHOD(SPAN_NAME, "")},
#define ROUTE(ID, path_, ...) [ROUTE_##ID] = {EACH_METHOD(SPAN_NAME, " " path_)},
#include "routes.def"
#undef ROUTE
};

const char router_allow[] = "GET, HEAD, OPTIONS";
const enum http_method router_methods[] = {HTTP_METHOD_GET, HTTP_METHOD_HEAD, HTTP_METHOD_OPTIONS};
const size_t router_method_count = sizeof(router_methods) / sizeof(router_methods[0]);

const struct route *router_table(void)
{
    return routes;
}

const struct route *router_find(enum side side, const char *path, size_t length)
{
    for (size_t i = ROUTE_NONE + 1; i < ROUTES; i++) {
        if (routes[i].path_length == length && memcmp(routes[i].path, path, length) == 0) {
            return (routes[i].side & side) != 0 ? &routes[i] : &routes[ROUTE_NONE];
        }
    }
    return &routes[ROUTE_NONE];
}

bool router_allows(enum http_method method)
{
    return method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD || method == HTTP_METHOD_OPTIONS;
}

const char *router_span_name(const struct route *route, enum http_method method)
{
    return span_names[route->id][method];
}
