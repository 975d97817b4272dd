/*
 * Values of options: what is taken, how it is written back, and in which words it is refused.
 */
#include "option_value.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Room for a value of any type. */
union value {
    uint64_t number;
    double ratio;
    bool boolean;
    unsigned choice;
    const char *string;
    struct address address;
    struct address_list list;
};

struct row {
    struct option_rule rule;
    const char *text;
    int result;
    const char *words; /* the value written back, or a part of the problem */
};

/* Parses into a zeroed value and compares what comes out. */
static void check(const struct row *row)
{
    union value value;
    struct tel_buffer out;
    memset(&value, 0, sizeof(value));
    tel_buffer_init(&out, 4096);
    assert_int_equal(option_value_parse(&row->rule, row->text, &value, &out), row->result);
    if (row->result == 0) {
        assert_int_equal(out.length, 0);
        option_value_format(&row->rule, &value, &out);
        tel_buffer_append_char(&out, '\0');
        assert_string_equal(out.data, row->words);
    } else {
        union value untouched;
        memset(&untouched, 0, sizeof(untouched));
        assert_memory_equal(&value, &untouched, sizeof(value));
        tel_buffer_append_char(&out, '\0');
        if (strstr(out.data, row->words) == NULL) {
            fail_msg("`%s` gave: %s", row->text, out.data);
        }
    }
    tel_buffer_fini(&out);
}

static void check_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(&rows[i]);
    }
}
#define CHECK_ALL(rows) check_all(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_fields(void **state)
{
    (void)state;
    const struct option_rule any = {OPTION_FIELDS, 0, 40, NULL};
    const struct row rows[] = {
        {any, "", 0, ""}, /* the format's own list */
        {any, "date time sc-status", 0, "date time sc-status"},
        {any, "date,cs(Cookie),x-trace-id", 0, "date,cs(Cookie),x-trace-id"},
        {any, "date no-such-field", -EINVAL, "no-such-field"},
        {any, "date date date date date date date date date", -EINVAL, ""},
    };
    CHECK_ALL(rows);
}

static void test_count(void **state)
{
    (void)state;
    const struct option_rule any = {OPTION_COUNT, 0, UINT64_MAX, NULL};
    const struct option_rule some = {OPTION_COUNT, 400, 599, NULL};
    const struct row rows[] = {
        {any, "0", 0, "0"},
        {any, "18446744073709551615", 0, "18446744073709551615"},
        {any, "007", 0, "7"},
        {any, "18446744073709551616", -EINVAL, "whole number"},
        {any, "", -EINVAL, "whole number"},
        {any, "-1", -EINVAL, "`-1` is not"},
        {any, "+1", -EINVAL, "whole number"},
        {any, " 1", -EINVAL, "whole number"},
        {any, "1.0", -EINVAL, "whole number"},
        {any, "0x10", -EINVAL, "whole number"},
        {some, "400", 0, "400"},
        {some, "599", 0, "599"},
        {some, "399", -ERANGE, "`399` is out of range: 400 to 599"},
        {some, "600", -ERANGE, "out of range"},
    };
    CHECK_ALL(rows);
}

static void test_size(void **state)
{
    (void)state;
    const struct option_rule any = {OPTION_SIZE, 0, UINT64_MAX, NULL};
    const struct option_rule some = {OPTION_SIZE, 256, 1 << 20, NULL};
    const struct row rows[] = {
        {any, "0", 0, "0"},
        {any, "512", 0, "512"},
        {any, "512b", 0, "512"},
        {any, "8k", 0, "8KiB"},
        {any, "8K", 0, "8KiB"},
        {any, "1024KiB", 0, "1MiB"},
        {any, "1.5m", 0, "1536KiB"},
        {any, "2GiB", 0, "2GiB"},
        {any, "1KB", -EINVAL, "not a size"}, /* 1000 or 1024? */
        {any, "k", -EINVAL, "not a size"},
        {any, "1 k", -EINVAL, "not a size"},
        {any, "0.3", -EINVAL, "not a size"},
        {any, "99999999999g", -EINVAL, "not a size"},
        {some, "255", -ERANGE, "256 to 1MiB"},
        {some, "2m", -ERANGE, "`2m` is out of range"},
    };
    CHECK_ALL(rows);
}

static void test_duration(void **state)
{
    (void)state;
    const struct option_rule any = {OPTION_DURATION, 0, UINT64_MAX, NULL};
    const struct option_rule some = {OPTION_DURATION, 1, 60000, NULL};
    const struct row rows[] = {
        {any, "0", 0, "0s"},
        {any, "0s", 0, "0s"},
        {any, "500ms", 0, "500ms"},
        {any, "1500ms", 0, "1500ms"},
        {any, "2s", 0, "2s"},
        {any, "2000ms", 0, "2s"},
        {any, "0.5s", 0, "500ms"},
        {any, "1.5m", 0, "90s"},
        {any, "60S", 0, "60s"},
        {any, "5m", 0, "5m"},
        {any, "24h", 0, "24h"},
        {any, "500", -EINVAL, "duration with a unit"}, /* of what? */
        {any, "1.5ms", -EINVAL, "duration"},
        {any, "0.0000000001s", -EINVAL, "duration"},
        {any, "1.s", -EINVAL, "duration"},
        {any, ".5s", -EINVAL, "duration"},
        {any, "-1s", -EINVAL, "duration"},
        {any, "1d", -EINVAL, "duration"},
        {any, "9999999999999999h", -EINVAL, "duration"},
        {some, "0", -ERANGE, "1ms to 60s"},
        {some, "61s", -ERANGE, "`61s` is out of range"},
    };
    CHECK_ALL(rows);
}

