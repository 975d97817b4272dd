/*
 * Plans: JSON in, calls out, or a reason that says which entry is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan.h"

#define ENTRY(url) "[{\"url\":\"" url "\",\"arguments\":[]}]"
#define A16        "aaaaaaaaaaaaaaaa"
#define A256       A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16

static const struct {
    const char *text;
    const char *host;
    uint16_t port;
    const char *authority;
    const char *target;
} urls[] = {
    {ENTRY("http://127.0.0.1:7777/a"), "127.0.0.1", 7777, "127.0.0.1:7777", "/a"},
    {ENTRY("http://localhost/"), "localhost", 80, "localhost", "/"},
    {ENTRY("http://localhost"), "localhost", 80, "localhost", "/"},
    {ENTRY("http://localhost?q=1"), "localhost", 80, "localhost", "/?q=1"},
    {ENTRY("HTTP://a.example:1/b/c?d=e&f#g"), "a.example", 1, "a.example:1", "/b/c?d=e&f"},
    {ENTRY("http://[::1]:65535/x"), "::1", 65535, "[::1]:65535", "/x"},
};

static const struct {
    const char *text;
    const char *problem; /* that it begins with */
} bad[] = {
    {"", "the body is no JSON: "},
    {"[", "the body is no JSON: "},
    {"[] []", "the body is no JSON: "},
    {"[{\"url\":\"a\",\"url\":\"b\"}]", "the body is no JSON: duplicate object key"},
    {"{}", "the body is no list of calls"},
    {"null", "the body is no list of calls"},
    {"[1]", "[0] is no object"},
    {"[{}]", "[0].url is missing, or no string"},
    {"[{\"url\":1,\"arguments\":[]}]", "[0].url is missing, or no string"},
    {"[{\"url\":\"http://a/\"}]", "[0].arguments are missing"},
    {ENTRY("https://a/"), "[0].url is no http:// URL: https://a/"},
    {ENTRY("/a"), "[0].url is no http:// URL: /a"},
    {ENTRY("http://a/ b"), "[0].url is no URL: http://a/ b"},
    {ENTRY("http://a/\\r\\nX: y"), "[0].url is no URL: http://a/\r\nX: y"},
    {ENTRY("http:///a"), "[0].url has no host, or one that is too long: http:///a"},
    {ENTRY("http://" A256 "/"), "[0].url has no host, or one that is too long: http://aaa"},
    {ENTRY("http://u@a/"), "[0].url has a user, which is not supported: http://u@a/"},
    {ENTRY("http://a:0/"), "[0].url has a port that is none: http://a:0/"},
    {ENTRY("http://a:65536/"), "[0].url "},
    {ENTRY("http://a/" A256 A256 A256 A256 A256 A256 A256 A256), "[0].url is too long: http://a/"},
    {"[{\"url\":\"http://a/\",\"arguments\":1},{\"url\":\"ftp://b/\",\"arguments\":1}]",
     "[1].url is no http:// URL: ftp://b/"},
};

static void test_urls_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char problem[PLAN_PROBLEM_MAX] = "";
        struct plan *plan = plan_parse(urls[i].text, strlen(urls[i].text), problem);
        assert_string_equal(problem, "");
        assert_non_null(plan);
        assert_int_equal(plan_count(plan), 1);
        const struct plan_call *call = plan_at(plan, 0);
        assert_string_equal(call->host, urls[i].host);
        assert_int_equal(call->port, urls[i].port);
        assert_string_equal(call->authority, urls[i].authority);
        assert_string_equal(call->target, urls[i].target);
        plan_destroy(plan);
    }
}

static void test_what_is_wrong_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char problem[PLAN_PROBLEM_MAX] = "";
        assert_null(plan_parse(bad[i].text, strlen(bad[i].text), problem));
        if (strncmp(problem, bad[i].problem, strlen(bad[i].problem)) != 0) {
            fail_msg("%s\n    says %s\n    not  %s", bad[i].text, problem, bad[i].problem);
        }
    }
}

static void test_arguments_go_out_as_they_came(void **state)
{
    static const char text[] =
        "[{\"url\":\"http://a/\",\"arguments\": {\"z\": [1, 2.5, null], \"a\": "
        "\"\\u00e9\"}, \"more\": 1}, {\"arguments\": 7, \"url\": \"http://b/\"}]";
    char problem[PLAN_PROBLEM_MAX];
    (void)state;
    struct plan *plan = plan_parse(text, sizeof(text) - 1, problem);
    assert_non_null(plan);
    assert_int_equal(plan_count(plan), 2);
    char *first = plan_arguments(plan, 0);
    char *second = plan_arguments(plan, 1);
    assert_string_equal(first, "{\"z\":[1,2.5,null],\"a\":\"\xc3\xa9\"}");
    assert_string_equal(second, "7");
    assert_string_equal(plan_at(plan, 1)->url, "http://b/");
    free(first);
    free(second);
    plan_destroy(plan);
}

static void test_the_number_of_calls_is_bounded(void **state)
{
    char text[PLAN_CALLS_MAX * 64];
    char problem[PLAN_PROBLEM_MAX];
    (void)state;
    for (size_t count = PLAN_CALLS_MAX; count <= PLAN_CALLS_MAX + 1; count++) {
        size_t used = 0;
        for (size_t i = 0; i < count; i++) {
            used += (size_t)snprintf(text + used, sizeof(text) - used,
                                     "%s{\"url\":\"http://a/%zu\",\"arguments\":0}",
                                     i == 0 ? "[" : ",", i);
        }
        text[used++] = ']';
        struct plan *plan = plan_parse(text, used, problem);
        assert_int_equal(plan != NULL, count == PLAN_CALLS_MAX);
        plan_destroy(plan);
    }
    assert_string_equal(problem, "the list has 65 calls: 64 are allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_are_taken_apart),
        cmocka_unit_test(test_what_is_wrong_is_said),
        cmocka_unit_test(test_arguments_go_out_as_they_came),
        cmocka_unit_test(test_the_number_of_calls_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
