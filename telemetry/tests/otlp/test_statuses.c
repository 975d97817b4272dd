/*
 * Failing HTTP statuses: each code has its count, up to a bound, and no span is in two.
 */
#include "otlp/statuses.h"

#include "support.h"

/* All rows, `text=spans` each. */
static void describe(const struct tel__statuses *statuses, char *out, size_t size)
{
    char text[TEL__STATUS_TEXT];
    uint64_t spans;
    size_t at = 0;
    for (size_t i = 0; tel__statuses_read(statuses, i, text, &spans) == 0; i++) {
        at += (size_t)snprintf(out + at, size - at, "%s=%llu ", text, (unsigned long long)spans);
        assert_true(at < size);
    }
}

static void assert_rows(const struct tel__statuses *statuses, const char *expected)
{
    char text[512] = "";
    describe(statuses, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_codes_in_the_order_they_came(void **state)
{
    (void)state;
    struct tel__statuses statuses = {0};
    assert_rows(&statuses, "status=0 ");
    tel__statuses_add(&statuses, 503, 5);
    tel__statuses_add(&statuses, 400, 1);
    tel__statuses_add(&statuses, 503, 2);
    assert_rows(&statuses, "503=7 400=1 status=0 ");
    tel__statuses_add(&statuses, 0, 3); /* not known */
    assert_rows(&statuses, "503=7 400=1 status=3 ");
}

static void test_there_is_an_end(void **state)
{
    (void)state;
    struct tel__statuses statuses = {0};
    for (unsigned code = 400; code < 420; code++) {
        tel__statuses_add(&statuses, code, 1);
    }
    tel__statuses_add(&statuses, 407, 1); /* one that has its row keeps it */
    assert_rows(&statuses, "400=1 401=1 402=1 403=1 404=1 405=1 406=1 407=2 status=12 ");
    char text[TEL__STATUS_TEXT];
    uint64_t spans;
    assert_int_equal(tel__statuses_read(&statuses, SIZE_MAX, text, &spans), -ENOENT);
}

/* A duration goes under the same name as the spans. */
static void test_names(void **state)
{
    (void)state;
    static const struct {
        unsigned code;
        const char *name;
    } cases[] = {{400, "400"}, {407, "407"}, {408, "status"}, {0, "status"}};
    struct tel__statuses statuses = {0};
    for (unsigned code = 400; code < 409; code++) {
        tel__statuses_add(&statuses, code, 1);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[TEL__STATUS_TEXT];
        tel__statuses_name(&statuses, cases[i].code, text);
        assert_string_equal(text, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_in_the_order_they_came),
        cmocka_unit_test(test_there_is_an_end),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
