/*
 * Where process.c reads: so that tests can show it other files.
 */
#ifndef TEL_METRICS_PROCESS_H
#define TEL_METRICS_PROCESS_H

#include <stdatomic.h>
#include <stdint.h>

/* Entries of a directory of descriptors, counted one by one, without those of the counting itself;
 * -1: it cannot be read. */
long tel__process_count_entries(const char *directory);

/* A count and until when it is used again. */
struct tel__kept_count {
    _Atomic long count;
    _Atomic uint64_t until_ns; /* monotonic */
};

/* The same, but what took longer than `dear_ns` is kept for a minute. Several threads may call it:
 * each of the two words is right by itself. -1: it cannot be read. */
long tel__process_count_kept(struct tel__kept_count *kept, const char *directory, uint64_t dear_ns);

/* Pages of `size` and `resident` in a statm file. Returns 0 or -1. */
int tel__process_read_statm(const char *path, uint64_t pages[2]);

/* Field 22 of a stat file: when the process began, in clock ticks since boot. Returns 0 or -1. */
int tel__process_read_start(const char *path, uint64_t *ticks);

#endif
