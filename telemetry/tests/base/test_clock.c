/*
 * Clocks: monotonic never goes back, and reading plus offset is the wall clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "telemetry/clock.h"

static void test_monotonic_never_goes_back(void **state)
{
    (void)state;
    uint64_t last = tel_clock_monotonic_ns();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = tel_clock_monotonic_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void test_wall_is_the_time_of_day(void **state)
{
    (void)state;
    time_t before = time(NULL);
    uint64_t wall = tel_clock_wall_ns();
    /* time(2) reads a coarser clock, which may lag behind by a tick. */
    assert_true(wall / TEL_NS_PER_SECOND >= (uint64_t)before);
    assert_true(wall / TEL_NS_PER_SECOND <= (uint64_t)time(NULL) + 1);
}

/* A reading taken between two wall readings must, with the offset, lie between them: up to what
 * the offset itself may be wrong, which is less than the time its making took. */
static void test_offset_turns_a_reading_into_wall_time(void **state)
{
    (void)state;
    uint64_t start = tel_clock_monotonic_ns();
    uint64_t offset = tel_clock_wall_offset_ns();
    uint64_t tolerance = tel_clock_monotonic_ns() - start;
    uint64_t before = tel_clock_wall_ns();
    uint64_t middle = tel_clock_monotonic_ns() + offset;
    uint64_t after = tel_clock_wall_ns();
    /* The wall clock is slewed against the monotonic one by some ppm: a millisecond is plenty. */
    assert_true(middle + tolerance + TEL_NS_PER_MS >= before);
    assert_true(middle <= after + tolerance + TEL_NS_PER_MS);
}

static void test_thread_cpu_advances_with_work(void **state)
{
    (void)state;
    uint64_t before = tel_clock_thread_cpu_ns();
    volatile unsigned work = 0;
    for (unsigned i = 0; i < 2000000; i++) {
        work += i;
    }
    assert_int_not_equal(work, 0);
    assert_true(tel_clock_thread_cpu_ns() > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monotonic_never_goes_back),
        cmocka_unit_test(test_wall_is_the_time_of_day),
        cmocka_unit_test(test_offset_turns_a_reading_into_wall_time),
        cmocka_unit_test(test_thread_cpu_advances_with_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
