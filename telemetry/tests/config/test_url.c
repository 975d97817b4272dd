/*
 * Endpoint URLs: how a signal's URL comes out of what the operator wrote, and what of it is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/url.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_compose_appends_to_the_base(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"http://localhost:4318", "http://localhost:4318/v1/traces"},
        {"http://localhost:4318/", "http://localhost:4318/v1/traces"},
        {"https://h/otlp", "https://h/otlp/v1/traces"},
        {"https://h/otlp/", "https://h/otlp/v1/traces"},
        {"http://[::1]:4318", "http://[::1]:4318/v1/traces"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *url = tel__url_compose(cases[i][0], "v1/traces");
        assert_string_equal(url, cases[i][1]);
        free(url);
    }
}

static void test_complete_adds_only_a_missing_path(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"http://h:4318", "http://h:4318/"},
        {"http://h:4318/", "http://h:4318/"},
        {"http://h/v1/traces", "http://h/v1/traces"},
        {"http://h/p?q=1", "http://h/p?q=1"},
        {"http://h?q=/", "http://h/?q=/"},
        {"http://user@h", "http://user@h/"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *url = tel__url_complete(cases[i][0]);
        assert_string_equal(url, cases[i][1]);
        free(url);
    }
}

static void test_mask_covers_user_and_password(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"http://h:4318/v1", "http://h:4318/v1"},
        {"http://user:secret@h:4318/v1?q", "http://***@h:4318/v1?q"},
        {"http://token@h", "http://***@h"},
        {"http://a@b:p@h/", "http://***@h/"},
        {"http://h/path@v2", "http://h/path@v2"}, /* behind the authority @ is nothing special */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[64];
        tel__url_mask(cases[i][0], out, sizeof(out));
        assert_string_equal(out, cases[i][1]);
    }
    char small[12];
    tel__url_mask("http://user:secret@host", small, sizeof(small));
    assert_string_equal(small, "http://***@"); /* cut, and still no secret */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compose_appends_to_the_base),
        cmocka_unit_test(test_complete_adds_only_a_missing_path),
        cmocka_unit_test(test_mask_covers_user_and_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
