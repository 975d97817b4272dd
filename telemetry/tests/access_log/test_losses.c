/*
 * Losses: what is said, when it counts as said, and that nothing is said twice or never.
 */
#include "support.h"

#include "access_log/losses.h"

/* The remark as a string in static memory. */
static const char *remark(struct tel__losses *losses)
{
    static char content[TEL__REMARK_MAX];
    struct tel_buffer out;
    tel_buffer_init(&out, sizeof(content) - 1);
    tel__losses_append(losses, &out);
    assert_int_equal(out.error, 0);
    memcpy(content, out.data, out.length);
    content[out.length] = '\0';
    tel_buffer_fini(&out);
    return content;
}

static void test_wording(void **state)
{
    (void)state;
    static const struct {
        uint64_t queue_full, write_error;
        const char *expected;
    } cases[] = {
        {1, 0, "1 line lost (reason=queue_full)"},
        {12, 0, "12 lines lost (reason=queue_full)"},
        {0, 7, "7 lines lost (reason=write_error)"},
        {12, 7, "19 lines lost (reason=queue_full:12,write_error:7)"},
        {UINT64_MAX / 2, UINT64_MAX / 2,
         "18446744073709551614 lines lost "
         "(reason=queue_full:9223372036854775807,write_error:9223372036854775807)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__losses losses = {
            .known = {[TEL_ACCESS_QUEUE_FULL] = cases[i].queue_full,
                      [TEL_ACCESS_WRITE_ERROR] = cases[i].write_error},
        };
        assert_string_equal(remark(&losses), cases[i].expected);
    }
}

/* The next remark speaks of what is new only. */
static void test_said_once(void **state)
{
    (void)state;
    struct tel__losses losses = {.known = {[TEL_ACCESS_QUEUE_FULL] = 10}};
    assert_int_equal(tel__losses_unsaid(&losses), 10);
    remark(&losses);
    assert_int_equal(tel__losses_unsaid(&losses), 10); /* composed is not said */
    losses.known[TEL_ACCESS_QUEUE_FULL] = 15;          /* more while it is under way */
    assert_int_equal(tel__losses_settle(&losses), 10);
    assert_int_equal(tel__losses_unsaid(&losses), 5);
    assert_string_equal(remark(&losses), "5 lines lost (reason=queue_full)");
    assert_int_equal(tel__losses_settle(&losses), 5);
    assert_int_equal(tel__losses_settle(&losses), 0);
    assert_int_equal(tel__losses_unsaid(&losses), 0);
}

/* A remark that did not get out is said again, together with what came since. */
static void test_forgotten(void **state)
{
    (void)state;
    struct tel__losses losses = {.known = {[TEL_ACCESS_WRITE_ERROR] = 3}};
    remark(&losses);
    tel__losses_forget(&losses);
    assert_int_equal(tel__losses_settle(&losses), 0);
    losses.known[TEL_ACCESS_WRITE_ERROR] = 4;
    assert_string_equal(remark(&losses), "4 lines lost (reason=write_error)");
}

/* Label values are an interface: dashboards and alerts go by them. */
static void test_names(void **state)
{
    (void)state;
    assert_string_equal(tel_access_drop_name(TEL_ACCESS_QUEUE_FULL), "queue_full");
    assert_string_equal(tel_access_drop_name(TEL_ACCESS_WRITE_ERROR), "write_error");
    assert_string_equal(tel_access_drop_name(TEL_ACCESS_SHUTDOWN), "shutdown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wording),
        cmocka_unit_test(test_said_once),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
