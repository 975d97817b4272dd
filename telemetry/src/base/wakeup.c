/*
 * The sleeper's flag and its eventfd.
 *
 * No wake is lost because both sides write first and look afterwards, with a full fence between:
 *
 *     producer: publish the record, fence, load `armed`
 *     consumer: store `armed`,      fence, look at the queue
 *
 * One of the two must see the other's write. Of several producers that see `armed` the one that
 * takes it writes to the eventfd.
 */
#include "base/wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int tel__wakeup_init(struct tel__wakeup *wakeup)
{
    atomic_init(&wakeup->armed, false);
    wakeup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wakeup->fd < 0 ? -errno : 0;
}

void tel__wakeup_fini(struct tel__wakeup *wakeup)
{
    if (wakeup->fd >= 0) {
        close(wakeup->fd);
        wakeup->fd = -1;
    }
}

void tel__wakeup_arm(struct tel__wakeup *wakeup)
{
    atomic_store_explicit(&wakeup->armed, true, memory_order_seq_cst);
    tel__wakeup_fence();
}

void tel__wakeup_drain(struct tel__wakeup *wakeup)
{
    atomic_store_explicit(&wakeup->armed, false, memory_order_relaxed);
    uint64_t count;
    ssize_t got;
    do {
        got = read(wakeup->fd, &count, sizeof(count));
    } while (got < 0 && errno == EINTR);
}

void tel__wakeup_signal(struct tel__wakeup *wakeup)
{
    tel__wakeup_fence();
    if (!tel__wakeup_is_armed(wakeup) ||
        !atomic_exchange_explicit(&wakeup->armed, false, memory_order_acq_rel)) {
        return;
    }
    uint64_t one = 1;
    ssize_t put;
    do {
        put = write(wakeup->fd, &one, sizeof(one));
    } while (put < 0 && errno == EINTR);
    /* EAGAIN means that the counter is full, so the consumer is awake already. */
}
