/*
 * Header lists: `k=v,k=v`.
 */
#include "otlp/headers.h"

#include "support.h"

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        size_t count;
        struct tel__header wanted[3];
    } cases[] = {
        {NULL, 0, {{0}}},
        {"", 0, {{0}}},
        {" , ,,", 0, {{0}}},
        {"api-key=secret", 1, {{"api-key", "secret"}}},
        {"a=1,b=2,c=3", 3, {{"a", "1"}, {"b", "2"}, {"c", "3"}}},
        {" a = 1 ,\tb=2", 2, {{"a", "1"}, {"b", "2"}}},
        {"a=b=c", 1, {{"a", "b=c"}}},
        {"a=", 1, {{"a", ""}}},
        {"a=x%2Cy%20z", 1, {{"a", "x,y z"}}},
        {"authorization=Bearer%20abc", 1, {{"authorization", "Bearer abc"}}},
        {"a=caf%C3%A9", 1, {{"a", "caf\xc3\xa9"}}},
        {"a=1,a=2", 2, {{"a", "1"}, {"a", "2"}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__headers headers;
        const char *reason;
        assert_int_equal(tel__headers_parse(cases[i].list, &headers, &reason), 0);
        assert_int_equal(headers.count, cases[i].count);
        for (size_t k = 0; k < headers.count; k++) {
            assert_string_equal(headers.items[k].name, cases[i].wanted[k].name);
            assert_string_equal(headers.items[k].value, cases[i].wanted[k].value);
        }
        tel__headers_fini(&headers);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *reason; /* a part of it */
    } cases[] = {
        {"secret", "no `=`"},
        {"a=1,secret", "no `=`"},
        {"=1", "not a header's name"},
        {"a b=1", "not a header's name"},
        {"a:b=1", "not a header's name"},
        {"caf\xc3\xa9=1", "not a header's name"},
        {"a=%", "two hex digits"},
        {"a=%4", "two hex digits"},
        {"a=%zz", "two hex digits"},
        {"a=x%0d%0aX-Evil: 1", "control character"},
        {"a=x%00y", "control character"},
        {"a=\x7f", "control character"},
        {"Host=evil", "exporter's own"},
        {"content-length=0", "exporter's own"},
        {"Transfer-Encoding=chunked", "exporter's own"},
        {"CONTENT-TYPE=text/plain", "exporter's own"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__headers headers;
        const char *reason = "";
        int result = tel__headers_parse(cases[i].list, &headers, &reason);
        if (result != -EINVAL || strstr(reason, cases[i].reason) == NULL) {
            fail_msg("%s: %d, %s", cases[i].list, result, reason);
        }
        assert_null(strstr(reason, "secret"));
        assert_null(headers.text);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    char list[TEL__HEADERS_TEXT_MAX + 2];
    struct tel__headers headers;
    const char *reason;
    size_t length = 0;
    for (int i = 0; i < TEL__HEADERS_MAX; i++) {
        length += (size_t)sprintf(list + length, "h%d=%d,", i, i);
    }
    assert_int_equal(tel__headers_parse(list, &headers, &reason), 0);
    assert_int_equal(headers.count, TEL__HEADERS_MAX);
    tel__headers_fini(&headers);
    strcpy(list + length, "one=more");
    assert_int_equal(tel__headers_parse(list, &headers, &reason), -EINVAL);
    assert_string_equal(reason, "there are too many");
    memset(list, 'a', sizeof(list) - 1);
    list[1] = '=';
    list[sizeof(list) - 1] = '\0';
    assert_int_equal(tel__headers_parse(list, &headers, &reason), -EINVAL);
    assert_string_equal(reason, "they are too long");
    list[sizeof(list) - 2] = '\0';
    assert_int_equal(tel__headers_parse(list, &headers, &reason), 0);
    tel__headers_fini(&headers);
}

static void test_get(void **state)
{
    (void)state;
    struct tel__headers headers;
    const char *reason;
    assert_int_equal(tel__headers_parse("User-Agent=me,X-A=1", &headers, &reason), 0);
    assert_string_equal(tel__headers_get(&headers, "user-agent"), "me");
    assert_string_equal(tel__headers_get(&headers, "x-a"), "1");
    assert_null(tel__headers_get(&headers, "x"));
    tel__headers_fini(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
