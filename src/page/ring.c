/*
 * Positions only grow; a slot is written before `pushed` is released and read before `popped` is, so
 * neither side ever sees the other's half of a record.
 */
#include "page/ring.h"

void page_ring_init(struct page_ring *ring)
{
    atomic_init(&ring->pushed, 0);
    atomic_init(&ring->popped, 0);
}

struct page_record *page_ring_reserve(struct page_ring *ring)
{
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    return pushed - popped < PAGE_RING_SLOTS ? &ring->slots[pushed % PAGE_RING_SLOTS] : NULL;
}

void page_ring_commit(struct page_ring *ring)
{
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
}

const struct page_record *page_ring_peek(struct page_ring *ring)
{
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    size_t pushed = atomic_load_explicit(&ring->pushed, memory_order_acquire);
    return pushed != popped ? &ring->slots[popped % PAGE_RING_SLOTS] : NULL;
}

void page_ring_pop(struct page_ring *ring)
{
    size_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
}
