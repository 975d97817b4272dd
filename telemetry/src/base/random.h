/*
 * Random ids: xoshiro256++ a thread, seeded by getrandom(2). Not for secrets.
 *
 * Threads: each thread has its own state, made at first use.
 */
#ifndef TEL_BASE_RANDOM_H
#define TEL_BASE_RANDOM_H

#include <stdint.h>

/* 64 random bits of this thread's generator. */
uint64_t tel__random_u64(void);

/* Fills ids; never all zero. */
void tel__random_trace_id(uint8_t trace_id[16]);
void tel__random_span_id(uint8_t span_id[8]);

#endif
