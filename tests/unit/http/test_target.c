/*
 * Targets and hosts: the grammar as tables.
 */
#include "http/target.h"

#include <string.h>

#include "harness.h"

#define ABSENT NULL

static struct http_slice slice(const char *text)
{
    return (struct http_slice){text, strlen(text)};
}

static void assert_slice(struct http_slice have, const char *want)
{
    if (want == ABSENT) {
        assert_null(have.data);
        return;
    }
    assert_non_null(have.data);
    assert_int_equal(have.length, strlen(want));
    assert_memory_equal(have.data, want, have.length);
}

static void targets_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        enum http_method method;
        const char *path, *query, *authority;
    } rows[] = {
        {"/", HTTP_METHOD_GET, "/", ABSENT, ABSENT},
        {"/a/b", HTTP_METHOD_GET, "/a/b", ABSENT, ABSENT},
        {"/a?", HTTP_METHOD_GET, "/a", "", ABSENT},
        {"/a?b?c=/d", HTTP_METHOD_POST, "/a", "b?c=/d", ABSENT},
        {"//a", HTTP_METHOD_GET, "//a", ABSENT, ABSENT},
        {"/%zz", HTTP_METHOD_GET, "/%zz", ABSENT, ABSENT}, /* decoding is the router's business */
        {"*", HTTP_METHOD_OPTIONS, "*", ABSENT, ABSENT},
        {"http://h", HTTP_METHOD_GET, "/", ABSENT, "h"},
        {"http://h?q", HTTP_METHOD_GET, "/", "q", "h"},
        {"http://h/?q", HTTP_METHOD_GET, "/", "q", "h"},
        {"hTTps://[::1]:80/x?q", HTTP_METHOD_GET, "/x", "q", "[::1]:80"},
        {"h:443", HTTP_METHOD_CONNECT, ABSENT, ABSENT, "h:443"},
        {"[::1]:443", HTTP_METHOD_CONNECT, ABSENT, ABSENT, "[::1]:443"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target target;
        assert_true(target_parse(slice(rows[i].text), rows[i].method, &target));
        assert_slice(target.path, rows[i].path);
        assert_slice(target.query, rows[i].query);
        assert_slice(target.authority, rows[i].authority);
    }
}

static void other_forms_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum http_method method;
    } rows[] = {
        {"", HTTP_METHOD_GET},
        {"a", HTTP_METHOD_GET},
        {"?q", HTTP_METHOD_GET},
        {"*", HTTP_METHOD_GET},
        {"**", HTTP_METHOD_OPTIONS},
        {"/#", HTTP_METHOD_GET},
        {"/a?b#c", HTTP_METHOD_GET},
        {"/a b", HTTP_METHOD_GET},
        {"/\x7f", HTTP_METHOD_GET},
        {"/\xc3\xa9", HTTP_METHOD_GET},
        {"http://", HTTP_METHOD_GET},
        {"http:///", HTTP_METHOD_GET},
        {"http:/h", HTTP_METHOD_GET},
        {"http://u@h/", HTTP_METHOD_GET},
        {"http://h/#f", HTTP_METHOD_GET},
        {"ws://h/", HTTP_METHOD_GET},
        {"h:80", HTTP_METHOD_GET},
        {"h", HTTP_METHOD_CONNECT},
        {"[::1]", HTTP_METHOD_CONNECT},
        {"/", HTTP_METHOD_CONNECT},
        {"http://h/", HTTP_METHOD_CONNECT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target target;
        assert_false(target_parse(slice(rows[i].text), rows[i].method, &target));
        assert_slice(target.path, ABSENT);
        assert_slice(target.query, ABSENT);
        assert_slice(target.authority, ABSENT);
    }
}

static void hosts(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"a", true},
        {"a.example:8080", true},
        {"a:", true}, /* *DIGIT */
        {"127.0.0.1", true},
        {"a_b~c!$&'()*+,;=", true},
        {"%41%2f", true},
        {"[::1]", true},
        {"[::ffff:127.0.0.1]:1", true},
        {"[v1.a:b]", true},
        {"", false},
        {":80", false},
        {"a:b", false},
        {"a:80:80", false},
        {"a b", false},
        {"a/", false},
        {"a?", false},
        {"a#", false},
        {"a@b", false},
        {"a\\b", false},
        {"<a>", false},
        {"%4", false},
        {"%4g", false},
        {"::1", false},
        {"[::1", false},
        {"[]", false},
        {"[1.2.3.4]", false},
        {"[::1]a", false},
        {"[fe80::1%25eth0]", false},
        {"[v.a]", false},
        {"[v1.]", false},
        {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(host_is_valid(slice(rows[i].text)), rows[i].valid);
    }
    assert_false(host_is_valid((struct http_slice){"[::1\0]", 6}));
    assert_false(host_is_valid((struct http_slice){NULL, 0}));
}

/* RFC 9110, 5.6.2, from the other side: every byte. */
static void tokens(void **state)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    (void)state;
    for (int i = 0; i < 256; i++) {
        const char byte = (char)i;
        const bool want = i != 0 && strchr(tchars, byte) != NULL;
        assert_int_equal(token_span(&byte, 1), want ? 1 : 0);
    }
    assert_int_equal(token_span("ab c", 4), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(hosts),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
