/*
 * Positions only grow; a slot is written before `pushed` is released and read before `popped` is, so
 * neither side ever sees the other's half of a copy.
 */
#include "inbox.h"

bool inbox_push(struct inbox *inbox, const struct arrival *arrival)
{
    size_t pushed = atomic_load_explicit(&inbox->pushed, memory_order_relaxed);
    size_t popped = atomic_load_explicit(&inbox->popped, memory_order_acquire);
    if (pushed - popped == INBOX_SLOTS) {
        return false;
    }
    inbox->slots[pushed % INBOX_SLOTS] = *arrival;
    atomic_store_explicit(&inbox->pushed, pushed + 1, memory_order_release);
    return true;
}

bool inbox_pop(struct inbox *inbox, struct arrival *arrival)
{
    size_t popped = atomic_load_explicit(&inbox->popped, memory_order_relaxed);
    size_t pushed = atomic_load_explicit(&inbox->pushed, memory_order_acquire);
    if (pushed == popped) {
        return false;
    }
    *arrival = inbox->slots[popped % INBOX_SLOTS];
    atomic_store_explicit(&inbox->popped, popped + 1, memory_order_release);
    return true;
}

size_t inbox_count(const struct inbox *inbox)
{
    size_t popped = atomic_load_explicit(&inbox->popped, memory_order_acquire);
    return atomic_load_explicit(&inbox->pushed, memory_order_acquire) - popped;
}

size_t inbox_pushed(const struct inbox *inbox)
{
    return atomic_load_explicit(&inbox->pushed, memory_order_acquire);
}
