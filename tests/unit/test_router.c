/* A path leads to its route on the sides it answers on, and nowhere else; a route says what it takes. */
#include "router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_paths_by_side(void **state)
{
    static const struct {
        const char *path;
        enum side side;
        enum route_id expected;
    } cases[] = {
        {"/", SIDE_PUBLIC, ROUTE_ROOT},
        {"/", SIDE_BOTH, ROUTE_ROOT},
        {"/", SIDE_OPERATORS, ROUTE_PAGE},
        {"/demo/hello", SIDE_PUBLIC, ROUTE_HELLO},
        {"/demo/hello", SIDE_OPERATORS, ROUTE_NONE},
        {"/demo/random-error", SIDE_PUBLIC, ROUTE_RANDOM_ERROR},
        {"/demo/work", SIDE_PUBLIC, ROUTE_WORK},
        {"/metrics", SIDE_PUBLIC, ROUTE_METRICS},
        {"/metrics", SIDE_OPERATORS, ROUTE_METRICS},
        {"/livez", SIDE_PUBLIC, ROUTE_NONE},
        {"/livez", SIDE_OPERATORS, ROUTE_LIVEZ},
        {"/livez", SIDE_BOTH, ROUTE_LIVEZ},
        {"/readyz", SIDE_OPERATORS, ROUTE_READYZ},
        {"/page/events", SIDE_PUBLIC, ROUTE_NONE},
        {"/page/events", SIDE_OPERATORS, ROUTE_PAGE_EVENTS},
        {"/version", SIDE_PUBLIC, ROUTE_NONE},
        {"/version", SIDE_OPERATORS, ROUTE_VERSION},
        /* exact, to the byte */
        {"", SIDE_BOTH, ROUTE_NONE},
        {"//", SIDE_BOTH, ROUTE_NONE},
        {"/demo", SIDE_BOTH, ROUTE_NONE},
        {"/demo/", SIDE_BOTH, ROUTE_NONE},
        {"/demo/hello/", SIDE_BOTH, ROUTE_NONE},
        {"/demo/hell", SIDE_BOTH, ROUTE_NONE},
        {"/demo/Hello", SIDE_BOTH, ROUTE_NONE},
        {"/demo/%68ello", SIDE_BOTH, ROUTE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct route *route =
            router_find(cases[i].side, cases[i].path, strlen(cases[i].path));
        assert_non_null(route);
        if (route->id != cases[i].expected) {
            fail_msg("%s on side %d found route %d, not %d", cases[i].path, cases[i].side,
                     route->id, cases[i].expected);
        }
    }
}

static void test_table_is_whole(void **state)
{
    (void)state;
    const struct route *routes = router_table();
    assert_null(routes[ROUTE_NONE].path);
    assert_null(routes[ROUTE_NONE].handle);
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        assert_int_equal(routes[id].id, id);
        assert_non_null(routes[id].path);
        assert_int_equal(routes[id].path_length, strlen(routes[id].path));
        assert_non_null(routes[id].handle);
        assert_int_equal(routes[id].statuses[0], 200);
        /* what users call is public; probes and what operators do never count as users' traffic */
        assert_true(!routes[id].user || routes[id].side == SIDE_PUBLIC);
    }
}

static void test_span_names(void **state)
{
    (void)state;
    const struct route *hello = router_find(SIDE_BOTH, "/demo/hello", 11);
    const struct route *none = router_find(SIDE_BOTH, "/x", 2);
    assert_string_equal(router_span_name(hello, HTTP_METHOD_GET), "GET /demo/hello");
    assert_string_equal(router_span_name(hello, HTTP_METHOD_OTHER), "HTTP /demo/hello");
    assert_string_equal(router_span_name(none, HTTP_METHOD_POST), "POST");
    assert_string_equal(router_span_name(none, HTTP_METHOD_NONE), "HTTP");
    for (int method = 0; method < HTTP_METHODS; method++) {
        assert_non_null(router_span_name(none, (enum http_method)method));
    }
}

/* Two rows of one path, one a side; names at the end, among them one that a row has exactly. */
enum { NONE, OURS, THEIRS, FEED, PLAY, PLAY_ALL, DEEP, ODD, ROWS };
#define ROW(row, path_, side_)                 \
    [row] = {.id = (enum route_id)(row),       \
             .path = path_,                    \
             .path_length = sizeof(path_) - 1, \
             .side = side_}
static const struct route table[ROWS] = {
    [NONE] = {.side = SIDE_BOTH},
    ROW(OURS, "/", SIDE_PUBLIC),
    ROW(THEIRS, "/", SIDE_OPERATORS),
    ROW(FEED, "/feed/{id}", SIDE_BOTH),
    ROW(PLAY, "/play/{name}", SIDE_OPERATORS),
    ROW(PLAY_ALL, "/play/all", SIDE_OPERATORS),
    ROW(DEEP, "/feed/{id}/deep", SIDE_BOTH), /* a name elsewhere is no name */
    ROW(ODD, "odd}", SIDE_BOTH),
};

