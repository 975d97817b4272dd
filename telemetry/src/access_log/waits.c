/*
 * The four ways to wait. Each ends at once when an order comes (the control descriptor stays
 * readable until the round has looked), and none outlasts the deadline of closing.
 */
#include <limits.h>
#include <poll.h>

#include "access_log/writer.h"
#include "telemetry/clock.h"

#define PAUSE_MS       10   /* gathered after the first record of a batch */
#define PATIENCE_MS    1000 /* a full pipe is worth a word after that */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 1000
#define FOREVER        (-1)

bool tel__writer_queues_empty(const struct tel__writer *writer)
{
    for (size_t i = 0; i < writer->shard_count; i++) {
        if (tel__ring_used_bytes(&writer->shards[i].ring) > 0) {
            return false;
        }
    }
    return true;
}

static bool is_pressing(const struct tel__writer *writer)
{
    for (size_t i = 0; i < writer->shard_count; i++) {
        const struct tel__ring *ring = &writer->shards[i].ring;
        if (tel__ring_used_bytes(ring) >= ring->size / 2) {
            return true;
        }
    }
    return false;
}

/* The timeout, or what is left until the deadline of closing if that is less. */
static int bounded(const struct tel__writer *writer, int timeout_ms)
{
    if (!atomic_load_explicit(&writer->closing, memory_order_acquire)) {
        return timeout_ms;
    }
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t deadline_ns = atomic_load_explicit(&writer->deadline_ns, memory_order_relaxed);
    if (now_ns >= deadline_ns) {
        return 0;
    }
    uint64_t left_ms = (deadline_ns - now_ns + TEL_NS_PER_MS - 1) / TEL_NS_PER_MS;
    uint64_t most_ms = timeout_ms == FOREVER ? INT_MAX : (uint64_t)timeout_ms;
    return (int)(left_ms < most_ms ? left_ms : most_ms);
}

/* Waits for `events` on `fd`, or an order. Returns whether anything but time ended it. A descriptor
 * that somebody has closed under us ends each wait at once: then it is looked after from time to
 * time. */
static bool wait(const struct tel__writer *writer, int fd, short events, int timeout_ms)
{
    struct pollfd ready[2] = {
        {.fd = writer->control_fd, .events = POLLIN},
        {.fd = fd, .events = events},
    };
    bool ended = poll(ready, fd >= 0 ? 2 : 1, bounded(writer, timeout_ms)) != 0;
    if (((ready[0].revents | ready[1].revents) & POLLNVAL) != 0) {
        poll(NULL, 0, bounded(writer, BACKOFF_MIN_MS));
    }
    return ended;
}

void tel__writer_rest(struct tel__writer *writer)
{
    if (!writer->busy) {
        tel__wakeup_arm(&writer->first);
        if (tel__writer_queues_empty(writer)) {
            wait(writer, writer->first.fd, POLLIN, FOREVER);
        }
        tel__wakeup_drain(&writer->first);
    }
    writer->busy = false;
    tel__wakeup_arm(&writer->pressure);
    if (!is_pressing(writer)) {
        wait(writer, writer->pressure.fd, POLLIN, PAUSE_MS);
    }
    tel__wakeup_drain(&writer->pressure);
}

void tel__writer_wait_for_reader(struct tel__writer *writer)
{
    int timeout_ms = writer->complained ? FOREVER : PATIENCE_MS;
    if (!wait(writer, writer->sink.fd, POLLOUT, timeout_ms) && !writer->complained) {
        tel__writer_say(writer, TEL_WARN,
                        "the reader of %s is behind; lines wait, and are lost when their queue is "
                        "full",
                        writer->path == NULL ? "stdout" : writer->path);
        writer->complained = true;
    }
}

void tel__writer_back_off(struct tel__writer *writer)
{
    uint32_t next_ms = 2 * writer->backoff_ms;
    writer->backoff_ms = next_ms < BACKOFF_MIN_MS   ? BACKOFF_MIN_MS
                         : next_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
                                                    : next_ms;
    wait(writer, -1, 0, (int)writer->backoff_ms);
}
