/*
 * Times as RFC 3339 has them, from the epoch to the end of what 64 bits of nanoseconds hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "telemetry/buffer.h"

static const struct {
    uint64_t wall_ns;
    unsigned digits;
    const char *text;
} cases[] = {
    {0, 3, "1970-01-01T00:00:00.000Z"},
    {1735787045678901234, 1, "2025-01-02T03:04:05.6Z"},
    {1735787045678901234, 3, "2025-01-02T03:04:05.678Z"},
    {1735787045678901234, 6, "2025-01-02T03:04:05.678901Z"},
    {1735787045678901234, 9, "2025-01-02T03:04:05.678901234Z"},
    {1709208000000000001, 9, "2024-02-29T12:00:00.000000001Z"}, /* zeros stay, in a leap year */
    {1767225599999999999, 3, "2025-12-31T23:59:59.999Z"},       /* cut: it is not next year yet */
    {UINT64_MAX, 6, "2554-07-21T23:34:33.709551Z"},
};

static void test_times(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tel_buffer_clear(&buffer);
        tel_buffer_append_time(&buffer, cases[i].wall_ns, cases[i].digits);
        assert_int_equal(buffer.length, strlen(cases[i].text));
        assert_memory_equal(buffer.data, cases[i].text, buffer.length);
    }
    tel_buffer_fini(&buffer);
}

static void test_the_time_zone_is_not_asked(void **state)
{
    (void)state;
    setenv("TZ", "XYZ-5", 1);
    tzset();
    test_times(state);
    unsetenv("TZ");
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_the_time_zone_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
