/*
 * Blocks of one size, the last one given back taken first.
 *
 * What it is for: what the way of a request needs and must not allocate: exchanges and
 * buffers for bytes that wait. The block freed last is the one whose lines are still in the cache.
 *
 * How it works: a free list through the blocks' first bytes, on top of malloc(3). What a calm
 * period did not need goes back to the allocator: `low` is the smallest number of free blocks since
 * the last trim, and a trim frees an eighth of it, so a burst is forgotten in seconds and a steady
 * load never allocates. Blocks are large enough for the allocator to map and unmap each (memory.h),
 * so what is freed is the kernel's again.
 *
 * Threads: none; a pool has one owner.
 * Memory: a block keeps its content while it is free, but for its first bytes (one pointer).
 * Failure: take returns NULL when the allocator refuses; give and trim cannot fail.
 */
#ifndef GLASSBOX_HTTP_POOL_H
#define GLASSBOX_HTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool {
    size_t block_bytes;
    size_t keep; /* free blocks that trim leaves alone */
    size_t free_count;
    size_t low;                     /* smallest free_count since the last trim */
    void *free;                     /* the list, last given first */
    void (*construct)(void *block); /* once, when a block comes from malloc; or NULL */
    void (*destruct)(void *block);  /* once, before it goes back to free(3); or NULL */
};

/* Makes an empty pool; allocates nothing. `block_bytes` at least that of a pointer. */
void pool_init(struct pool *pool, size_t block_bytes, size_t keep);

/* Frees the blocks that were given back. Those still taken are the caller's to give before. */
void pool_fini(struct pool *pool);

/* A block, its content as it was given or constructed; NULL when there is no memory. */
void *pool_take(struct pool *pool);
/* Gives a block of this pool back; it is the next one to be taken. */
void pool_give(struct pool *pool, void *block);

/* Frees an eighth, rounded up, of what was not needed since the last call, some hundred at most.
 * Returns whether more than `keep` are left, so that it should be called again. */
bool pool_trim(struct pool *pool);

#endif
