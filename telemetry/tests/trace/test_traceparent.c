/*
 * traceparent by the rules of W3C Trace Context level 2, 3.2, a case a rule.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/trace.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"

static const uint8_t trace_id[16] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                     0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
static const uint8_t span_id[8] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};

static void test_good_ones(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint8_t flags;
        const char *what;
    } cases[] = {
        {"00-" TRACE "-" SPAN "-00", 0, "not sampled"},
        {"00-" TRACE "-" SPAN "-01", TEL_FLAG_SAMPLED, "sampled"},
        {"00-" TRACE "-" SPAN "-02", TEL_FLAG_RANDOM, "random"},
        {"00-" TRACE "-" SPAN "-ff", TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM, "flags nobody knows go"},
        {"00-" TRACE "-" SPAN "-fc", 0, "only flags nobody knows"},
        {"01-" TRACE "-" SPAN "-01", TEL_FLAG_SAMPLED, "a later version as long as ours"},
        {"cc-" TRACE "-" SPAN "-01-what the future brings", TEL_FLAG_SAMPLED, "a longer one"},
        {"fe-" TRACE "-" SPAN "-01-", TEL_FLAG_SAMPLED, "a dash alone"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_context context = {0};
        if (tel_traceparent_parse(cases[i].value, strlen(cases[i].value), &context) != 0) {
            fail_msg("%s", cases[i].what);
        }
        assert_memory_equal(context.trace_id, trace_id, sizeof(trace_id));
        assert_memory_equal(context.span_id, span_id, sizeof(span_id));
        assert_int_equal(context.flags, cases[i].flags);
    }
}

static void test_bad_ones_touch_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *what;
    } cases[] = {
        {"", "empty"},
        {"00", "cut after the version"},
        {"00-" TRACE "-" SPAN "-0", "cut in the flags"},
        {"00-" TRACE "-" SPAN, "no flags"},
        {"00-" TRACE "-" SPAN "-01 ", "a blank behind"},
        {"00-" TRACE "-" SPAN "-01-", "version 00 ends after the flags"},
        {"00-" TRACE "-" SPAN "-01-more", "version 00 ends after the flags"},
        {"01-" TRACE "-" SPAN "-01more", "a later version goes on behind a dash"},
        {"ff-" TRACE "-" SPAN "-01", "ff is no version"},
        {"0x-" TRACE "-" SPAN "-01", "version not hex"},
        {"0A-" TRACE "-" SPAN "-01", "version in upper case"},
        {"00-00000000000000000000000000000000-" SPAN "-01", "trace id all zero"},
        {"00-" TRACE "-0000000000000000-01", "span id all zero"},
        {"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", "trace id in upper case"},
        {"00-" TRACE "-B7AD6B7169203331-01", "span id in upper case"},
        {"00-0af7651916cd43dd8448eb211c80319g-" SPAN "-01", "trace id not hex"},
        {"00-" TRACE "-b7ad6b716920333.-01", "span id not hex"},
        {"00-" TRACE "-" SPAN "-0A", "flags in upper case"},
        {"00-" TRACE "-" SPAN "-x1", "flags not hex"},
        {"00_" TRACE "-" SPAN "-01", "wrong delimiter"},
        {"00-" TRACE "_" SPAN "-01", "wrong delimiter"},
        {"00-" TRACE "-" SPAN "_01", "wrong delimiter"},
        {"00-0af7651916cd43dd8448eb211c80319-" SPAN "-011", "trace id a digit short"},
        {" 00-" TRACE "-" SPAN "-01", "a blank before"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_context context;
        struct tel_context before;
        memset(&context, 0x5a, sizeof(context));
        memcpy(&before, &context, sizeof(before));
        if (tel_traceparent_parse(cases[i].value, strlen(cases[i].value), &context) != -EINVAL) {
            fail_msg("%s", cases[i].what);
        }
        assert_memory_equal(&context, &before, sizeof(context));
    }
}

static void test_a_nul_within_is_bad(void **state)
{
    (void)state;
    char value[] = "00-" TRACE "-" SPAN "-01";
    struct tel_context context;
    value[20] = '\0';
    assert_int_equal(tel_traceparent_parse(value, sizeof(value) - 1, &context), -EINVAL);
}

static void test_format_is_version_00_with_known_flags(void **state)
{
    (void)state;
    char out[TEL_TRACEPARENT_LENGTH + 1];
    tel_traceparent_format(trace_id, span_id, TEL_FLAG_SAMPLED, out);
    assert_string_equal(out, "00-" TRACE "-" SPAN "-01");
    tel_traceparent_format(trace_id, span_id, 0xff, out);
    assert_string_equal(out, "00-" TRACE "-" SPAN "-03");
    assert_int_equal(strlen(out), TEL_TRACEPARENT_LENGTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones),
        cmocka_unit_test(test_bad_ones_touch_nothing),
        cmocka_unit_test(test_a_nul_within_is_bad),
        cmocka_unit_test(test_format_is_version_00_with_known_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
