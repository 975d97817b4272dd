/*
 * The wheel. Invariant: a timeout with a deadline is in the slot of `tick`, and `tick` is at or
 * before the first tick at which its deadline has passed, or as far ahead as the wheel reaches.
 *
 * A slot is a list that ends in a sentinel, so that `next == NULL` can mean "in no slot".
 */
#include "http/timeouts.h"

#include <stdbool.h>
#include <stddef.h>

/* The end of every list; its members are never read or written. */
static struct timeout end_of_slot;

/* The first tick that starts at or after the deadline: never early. */
static uint64_t tick_of(uint64_t deadline_ns)
{
    return deadline_ns / TIMEOUT_TICK_NS + 1;
}

static void link_timeout(struct timeouts *timeouts, struct timeout *timeout)
{
    uint64_t tick = tick_of(timeout->deadline_ns);
    if (tick <= timeouts->tick) {
        tick = timeouts->tick + 1;
    } else if (tick - timeouts->tick >= TIMEOUT_SLOTS) {
        tick = timeouts->tick + TIMEOUT_SLOTS - 1;
    }
    struct timeout **slot = &timeouts->slots[tick % TIMEOUT_SLOTS];
    timeout->tick = tick;
    timeout->link = slot;
    timeout->next = *slot;
    if (timeout->next != &end_of_slot) {
        timeout->next->link = &timeout->next;
    }
    *slot = timeout;
}

static void unlink_timeout(struct timeout *timeout)
{
    *timeout->link = timeout->next;
    if (timeout->next != &end_of_slot) {
        timeout->next->link = timeout->link;
    }
    timeout->next = NULL;
}

void timeouts_init(struct timeouts *timeouts, uint64_t now_ns)
{
    timeouts->tick = now_ns / TIMEOUT_TICK_NS;
    for (size_t i = 0; i < TIMEOUT_SLOTS; i++) {
        timeouts->slots[i] = &end_of_slot;
    }
}

void timeouts_restart(struct timeouts *timeouts, uint64_t now_ns)
{
    timeouts->tick = now_ns / TIMEOUT_TICK_NS;
}

void timeout_init(struct timeout *timeout)
{
    *timeout = (struct timeout){.deadline_ns = TIMEOUT_NEVER};
}

void timeout_set(struct timeouts *timeouts, struct timeout *timeout, uint64_t deadline_ns)
{
    timeout->deadline_ns = deadline_ns;
    if (timeout->next != NULL) {
        if (deadline_ns == TIMEOUT_NEVER || tick_of(deadline_ns) >= timeout->tick) {
            return; /* found too early, and put right then */
        }
        unlink_timeout(timeout);
    }
    if (deadline_ns != TIMEOUT_NEVER) {
        link_timeout(timeouts, timeout);
    }
}

void timeout_clear(struct timeout *timeout)
{
    timeout->deadline_ns = TIMEOUT_NEVER;
    if (timeout->next != NULL) {
        unlink_timeout(timeout);
    }
}

void timeouts_expire(struct timeouts *timeouts, uint64_t now_ns, timeout_fn *expired,
                     void *argument)
{
    const uint64_t now = now_ns / TIMEOUT_TICK_NS;
    if (now > timeouts->tick + TIMEOUT_SLOTS) {
        timeouts->tick = now - TIMEOUT_SLOTS; /* after a long stop each slot is looked at once */
    }
    while (timeouts->tick < now) {
        timeouts->tick++;
        struct timeout **slot = &timeouts->slots[timeouts->tick % TIMEOUT_SLOTS];
        /* What is linked from here on goes to a later slot, so this list only gets shorter. */
        while (*slot != &end_of_slot) {
            struct timeout *timeout = *slot;
            unlink_timeout(timeout);
            if (timeout->deadline_ns <= now_ns) {
                timeout->deadline_ns = TIMEOUT_NEVER;
                expired(timeout, argument);
            } else if (timeout->deadline_ns != TIMEOUT_NEVER) {
                link_timeout(timeouts, timeout);
            }
        }
    }
}
