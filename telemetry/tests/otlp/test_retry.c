/*
 * When to try again: backoff, which statuses, Retry-After in all its forms.
 */
#include "otlp/retry.h"

#include "support.h"

#define NOW 784111700 /* Sun, 06 Nov 1994 08:48:20 GMT */

static void test_backoff(void **state)
{
    (void)state;
    static const struct {
        unsigned failures;
        uint32_t middle_ms;
    } cases[] = {{1, 1000}, {2, 1500}, {3, 2250}, {4, 3375}, {5, 5000}, {6, 5000}, {1000000, 5000}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t middle_ms = cases[i].middle_ms;
        uint32_t spread_ms = middle_ms * 2 / 5;
        assert_int_equal(tel__retry_backoff_ms(cases[i].failures, 0), middle_ms - spread_ms / 2);
        assert_int_equal(tel__retry_backoff_ms(cases[i].failures, spread_ms),
                         middle_ms - spread_ms / 2 + spread_ms);
        uint32_t any_ms = tel__retry_backoff_ms(cases[i].failures, 0x123456789abcdefu);
        assert_in_range(any_ms, middle_ms - spread_ms / 2, middle_ms + spread_ms / 2 + 1);
    }
}

static void test_statuses(void **state)
{
    (void)state;
    static const int retryable[] = {429, 502, 503, 504};
    static const int final[] = {100, 200, 204, 301, 400, 401, 403, 404, 408, 413, 500, 501, 505};
    for (size_t i = 0; i < COUNT(retryable); i++) {
        assert_true(tel__retry_is_retryable(retryable[i]));
    }
    for (size_t i = 0; i < COUNT(final); i++) {
        assert_false(tel__retry_is_retryable(final[i]));
    }
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int result;
        uint32_t delay_ms;
    } cases[] = {
        {"0", 0, 0},
        {"1", 0, 1000},
        {"120", 0, 120000},
        {"600", 0, 600000},
        {"601", 0, 600000},
        {"99999999999999999999999999", 0, 600000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0, 77000}, /* the three forms of RFC 9110 5.6.7 */
        {"Sunday, 06-Nov-94 08:49:37 GMT", 0, 77000},
        {"Sun Nov  6 08:49:37 1994", 0, 77000},
        {"Sun Nov 06 08:49:37 1994", 0, 77000},
        {"Sun, 06 Nov 1994 08:48:20 GMT", 0, 0}, /* now */
        {"Sun, 06 Nov 1994 08:48:19 GMT", 0, 0}, /* past */
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
        {"Mon, 06 Nov 2034 08:49:37 GMT", 0, 600000},
        {"Friday, 06-Nov-43 08:49:37 GMT", 0, 600000},  /* 2043: within 50 years of 1994 */
        {"Monday, 06-Nov-45 08:49:37 GMT", -EINVAL, 0}, /* so 1945: before the epoch */
        {"", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1.5", -EINVAL, 0},
        {"1s", -EINVAL, 0},
        {"soon", -EINVAL, 0},
        {"Sun, 06 Nov 1994 08:49:37", -EINVAL, 0},
        {"Sun, 06 Nov 1994 08:49:37 UTC", -EINVAL, 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -EINVAL, 0},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -EINVAL, 0},
        {"Sun, 06 nov 1994 08:49:37 GMT", -EINVAL, 0},
        {"Sun, 00 Nov 1994 08:49:37 GMT", -EINVAL, 0},
        {"Sun, 32 Nov 1994 08:49:37 GMT", -EINVAL, 0},
        {"Sun, 06 Nov 1994 24:49:37 GMT", -EINVAL, 0},
        {"Sun, 06 Nov 1994 08:60:37 GMT", -EINVAL, 0},
        {"Sun, 06 Nov 1994 08:49:61 GMT", -EINVAL, 0},
        {", 06 Nov 1994 08:49:37 GMT", -EINVAL, 0},
        {"Sun, 06 Nov 199", -EINVAL, 0},
        {"Sun, 06 No", -EINVAL, 0},
        {"Sun,", -EINVAL, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t delay_ms = 12345;
        int result = tel__retry_after_parse(cases[i].value, strlen(cases[i].value), NOW, &delay_ms);
        if (result != cases[i].result || (result == 0 && delay_ms != cases[i].delay_ms)) {
            fail_msg("`%s`: %d, %u ms", cases[i].value, result, delay_ms);
        }
    }
    char endless[TEL__RETRY_AFTER_TEXT_MAX + 1];
    uint32_t delay_ms;
    memset(endless, '1', sizeof(endless));
    assert_int_equal(tel__retry_after_parse(endless, sizeof(endless), NOW, &delay_ms), -EINVAL);
}

/* What the collector says is the least; and saying 0 for ever does not make us spin. */
static void test_wait(void **state)
{
    (void)state;
    assert_int_equal(tel__retry_after_wait_ms(0, 0), TEL__RETRY_AFTER_MIN_MS);
    assert_int_equal(tel__retry_after_wait_ms(1000, 0), 1000);
    assert_int_equal(tel__retry_after_wait_ms(1000, 100), 1100);
    assert_int_equal(tel__retry_after_wait_ms(1000, 101), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
