/*
 * Samplers: names, arguments, and decisions.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "trace/sampler.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_names_and_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *argument;
        struct tel_sampler sampler;
    } cases[] = {
        {"always_on", NULL, {TEL_SAMPLER_ALWAYS_ON, 1, false}},
        {"always_off", NULL, {TEL_SAMPLER_ALWAYS_OFF, 1, false}},
        {"traceidratio", NULL, {TEL_SAMPLER_RATIO, 1, false}},
        {"traceidratio", "0.25", {TEL_SAMPLER_RATIO, 0.25, false}},
        {"traceidratio", "0", {TEL_SAMPLER_RATIO, 0, false}},
        {"traceidratio", "1.0", {TEL_SAMPLER_RATIO, 1, false}},
        {"traceidratio", "1e-3", {TEL_SAMPLER_RATIO, 1e-3, false}},
        {"parentbased_always_on", NULL, {TEL_SAMPLER_ALWAYS_ON, 1, true}},
        {"parentbased_always_off", NULL, {TEL_SAMPLER_ALWAYS_OFF, 1, true}},
        {"parentbased_traceidratio", "0.5", {TEL_SAMPLER_RATIO, 0.5, true}},
        {"ParentBased_TraceIdRatio", "0.5", {TEL_SAMPLER_RATIO, 0.5, true}},
        {"always_on", "not looked at", {TEL_SAMPLER_ALWAYS_ON, 1, false}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_sampler sampler;
        assert_int_equal(tel_sampler_parse(cases[i].name, cases[i].argument, &sampler), 0);
        assert_int_equal(sampler.root, cases[i].sampler.root);
        assert_true(sampler.ratio == cases[i].sampler.ratio);
        assert_int_equal(sampler.parent_based, cases[i].sampler.parent_based);
    }
}

static void test_what_is_wrong_gives_the_default(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", NULL},
        {"always", NULL},
        {"traceidratio ", NULL},
        {"traceidratio", ""},
        {"traceidratio", "1.1"},
        {"traceidratio", "-0.1"},
        {"traceidratio", "nan"},
        {"traceidratio", "inf"},
        {"traceidratio", "0x1p-1"},
        {"traceidratio", "0,5"},
        {"traceidratio", " 0.5"},
        {"traceidratio", "0.5%"},
        {"traceidratio", "1e"},
        {"parentbased_traceidratio", "half"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_sampler sampler = {.root = TEL_SAMPLER_ALWAYS_OFF};
        assert_int_equal(tel_sampler_parse(cases[i][0], cases[i][1], &sampler), -EINVAL);
        assert_int_equal(sampler.root, TEL_SAMPLER_ALWAYS_ON);
        assert_true(sampler.parent_based);
    }
}

static void test_a_parent_decides_only_if_asked(void **state)
{
    (void)state;
    static const struct {
        enum tel_sampler_kind root;
        bool parent_based, has_parent, parent_sampled, decision;
    } cases[] = {
        {TEL_SAMPLER_ALWAYS_ON, true, true, false, false},
        {TEL_SAMPLER_ALWAYS_ON, true, true, true, true},
        {TEL_SAMPLER_ALWAYS_ON, true, false, false, true},
        {TEL_SAMPLER_ALWAYS_OFF, true, true, true, true},
        {TEL_SAMPLER_ALWAYS_OFF, true, false, false, false},
        {TEL_SAMPLER_ALWAYS_ON, false, true, false, true},
        {TEL_SAMPLER_ALWAYS_OFF, false, true, true, false},
    };
    const uint8_t trace_id[16] = {1};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tel_sampler sampler = {cases[i].root, 1, cases[i].parent_based};
        assert_int_equal(
            tel__sampler_decide(&sampler, trace_id, cases[i].has_parent, cases[i].parent_sampled),
            cases[i].decision);
    }
}

/* Only the low 56 bits count, and an id is taken if they are not below (1 - ratio) * 2^56. */
static void test_the_ratio_looks_at_the_low_56_bits(void **state)
{
    (void)state;
    static const struct {
        double ratio;
        uint64_t randomness;
        bool decision;
    } cases[] = {
        {1, 0, true},
        {0, 0xffffffffffffff, false},
        {0.5, 0x80000000000000, true},
        {0.5, 0x7fffffffffffff, false},
        {0.25, 0xc0000000000000, true},
        {0.25, 0xbfffffffffffff, false},
        {1.0 / 1024, 0xffbfffffffffff, false},
        {1.0 / 1024, 0xffc00000000000, true},
        {1e-18, 0xffffffffffffff, false}, /* smaller than a trace id can tell */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct tel_sampler sampler = {TEL_SAMPLER_RATIO, cases[i].ratio, true};
        uint8_t trace_id[16];
        memset(trace_id, i % 2 == 0 ? 0xff : 0, 9); /* must not matter */
        for (int k = 0; k < 7; k++) {
            trace_id[9 + k] = (uint8_t)(cases[i].randomness >> (8 * (6 - k)));
        }
        assert_int_equal(tel__sampler_decide(&sampler, trace_id, false, false), cases[i].decision);
    }
}

/* Six standard deviations: a wrong ratio fails, chance does not. */
static void test_the_ratio_is_met_by_random_ids(void **state)
{
    (void)state;
    const struct tel_sampler sampler = {TEL_SAMPLER_RATIO, 0.1, false};
    const int draws = 20000;
    int taken = 0;
    for (int i = 0; i < draws; i++) {
        uint8_t trace_id[16];
        tel__random_trace_id(trace_id);
        taken += tel__sampler_decide(&sampler, trace_id, false, false) ? 1 : 0;
    }
    double deviation = sqrt(draws * 0.1 * 0.9);
    assert_true(fabs(taken - draws * 0.1) < 6 * deviation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_arguments),
        cmocka_unit_test(test_what_is_wrong_gives_the_default),
        cmocka_unit_test(test_a_parent_decides_only_if_asked),
        cmocka_unit_test(test_the_ratio_looks_at_the_low_56_bits),
        cmocka_unit_test(test_the_ratio_is_met_by_random_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
