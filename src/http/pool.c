/*
 * Blocks of one size on a free list. Invariant: `free_count` is the length of the list `free`, and
 * `low` <= `free_count`.
 */
#include "http/pool.h"

#include <stdlib.h>
#include <string.h>

#include "http/poison.h"

/* Blocks that one trim frees at most: each is an unmapping, and connections wait meanwhile. */
#define TRIM_MOST 256

/* The link is copied, not cast: while a block is taken its first bytes have a type of their own. */
static void *link_of(const void *block)
{
    void *next;
    memcpy(&next, block, sizeof next);
    return next;
}

static void free_one(struct pool *pool)
{
    void *block = pool->free;
    pool->free = link_of(block);
    pool->free_count--;
    UNPOISON(block, pool->block_bytes);
    if (pool->destruct != NULL) {
        pool->destruct(block);
    }
    free(block);
}

void pool_init(struct pool *pool, size_t block_bytes, size_t keep)
{
    *pool = (struct pool){.block_bytes = block_bytes, .keep = keep};
}

void pool_fini(struct pool *pool)
{
    while (pool->free != NULL) {
        free_one(pool);
    }
    pool->low = 0;
}

void *pool_take(struct pool *pool)
{
    void *block = pool->free;
    if (block == NULL) {
        block = malloc(pool->block_bytes);
        if (block != NULL && pool->construct != NULL) {
            pool->construct(block);
        }
        return block;
    }
    pool->free = link_of(block);
    pool->free_count--;
    UNPOISON(block, pool->block_bytes);
    if (pool->free_count < pool->low) {
        pool->low = pool->free_count;
    }
    return block;
}

void pool_give(struct pool *pool, void *block)
{
    memcpy(block, &pool->free, sizeof pool->free);
    pool->free = block;
    pool->free_count++;
    POISON((char *)block + sizeof pool->free, pool->block_bytes - sizeof pool->free);
}

bool pool_trim(struct pool *pool)
{
    size_t excess = (pool->low + 7) / 8;
    excess = excess < TRIM_MOST ? excess : TRIM_MOST;
    while (excess > 0 && pool->free_count > pool->keep) {
        free_one(pool);
        excess--;
    }
    pool->low = pool->free_count;
    return pool->free_count > pool->keep;
}
