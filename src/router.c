/*
 * The routes are few, so a lookup compares lengths, then bytes: cheaper than any hash for a table of
 * this size, and without state. Rows that end with a `{name}` are looked at when no exact one fits:
 * those who do not call them do not pay for them. Span names are the product of the two tables,
 * written out by the preprocessor so that no thread ever builds one.
 */
#include "router.h"

#include <stdio.h>
#include <string.h>

#include "handlers/handlers.h"

#define PUBLIC    SIDE_PUBLIC
#define OPERATORS SIDE_OPERATORS
#define BOTH      SIDE_BOTH
#define STATUSES(...) \
    {                 \
        __VA_ARGS__   \
    }

/* The methods of a row as bits, and as they are written there. */
#define BIT(METHOD)                     (1u << HTTP_METHOD_##METHOD)
#define BITS_1(METHOD)                  BIT(METHOD)
#define BITS_2(METHOD, ...)             BIT(METHOD) | BITS_1(__VA_ARGS__)
#define BITS_3(METHOD, ...)             BIT(METHOD) | BITS_2(__VA_ARGS__)
#define BITS_4(METHOD, ...)             BIT(METHOD) | BITS_3(__VA_ARGS__)
#define BITS_OF(_1, _2, _3, _4, N, ...) BITS_##N
#define METHODS(...)                                                            \
    .methods = BIT(OPTIONS) | BITS_OF(__VA_ARGS__, 4, 3, 2, 1, 0)(__VA_ARGS__), \
    .allow = #__VA_ARGS__ ", OPTIONS"

static const struct route routes[ROUTES] = {
    [ROUTE_NONE] = {.id = ROUTE_NONE, .side = SIDE_BOTH},
#define ROUTE(ID, path_, handler, side_, user_, methods_, content_, ...) \
    [ROUTE_##ID] = {.id = ROUTE_##ID,                                    \
                    .path = path_,                                       \
                    .path_length = sizeof(path_) - 1,                    \
                    .handle = handle_##handler,                          \
                    .side = side_,                                       \
                    .user = user_,                                       \
                    methods_,                                            \
                    .content_bytes = content_,                           \
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

const struct route *router_table(void)
{
    return routes;
}

/* How long the path of a route is before its `{name}`; 0 for one without. */
static size_t prefix_length(const struct route *route)
{
    const char *brace = NULL;
    if (route->path[route->path_length - 1] == '}') {
        brace = memrchr(route->path, '{', route->path_length);
    }
    return brace != NULL ? (size_t)(brace - route->path) : 0;
}

/* Whether the path is the route's, with one segment, which is not empty, in place of the name. */
static bool has_pattern(const struct route *route, const char *path, size_t length)
{
    const size_t prefix = prefix_length(route);
    return prefix > 0 && length > prefix && memcmp(route->path, path, prefix) == 0 &&
           memchr(path + prefix, '/', length - prefix) == NULL;
}

/* Out of line: the exact rows are nearly all there is to a request. */
__attribute__((noinline)) static const struct route *find_pattern(const struct route *table,
                                                                  size_t count, enum side side,
                                                                  const char *path, size_t length)
{
    for (size_t i = ROUTE_NONE + 1; i < count; i++) {
        if ((table[i].side & side) != 0 && has_pattern(&table[i], path, length)) {
            return &table[i];
        }
    }
    return &table[ROUTE_NONE];
}

static inline const struct route *find(const struct route *table, size_t count, enum side side,
                                       const char *path, size_t length)
{
    for (size_t i = ROUTE_NONE + 1; i < count; i++) {
        if (table[i].path_length == length && (table[i].side & side) != 0 &&
            memcmp(table[i].path, path, length) == 0) {
            return &table[i];
        }
    }
    return find_pattern(table, count, side, path, length);
}

const struct route *router_find(enum side side, const char *path, size_t length)
{
    return find(routes, ROUTES, side, path, length);
}

const struct route *router_find_in(const struct route *table, size_t count, enum side side,
                                   const char *path, size_t length)
{
    return find(table, count, side, path, length);
}

struct http_slice router_rest(const struct route *route, struct http_slice path)
{
    const size_t prefix = route->path != NULL ? prefix_length(route) : 0;
    if (prefix == 0 || path.length < prefix) {
        return (struct http_slice){NULL, 0};
    }
    return (struct http_slice){path.data + prefix, path.length - prefix};
}

void router_format_allow(enum side side, char out[ROUTER_ALLOW_BYTES])
{
    uint32_t methods = BIT(OPTIONS);
    int length = 0;
    for (size_t i = ROUTE_NONE + 1; i < ROUTES; i++) {
        methods |= (routes[i].side & side) != 0 ? routes[i].methods : 0;
    }
    for (int method = 0; method < HTTP_METHODS; method++) {
        if ((methods >> method & 1) != 0) {
            length += snprintf(out + length, (size_t)(ROUTER_ALLOW_BYTES - length), "%s%s",
                               length > 0 ? ", " : "", http_method_name((enum http_method)method));
        }
    }
}

const char *router_span_name(const struct route *route, enum http_method method)
{
    return span_names[route->id][method];
}
