/*
 * Where process.c reads: so that tests can show it other files.
 */
#ifndef TEL_METRICS_PROCESS_H
#define TEL_METRICS_PROCESS_H

#include <stdint.h>

/* Entries of a directory of descriptors, counted one by one, without those of the counting itself;
 * -1: it cannot be read. */
long tel__process_count_entries(const char *directory);

/* Pages of `size` and `resident` in a statm file. Returns 0 or -1. */
int tel__process_read_statm(const char *path, uint64_t pages[2]);

/* Field 22 of a stat file: when the process began, in clock ticks since boot. Returns 0 or -1. */
int tel__process_read_start(const char *path, uint64_t *ticks);

#endif
