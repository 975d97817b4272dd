/*
 * Invariant: a bit of `taken` is set while its block is somebody's. Who sets a bit has the block;
 * the release of a bit publishes that nobody looks at the block any more.
 */
#include "reserve.h"

#include <event2/event.h>
#include <malloc.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64
#define WORDS     (RESERVE_BLOCKS / WORD_BITS)
_Static_assert(RESERVE_BLOCKS % WORD_BITS == 0, "every bit is a block");

static alignas(max_align_t) char blocks[RESERVE_BLOCKS][RESERVE_BLOCK_BYTES];
static _Atomic uint64_t taken[WORDS];

static void *take(size_t size)
{
    for (size_t word = 0; size <= RESERVE_BLOCK_BYTES && word < WORDS; word++) {
        uint64_t bits = atomic_load_explicit(&taken[word], memory_order_relaxed);
        while (bits != UINT64_MAX) {
            unsigned bit = (unsigned)__builtin_ctzll(~bits);
            if (atomic_compare_exchange_weak_explicit(&taken[word], &bits, bits | 1ull << bit,
                                                      memory_order_acquire, memory_order_relaxed)) {
                return blocks[word * WORD_BITS + bit];
            }
        }
    }
    return NULL;
}

static bool is_ours(const void *block)
{
    return (uintptr_t)block - (uintptr_t)blocks < sizeof(blocks);
}

static void give_back(const void *block)
{
    size_t index = ((uintptr_t)block - (uintptr_t)blocks) / RESERVE_BLOCK_BYTES;
    atomic_fetch_and_explicit(&taken[index / WORD_BITS], ~(1ull << index % WORD_BITS),
                              memory_order_release);
}

/* ---- libevent's functions ---------------------------------------------------------------------- */

static void *reserve_malloc(size_t size)
{
    void *block = malloc(size);
    if (block == NULL) {
        block = take(size);
    }
    return block;
}

static void reserve_free(void *block)
{
    if (is_ours(block)) {
        give_back(block);
    } else {
        free(block);
    }
}

/* Always moves: libevent's tables grow by doubling, so that is seldom, and a block can go from malloc
 * to the reserve and back. */
static void *reserve_realloc(void *old, size_t size)
{
    size_t length = old == NULL ? 0 : is_ours(old) ? RESERVE_BLOCK_BYTES : malloc_usable_size(old);
    void *block = reserve_malloc(size);
    if (block != NULL && old != NULL) {
        memcpy(block, old, length < size ? length : size);
        reserve_free(old);
    }
    return block;
}

void reserve_install(void)
{
    event_set_mem_functions(reserve_malloc, reserve_realloc, reserve_free);
}

size_t reserve_used(void)
{
    size_t used = 0;
    for (size_t word = 0; word < WORDS; word++) {
        used +=
            (size_t)__builtin_popcountll(atomic_load_explicit(&taken[word], memory_order_relaxed));
    }
    return used;
}
