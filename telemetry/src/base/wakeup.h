/*
 * Waking a sleeping consumer at the price of one system call a sleep, not one a record.
 *
 * The consumer arms the wakeup before it sleeps and looks at its queues once more; a producer that
 * has published asks tel__wakeup_signal(), which writes to the eventfd only when the consumer is
 * armed, and disarms it. An awake consumer costs its producers one fence and one load.
 *
 * Threads: signal from any; arm and drain by the one consumer.
 * Failure: only init can fail.
 */
#ifndef TEL_BASE_WAKEUP_H
#define TEL_BASE_WAKEUP_H

#include <stdatomic.h>
#include <stdbool.h>

struct tel__wakeup {
    int fd; /* an eventfd, for poll(2) or an event loop */
    atomic_bool armed;
};

/* Returns 0 or a negative errno. */
int tel__wakeup_init(struct tel__wakeup *wakeup);
void tel__wakeup_fini(struct tel__wakeup *wakeup);

/* Says that the consumer is about to sleep. It must look for work once more afterwards. */
void tel__wakeup_arm(struct tel__wakeup *wakeup);
/* Disarms and empties the eventfd. */
void tel__wakeup_drain(struct tel__wakeup *wakeup);
/* Wakes the consumer if it sleeps. */
void tel__wakeup_signal(struct tel__wakeup *wakeup);

/* For a producer that has its own reason not to wake (too few records): between publishing and
 * looking at that reason it needs the fence, or a consumer going to sleep may be missed. */
static inline void tel__wakeup_fence(void)
{
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wtsan" /* only atomics meet here; TSan need not model the fence */
#endif
    atomic_thread_fence(memory_order_seq_cst);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}
static inline bool tel__wakeup_is_armed(const struct tel__wakeup *wakeup)
{
    return atomic_load_explicit(&wakeup->armed, memory_order_relaxed);
}

#endif
