/*
 * Clocks. clock_gettime(2) with these ids cannot fail on Linux; monotonic and wall are read in the
 * vDSO, without a system call.
 */
#include "telemetry/clock.h"

#include <time.h>

/* Out of line: the timespec would cost every function that it came to lie in a check of the stack,
 * also where that function was given its time and reads no clock. */
__attribute__((noinline)) static uint64_t read_clock(clockid_t id)
{
    struct timespec now = {0};
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * TEL_NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t tel_clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t tel_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t tel_clock_wall_offset_ns(void)
{
    /* The wall reading lies between two monotonic ones; their middle halves the error when the
     * thread is interrupted in between. */
    uint64_t before = tel_clock_monotonic_ns();
    uint64_t wall = tel_clock_wall_ns();
    uint64_t after = tel_clock_monotonic_ns();
    return wall - (before + (after - before) / 2);
}

uint64_t tel_clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
