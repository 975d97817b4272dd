/*
 * Times: the grammar, the calendar, zones, and the two ends of what is taken. Seconds since 1970 were
 * computed by date(1).
 */
#include "faults/timestamp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/buffer.h"
#include "telemetry/clock.h"

#define S TEL_NS_PER_SECOND

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t wall_ns;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000000001Z", 1},
        {"2026-11-26T08:00:00Z", 1795680000 * S},
        {"2026-11-26t08:00:00z", 1795680000 * S},
        {"2026-11-26T08:00:00.5Z", 1795680000 * S + S / 2},
        {"2026-11-26T08:00:00.123456789Z", 1795680000 * S + 123456789},
        {"2026-11-26T08:00:00+00:00", 1795680000 * S},
        {"2026-11-26T08:00:00-00:00", 1795680000 * S}, /* where, is not known; when, is */
        {"2026-11-26T09:30:00+01:30", 1795680000 * S},
        {"2026-11-25T22:15:00.25-09:45", 1795680000 * S + S / 4},
        {"2026-11-27T07:59:00+23:59", 1795680000 * S},
        {"2024-02-29T23:59:59Z", 1709251199 * S},
        {"2000-02-29T00:00:00Z", 951782400 * S},
        {"2100-03-01T00:00:00Z", 4107542400 * S}, /* 2100 has no leap day */
        {"2400-02-29T00:00:00Z", 13574563200 * S},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T23:00:00-01:00", 0},
        {"2499-12-31T23:59:59.999999999Z", 16725225600 * S - 1},
        {"2500-01-01T00:59:59+01:00", 16725225599 * S},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t wall_ns = 77;
        assert_int_equal(timestamp_parse(rows[i].text, &wall_ns), 0);
        if (wall_ns != rows[i].wall_ns) {
            fail_msg("%s gave %llu", rows[i].text, (unsigned long long)wall_ns);
        }
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const struct {
        const char *text;
        int result;
    } rows[] = {
        {"", -EINVAL},
        {"yesterday", -EINVAL},
        {"1795680000", -EINVAL},
        {"2026-11-26", -EINVAL},
        {"2026-11-26T08:00:00", -EINVAL}, /* no zone */
        {"2026-11-26 08:00:00Z", -EINVAL},
        {"2026-11-26T08:00Z", -EINVAL},
        {"2026-11-26T8:00:00Z", -EINVAL},
        {"26-11-26T08:00:00Z", -EINVAL},
        {"02026-11-26T08:00:00Z", -EINVAL},
        {"+2026-11-26T08:00:00Z", -EINVAL},
        {"2026-11-26T08:00:00.Z", -EINVAL},
        {"2026-11-26T08:00:00,5Z", -EINVAL},
        {"2026-11-26T08:00:00.1234567890Z", -EINVAL}, /* ten digits */
        {"2026-11-26T08:00:00Z ", -EINVAL},
        {" 2026-11-26T08:00:00Z", -EINVAL},
        {"2026-11-26T08:00:00ZZ", -EINVAL},
        {"2026-11-26T08:00:00+1:00", -EINVAL},
        {"2026-11-26T08:00:00+0100", -EINVAL},
        {"2026-11-26T08:00:00+01", -EINVAL},
        {"2026-11-26T08:00:00+24:00", -EINVAL},
        {"2026-11-26T08:00:00+01:60", -EINVAL},
        {"2026-11-26T08:00:00UTC", -EINVAL},
        {"2026-00-26T08:00:00Z", -EINVAL},
        {"2026-13-26T08:00:00Z", -EINVAL},
        {"2026-11-00T08:00:00Z", -EINVAL},
        {"2026-11-31T08:00:00Z", -EINVAL},
        {"2026-02-29T08:00:00Z", -EINVAL},
        {"2100-02-29T08:00:00Z", -EINVAL},
        {"2026-11-26T24:00:00Z", -EINVAL},
        {"2026-11-26T08:60:00Z", -EINVAL},
        {"2026-11-26T08:00:61Z", -EINVAL},
        {"2016-12-31T23:59:60Z", -EINVAL}, /* a leap second that was: not on this clock */
        {"1969-12-31T23:59:59Z", -ERANGE},
        {"1970-01-01T00:00:00+00:01", -ERANGE},
        {"0000-01-01T00:00:00Z", -ERANGE},
        {"0001-01-01T00:00:00Z", -ERANGE},
        {"2500-01-01T00:00:00Z", -ERANGE},
        {"2499-12-31T23:59:59-00:01", -ERANGE},
        {"9999-12-31T23:59:59Z", -ERANGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t wall_ns = 77;
        const int result = timestamp_parse(rows[i].text, &wall_ns);
        if (result != rows[i].result) {
            fail_msg("`%s` gave %d", rows[i].text, result);
        }
        assert_int_equal(wall_ns, 77);
    }
}

/* Every prefix of a time is none, and none is read past its end. */
static void what_is_cut_short_is_refused(void **state)
{
    static const char whole[] = "2026-11-26T08:00:00.123-09:45";
    (void)state;
    for (size_t length = 0; length < sizeof(whole) - 1; length++) {
        char text[sizeof(whole)];
        uint64_t wall_ns = 77;
        memcpy(text, whole, length);
        memset(text + length, 0, sizeof(text) - length);
        assert_int_equal(timestamp_parse(text, &wall_ns), -EINVAL);
        assert_int_equal(wall_ns, 77);
    }
}

/* The library writes what is read here: each day of five centuries, and odd nanoseconds. */
static void what_is_written_reads_back(void **state)
{
    const uint64_t step = 86400 * S + 12345678912345;
    (void)state;
    for (uint64_t wall_ns = 0; wall_ns < 16725225600 * S; wall_ns += step) {
        struct tel_buffer text;
        uint64_t again = 0;
        tel_buffer_init(&text, 64);
        tel_buffer_append_time(&text, wall_ns, 9);
        tel_buffer_append_char(&text, '\0');
        assert_int_equal(text.error, 0);
        assert_int_equal(timestamp_parse(text.data, &again), 0);
        assert_int_equal(again, wall_ns);
        tel_buffer_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(what_is_cut_short_is_refused),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