static void test_ratio(void **state)
{
    (void)state;
    const struct option_rule rule = {OPTION_RATIO, 0, 1, NULL};
    const struct row rows[] = {
        {rule, "0", 0, "0"},
        {rule, "1", 0, "1"},
        {rule, "1.000", 0, "1"},
        {rule, "0.1", 0, "0.1"},
        {rule, "0.123456789", 0, "0.123456789"},
        {rule, "1.1", -ERANGE, "0 to 1"},
        {rule, "2", -ERANGE, "0 to 1"},
        {rule, "0.000018446", 0, "0.000018446"}, /* no exponent: it could not be read back */
        {rule, "0.000000001", 0, "0.000000001"},
        {rule, "0.999999999", 0, "0.999999999"},
        {rule, "10%", -EINVAL, "not a ratio"},
        {rule, "nan", -EINVAL, "not a ratio"},
        {rule, "1e-1", -EINVAL, "not a ratio"},
        {rule, "", -EINVAL, "not a ratio"},
    };
    CHECK_ALL(rows);
}

static void test_boolean_and_choice(void **state)
{
    (void)state;
    const struct option_rule truth = {OPTION_BOOLEAN, 0, 0, NULL};
    const struct option_rule level = {OPTION_CHOICE, 0, 0, "debug|info|warn|error"};
    const struct row rows[] = {
        {truth, "true", 0, "true"},
        {truth, "Yes", 0, "true"},
        {truth, "on", 0, "true"},
        {truth, "1", 0, "true"},
        {truth, "FALSE", 0, "false"},
        {truth, "no", 0, "false"},
        {truth, "off", 0, "false"},
        {truth, "0", 0, "false"},
        {truth, "2", -EINVAL, "neither true nor false"},
        {truth, "", -EINVAL, "neither"},
        {level, "debug", 0, "debug"},
        {level, "error", 0, "error"},
        {level, "WARN", 0, "warn"},
        {level, "warning", -EINVAL, "`warning` is none of debug|info|warn|error"},
        {level, "info|warn", -EINVAL, "is none of"},
        {level, "", -EINVAL, "is none of"},
    };
    CHECK_ALL(rows);
}

static void test_string(void **state)
{
    (void)state;
    const struct option_rule rule = {OPTION_STRING, 1, 8, NULL};
    const struct row rows[] = {
        {rule, "-", 0, "-"},
        {rule, "8 bytes!", 0, "8 bytes!"},
        {rule, "", -ERANGE, "has 0 bytes: 1 to 8 are allowed"},
        {rule, "nine bytes", -ERANGE, "has 10 bytes"},
    };
    CHECK_ALL(rows);
}

static void test_addresses(void **state)
{
    (void)state;
    const struct option_rule one = {OPTION_ADDRESS, 0, 1, NULL};
    const struct option_rule some = {OPTION_ADDRESSES, 1, 3, NULL};
    const struct row rows[] = {
        {one, "", 0, ""},
        {one, ":80", 0, "*:80"},
        {one, "[::1]:80", 0, "[::1]:80"},
        {one, "nowhere", -EINVAL, "is not ADDR:PORT"},
        {one, "127.0.0.1:1,127.0.0.1:2", -EINVAL, "is not ADDR:PORT"},
        {some, "127.0.0.1:1", 0, "127.0.0.1:1"},
        {some, "127.0.0.1:1,[::1]:2,*:3", 0, "127.0.0.1:1,[::1]:2,*:3"},
        {some, "127.0.0.1:1,", -EINVAL, "is not ADDR:PORT"},
        {some, "", -EINVAL, "is not ADDR:PORT"},
        {some, ":1,:2,:3,:4", -ERANGE, "more than 3 addresses"},
    };
    CHECK_ALL(rows);
}

/* A list grows, and stays as it was when what is added is bad. */
static void test_addresses_are_appended(void **state)
{
    (void)state;
    const struct option_rule rule = {OPTION_ADDRESSES, 1, 3, NULL};
    struct address_list list = {.count = 0};
    struct tel_buffer out;
    tel_buffer_init(&out, 4096);
    assert_int_equal(option_value_parse(&rule, ":1", &list, &out), 0);
    assert_int_equal(option_value_parse(&rule, ":2,:3", &list, &out), 0);
    assert_int_equal(option_value_parse(&rule, ":4", &list, &out), -ERANGE);
    tel_buffer_clear(&out);
    option_value_format(&rule, &list, &out);
    assert_int_equal(out.length, strlen("*:1,*:2,*:3"));
    assert_memory_equal(out.data, "*:1,*:2,*:3", out.length);
    tel_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_boolean_and_choice),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_addresses_are_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