static void test_patterns_and_sides(void **state)
{
    static const struct {
        const char *path;
        enum side side;
        int expected;
        const char *rest;
    } cases[] = {
        {"/", SIDE_PUBLIC, OURS, NULL},
        {"/", SIDE_OPERATORS, THEIRS, NULL}, /* it goes on looking */
        {"/", SIDE_BOTH, OURS, NULL},        /* the first */
        {"/play/outage", SIDE_OPERATORS, PLAY, "outage"},
        {"/play/outage", SIDE_BOTH, PLAY, "outage"},
        {"/play/outage", SIDE_PUBLIC, NONE, NULL},
        {"/play/all", SIDE_OPERATORS, PLAY_ALL, NULL},
        {"/play/al", SIDE_OPERATORS, PLAY, "al"},
        {"/play/{name}", SIDE_OPERATORS, PLAY, "{name}"},
        {"/play/%2F", SIDE_OPERATORS, PLAY, "%2F"}, /* as it came */
        {"/play/", SIDE_OPERATORS, NONE, NULL},
        {"/play", SIDE_OPERATORS, NONE, NULL},
        {"/play/a/", SIDE_OPERATORS, NONE, NULL},
        {"/play/a/b", SIDE_OPERATORS, NONE, NULL},
        {"/Play/a", SIDE_OPERATORS, NONE, NULL},
        {"/feed/7", SIDE_PUBLIC, FEED, "7"},
        {"/feed/7/deep", SIDE_BOTH, NONE, NULL},
        {"odd}", SIDE_BOTH, ODD, NULL},
        {"*", SIDE_BOTH, NONE, NULL},
        {"", SIDE_BOTH, NONE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct http_slice path = {cases[i].path, strlen(cases[i].path)};
        const struct route *route =
            router_find_in(table, ROWS, cases[i].side, path.data, path.length);
        const struct http_slice rest = router_rest(route, path);
        if (route != &table[cases[i].expected]) {
            fail_msg("%s on side %d found row %d, not %d", cases[i].path, cases[i].side,
                     (int)(route - table), cases[i].expected);
        }
        assert_int_equal(rest.data != NULL, cases[i].rest != NULL);
        if (cases[i].rest != NULL) {
            assert_int_equal(rest.length, strlen(cases[i].rest));
            assert_memory_equal(rest.data, cases[i].rest, rest.length);
        }
    }
}

/* Takes the next name off an Allow value. */
static enum http_method next_method(const char **allow)
{
    for (int method = HTTP_METHOD_GET; method < HTTP_METHODS; method++) {
        const char *name = http_method_name((enum http_method)method);
        const size_t length = strlen(name);
        if (strncmp(*allow, name, length) == 0 &&
            ((*allow)[length] == ',' || (*allow)[length] == '\0')) {
            *allow += length + ((*allow)[length] == ',' ? 2 : 0);
            return (enum http_method)method;
        }
    }
    fail_msg("no method at the start of '%s'", *allow);
    return HTTP_METHOD_NONE;
}

static uint32_t methods_of(const char *allow)
{
    uint32_t methods = 0;
    while (*allow != '\0') {
        const uint32_t bit = 1u << next_method(&allow);
        assert_int_equal(methods & bit, 0);
        methods |= bit;
    }
    return methods;
}

static void test_allow_says_what_is_taken(void **state)
{
    (void)state;
    const struct route *routes = router_table();
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        assert_int_equal(methods_of(routes[id].allow), routes[id].methods);
        assert_true(router_takes(&routes[id], HTTP_METHOD_OPTIONS));
        assert_false(router_takes(&routes[id], HTTP_METHOD_CONNECT));
        assert_false(router_takes(&routes[id], HTTP_METHOD_OTHER));
        assert_false(router_takes(&routes[id], HTTP_METHOD_NONE));
    }
    const struct route *hello = &routes[ROUTE_HELLO];
    assert_string_equal(hello->allow, "GET, HEAD, OPTIONS");
    assert_true(router_takes(hello, HTTP_METHOD_GET));
    assert_true(router_takes(hello, HTTP_METHOD_HEAD));
    assert_false(router_takes(hello, HTTP_METHOD_POST));
    assert_false(router_takes(&routes[ROUTE_NONE], HTTP_METHOD_GET));
}

/* A side as a whole takes what any of its routes does, and nothing else. */
static void test_allow_of_a_side(void **state)
{
    (void)state;
    for (int side = SIDE_PUBLIC; side <= SIDE_BOTH; side++) {
        char allow[ROUTER_ALLOW_BYTES];
        uint32_t methods = 0;
        for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
            methods |= (router_table()[id].side & side) != 0 ? router_table()[id].methods : 0;
        }
        router_format_allow((enum side)side, allow);
        assert_int_equal(methods_of(allow), methods);
    }
    char allow[ROUTER_ALLOW_BYTES];
    router_format_allow(SIDE_PUBLIC, allow);
    assert_string_equal(allow, "GET, HEAD, OPTIONS"); /* nothing on that side writes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_by_side),
        cmocka_unit_test(test_table_is_whole),
        cmocka_unit_test(test_span_names),
        cmocka_unit_test(test_patterns_and_sides),
        cmocka_unit_test(test_allow_says_what_is_taken),
        cmocka_unit_test(test_allow_of_a_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
