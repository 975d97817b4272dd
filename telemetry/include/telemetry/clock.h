/*
 * Time as telemetry needs it: one monotonic reading, two meanings.
 *
 * Durations come from the monotonic clock, timestamps from the wall clock. Reading both for each
 * event would cost twice and could disagree, so a thread reads the monotonic clock only and turns
 * a reading into wall time with an offset that it renews about once a second
 * (tel_clock_wall_offset_ns). Between two renewals a stepped wall clock is seen late by that much;
 * durations are never touched by it.
 *
 * Threads: all functions may be called from any thread; they share nothing.
 */
#ifndef TELEMETRY_CLOCK_H
#define TELEMETRY_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds of a second, a millisecond, a microsecond. */
#define TEL_NS_PER_SECOND UINT64_C(1000000000)
#define TEL_NS_PER_MS     UINT64_C(1000000)
#define TEL_NS_PER_US     UINT64_C(1000)

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t tel_clock_monotonic_ns(void);

/* CLOCK_REALTIME in nanoseconds since the Unix epoch. */
uint64_t tel_clock_wall_ns(void);

/* What to add to a monotonic reading to get wall time, as of now (modulo 2^64). */
uint64_t tel_clock_wall_offset_ns(void);

/* CPU time of the calling thread in nanoseconds. */
uint64_t tel_clock_thread_cpu_ns(void);

#ifdef __cplusplus
}
#endif

#endif
