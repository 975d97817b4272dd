/*
 * Clocks: the wall clock is off by what the test says, the monotonic one may stand still.
 */
#include <sys/time.h>
#include <time.h>

#include "shim.h"

#define NS_PER_S 1000000000

static void add(struct timespec *time, int64_t offset_ns)
{
    int64_t ns = (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec + offset_ns;
    time->tv_sec = ns / NS_PER_S;
    time->tv_nsec = ns % NS_PER_S;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = NEXT(clock_gettime)(clock, time);
    uint64_t frozen_ns = shim_control->frozen_ns;
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        add(time, shim_control->wall_offset_ns);
    } else if (result == 0 && frozen_ns != 0 &&
               (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)) {
        *time = (struct timespec){.tv_sec = (time_t)(frozen_ns / NS_PER_S),
                                  .tv_nsec = (long)(frozen_ns % NS_PER_S)};
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
