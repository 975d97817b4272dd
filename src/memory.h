/*
 * What the allocator is told before anything else: large blocks are the kernel's again when freed.
 *
 * What it is for: memory that a crowd took (an exchange for each request under way, a response for
 * each slow reader) shall be given back when it has left, not only be free for the next one. Left
 * alone, malloc(3) keeps such blocks in heaps that shrink only from their end, where something that
 * stays is always found, and raises its own threshold for mapping blocks one by one as they are freed.
 *
 * Threads: once, before there are others. Failure: none; elsewhere than with glibc it does nothing.
 */
#ifndef GLASSBOX_MEMORY_H
#define GLASSBOX_MEMORY_H

void memory_init(void);

#endif
