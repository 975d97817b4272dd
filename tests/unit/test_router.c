/* A path leads to its route on the sides it answers on, and nowhere else. */
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
        {"/", SIDE_OPERATORS, ROUTE_NONE},
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

static void test_allow_says_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_method_count; i++) {
        assert_true(router_allows(router_methods[i]));
        assert_non_null(strstr(router_allow, http_method_name(router_methods[i])));
    }
    assert_false(router_allows(HTTP_METHOD_POST));
    assert_false(router_allows(HTTP_METHOD_TRACE));
    assert_false(router_allows(HTTP_METHOD_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_by_side),
        cmocka_unit_test(test_table_is_whole),
        cmocka_unit_test(test_span_names),
        cmocka_unit_test(test_allow_says_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
