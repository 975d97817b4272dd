/*
 * Memory for libevent when there is none.
 *
 * What it is for: libevent 2.1's HTTP client and resolver go on with what they were refused: the
 * process would end with a crash where a lost batch is all there is to lose; and a timer or socket
 * that cannot be added would have to be seen to at every place that adds one.
 *
 * How it works: libevent's memory comes from malloc(3), and when that has none, from a few hundred
 * small blocks that are kept for this. Its structures fit into one; what is larger (a buffer's
 * bytes, tables for thousands of descriptors) is refused, which libevent can bear and its callers
 * look at.
 *
 * Threads: any. Memory: RESERVE_BLOCKS * RESERVE_BLOCK_BYTES, untouched while there is enough.
 * Failure: what malloc(3) does, later.
 */
#ifndef GLASSBOX_RESERVE_H
#define GLASSBOX_RESERVE_H

#include <stddef.h>

#define RESERVE_BLOCKS      256
#define RESERVE_BLOCK_BYTES 2048 /* evdns' questions and answers are its largest structures */

/* Before anything else is asked of libevent. Twice is fine. */
void reserve_install(void);

/* Blocks in use now. */
size_t reserve_used(void);

#endif
