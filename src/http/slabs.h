/*
 * Small blocks of one size that go back to the kernel when a crowd has left.
 *
 * What it is for: connections. One by one from malloc(3) they would lie among what stays (libevent
 * keeps a record for each descriptor number it has seen), and hardly a page would ever be free
 * again: after 10,000 connections half of what they took was still resident.
 *
 * How it works: blocks are cut from slabs of SLAB_BYTES, large enough for the allocator to map and
 * unmap each (memory.h). A slab that is empty is freed, but for one that is kept against a
 * connection that comes and goes at the edge of a slab. New blocks come from slabs in use, the one
 * that last lost a block first: so slabs empty as a crowd leaves. One that stays keeps a slab.
 *
 * Threads: none; one owner. Memory: 16 bytes a block beside it. Failure: take returns NULL when the
 * allocator refuses; give cannot fail.
 */
#ifndef GLASSBOX_HTTP_SLABS_H
#define GLASSBOX_HTTP_SLABS_H

#include <stddef.h>

#define SLAB_BYTES 32768u

struct slab;

struct slabs {
    size_t block_bytes; /* rounded up, and with what lies beside a block */
    size_t count;       /* slabs there are */
    struct slab *open;  /* those with room and with blocks taken, the last to lose one first */
    struct slab *spare; /* an empty one, or NULL */
};

/* Allocates nothing. `block_bytes` at most an eighth of SLAB_BYTES. */
void slabs_init(struct slabs *slabs, size_t block_bytes);

/* Every block must have been given back. */
void slabs_fini(struct slabs *slabs);

/* A block of any content, aligned for any type; NULL when there is no memory. */
void *slabs_take(struct slabs *slabs);
void slabs_give(struct slabs *slabs, void *block);

#endif
