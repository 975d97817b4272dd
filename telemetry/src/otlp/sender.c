/*
 * The thread of an OTLP exporter: a state machine on an event loop.
 *
 *     IDLE ─a record─> COLLECT ──full, delay, flush──> POST ──answer──> IDLE or COLLECT
 *                                                      ^  └─try again─> BACKOFF ─┐
 *                                                      └─────────────────────────┘
 *     any of them, when shutdown is asked for and nothing is left or time is over ──> DONE
 *
 * A state is a row of `states`: what is done on entering it, and at each thing that can happen
 * while it lasts. Nothing else happens: a NULL means that it cannot (a timer that was not set) or
 * does not matter (records that come while a POST is under way wait in their queue).
 *
 * Invariants: records are `in batch` from pop to fate; there is one batch at most, so never two
 * exports at once; in IDLE and COLLECT there is none. Every path out of a batch goes through
 * end_batch(), which gives each of its records one fate.
 *
 * Wakes: the producers signal only while we sleep in IDLE (from the first record on) or COLLECT (from
 * a shard's share of a batch on). A sleeping exporter with an empty queue has no timer.
 */
#include "otlp/sender.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "otlp/retry.h"
#include "telemetry/clock.h"

/* A try with less time than this is not worth making. */
#define TRY_MIN_NS (10 * TEL_NS_PER_MS)

/* How long a batch that became full without a signal may go unseen. */
#define LOOK_AGAIN_NS (50 * TEL_NS_PER_MS)

struct state {
    const char *name;
    void (*enter)(struct tel__sender *sender);
    void (*records)(struct tel__sender *sender);
    void (*timer)(struct tel__sender *sender);
    void (*answer)(struct tel__sender *sender, const struct tel__verdict *verdict);
    void (*flush)(struct tel__sender *sender); /* shutdown was asked for */
};

enum { IDLE, COLLECT, POST, BACKOFF, DONE, STATES };
static const struct state states[STATES];

static void go(struct tel__sender *sender, unsigned state)
{
    event_del(sender->timer);
    sender->state = state;
    states[state].enter(sender);
}

static void sleep_until(struct tel__sender *sender, uint64_t until_ns)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t wait_us =
        until_ns > now_ns ? (until_ns - now_ns + TEL_NS_PER_US - 1) / TEL_NS_PER_US : 0;
    struct timeval wait = {.tv_sec = (time_t)(wait_us / 1000000),
                           .tv_usec = (suseconds_t)(wait_us % 1000000)};
    event_add(sender->timer, &wait);
}

static void arm(struct tel__sender *sender, uint64_t level)
{
    sender->level = level;
    tel__queue_arm(sender->exporter->queue, level);
}

/* ---- IDLE ---------------------------------------------------------------------------------- */

static void enter_idle(struct tel__sender *sender)
{
    arm(sender, 1);
    if (tel__queue_count(sender->exporter->queue) > 0) {
        go(sender, COLLECT);
    } else if (sender->flushing) {
        go(sender, DONE);
    }
}

static void records_idle(struct tel__sender *sender)
{
    sender->first_ns = tel_clock_monotonic_ns();
    enter_idle(sender);
}

/* ---- COLLECT ------------------------------------------------------------------------------- */

/* Whether a batch should go now: it is full, or a shard's queue soon will be. */
static bool is_due(const struct tel__sender *sender)
{
    const struct tel__queue *queue = sender->exporter->queue;
    return sender->flushing || tel__queue_count(queue) >= sender->exporter->options.max_batch ||
           tel__queue_is_pressed(queue);
}

/* When a batch is full some shard has at least this many of it. */
static uint64_t share_of_batch(const struct tel__sender *sender)
{
    uint64_t shards = sender->exporter->queue->shard_count;
    return (sender->exporter->options.max_batch + shards - 1) / shards;
}

/* When what waits goes even if the batch is not full. */
static uint64_t delay_over_ns(const struct tel__sender *sender)
{
    return sender->first_ns + sender->exporter->options.schedule_delay_ms * TEL_NS_PER_MS;
}

static void enter_collect(struct tel__sender *sender)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t due_ns = delay_over_ns(sender);
    if (sender->not_before_ns > now_ns) {
        if (sender->flushing && sender->not_before_ns >= sender->flush_by_ns) {
            go(sender, DONE); /* the collector asked for more patience than we have */
            return;
        }
        sleep_until(sender, sender->not_before_ns); /* records cannot hurry this: not armed */
        return;
    }
    arm(sender, share_of_batch(sender));
    if (is_due(sender) || due_ns <= now_ns) {
        tel__sender_fill(sender);
        go(sender, sender->batch.count > 0 ? POST : IDLE);
        return;
    }
    sleep_until(sender, due_ns);
}

/* One shard has its share, the others may not: ask to be woken at twice as much, up to a batch.
 * Several shards together can fill a batch below that, so it is looked at again soon as well. */
static void records_collect(struct tel__sender *sender)
{
    uint64_t level = sender->level * 2;
    uint64_t again_ns = tel_clock_monotonic_ns() + LOOK_AGAIN_NS;
    uint64_t due_ns = delay_over_ns(sender);
    if (is_due(sender)) {
        go(sender, COLLECT);
        return;
    }
    if (level > sender->exporter->options.max_batch) {
        level = sender->exporter->options.max_batch;
    }
    arm(sender, level);
    if (is_due(sender)) {
        go(sender, COLLECT);
        return;
    }
    sleep_until(sender, again_ns < due_ns ? again_ns : due_ns);
}

static void timer_collect(struct tel__sender *sender)
{
    go(sender, COLLECT);
}

/* ---- POST ---------------------------------------------------------------------------------- */

static void enter_post(struct tel__sender *sender)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t left_ms =
        sender->batch.until_ns > now_ns ? (sender->batch.until_ns - now_ns) / TEL_NS_PER_MS : 0;
    uint32_t timeout_ms = sender->exporter->options.timeout_ms;
    tel__sender_post(sender, left_ms < timeout_ms ? (uint32_t)left_ms : timeout_ms);
}

/* Gives all records of the batch their fate: `lost` of them `error`, the rest acknowledged. `status`
 * is the last answer's, 0 without one. */
static void end_batch(struct tel__sender *sender, enum tel_export_error error, uint64_t lost,
                      unsigned status, const char *reason)
{
    struct tel_exporter *exporter = sender->exporter;
    uint64_t now_ns = tel_clock_monotonic_ns();
    tel__exporter_add(&exporter->acknowledged, sender->batch.count - lost);
    if (lost > 0) {
        tel__exporter_add(&exporter->failed[error], lost);
        exporter->left |= error == TEL_EXPORT_SHUTDOWN;
        if (error == TEL_EXPORT_STATUS) {
            tel__statuses_add(&exporter->statuses, status, lost);
        }
    }
    tel__exporter_observe(exporter,
                          &(struct tel__ending){.error = lost > 0 ? error : TEL_EXPORT_ERRORS,
                                                .status = status,
                                                .duration_ns = now_ns - sender->batch.start_ns});
    tel__loss_note(&exporter->loss, now_ns, lost, reason, tel__exporter_queue_full(exporter));
    if (lost < sender->batch.count) {
        tel__loss_delivered(&exporter->loss, now_ns);
    }
    /* Those that wait now came since the batch was taken. */
    sender->first_ns = sender->batch.start_ns;
    sender->batch.count = 0;
}

/* Waits and tries again if there is time; otherwise the last answer's error is the batch's. */
static void try_again(struct tel__sender *sender, const struct tel__verdict *verdict)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t wait_ms = verdict->has_retry_after
                           ? tel__retry_after_wait_ms(verdict->retry_after_ms, tel__random_u64())
                           : tel__retry_backoff_ms(sender->batch.failures, tel__random_u64());
    uint64_t again_ns = now_ns + (verdict->at_once ? 0 : wait_ms * TEL_NS_PER_MS);
    sender->not_before_ns = verdict->has_retry_after ? again_ns : 0;
    tel__loss_note(&sender->exporter->loss, now_ns, 0, verdict->reason,
                   tel__exporter_queue_full(sender->exporter));
    if (sender->flushing && again_ns + TRY_MIN_NS >= sender->flush_by_ns) {
        end_batch(sender, TEL_EXPORT_SHUTDOWN, sender->batch.count, verdict->status,
                  verdict->reason);
        go(sender, DONE);
    } else if (again_ns + TRY_MIN_NS >= sender->batch.until_ns) {
        end_batch(sender, verdict->error, sender->batch.count, verdict->status, verdict->reason);
        go(sender, IDLE);
    } else {
        sender->batch.again_ns = again_ns;
        go(sender, BACKOFF);
    }
}

static void answer_post(struct tel__sender *sender, const struct tel__verdict *verdict)
{
    if (verdict->retry) {
        sender->batch.failures += verdict->at_once ? 0 : 1;
        try_again(sender, verdict);
        return;
    }
    uint64_t lost = verdict->lost < sender->batch.count ? verdict->lost : sender->batch.count;
    end_batch(sender, verdict->error, lost, verdict->status, verdict->reason);
    go(sender, IDLE);
}

/* ---- BACKOFF ------------------------------------------------------------------------------- */

static void enter_backoff(struct tel__sender *sender)
{
    sleep_until(sender, sender->batch.again_ns);
}

static void timer_backoff(struct tel__sender *sender)
{
    tel__exporter_add(&sender->exporter->retries, 1);
    go(sender, POST);
}

static void flush_backoff(struct tel__sender *sender)
{
    if (sender->batch.again_ns >= sender->flush_by_ns) {
        end_batch(sender, TEL_EXPORT_SHUTDOWN, sender->batch.count, 0,
                  "shutdown came before a retry");
        go(sender, DONE);
    }
}

/* ---- DONE ---------------------------------------------------------------------------------- */

static void enter_done(struct tel__sender *sender)
{
    tel__exporter_discard_queue(sender->exporter);
    event_base_loopbreak(sender->base);
}

static void flush_post(struct tel__sender *sender)
{
    (void)sender; /* its answer, or the deadline, will come */
}

static const struct state states[STATES] = {
    [IDLE] = {"idle", enter_idle, records_idle, NULL, NULL, enter_idle},
    [COLLECT] = {"collect", enter_collect, records_collect, timer_collect, NULL, timer_collect},
    [POST] = {"post", enter_post, NULL, NULL, answer_post, flush_post},
    [BACKOFF] = {"backoff", enter_backoff, NULL, timer_backoff, NULL, flush_backoff},
    [DONE] = {"done", enter_done, NULL, NULL, NULL, NULL},
};

/* ---- what happens -------------------------------------------------------------------------- */

void tel__sender_answer(struct tel__sender *sender, const struct tel__verdict *verdict)
{
    if (states[sender->state].answer != NULL) {
        states[sender->state].answer(sender, verdict);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__sender *sender = argument;
    tel__wakeup_drain(&sender->exporter->queue->wakeup);
    if (states[sender->state].records != NULL) {
        states[sender->state].records(sender);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__sender *sender = argument;
    if (states[sender->state].timer != NULL) {
        states[sender->state].timer(sender);
    }
}

/* Time for the flush is over: whatever is under way is given up. */
static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__sender *sender = argument;
    if (sender->state == DONE) {
        return;
    }
    tel__sender_cancel(sender);
    if (sender->batch.count > 0) {
        end_batch(sender, TEL_EXPORT_SHUTDOWN, sender->batch.count, 0,
                  "time for the flush was over");
    }
    go(sender, DONE);
}

static void on_stop(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct tel__sender *sender = argument;
    uint64_t now_ns = tel_clock_monotonic_ns();
    sender->flushing = true;
    sender->flush_by_ns = atomic_load(&sender->exporter->stop_by_ns);
    uint64_t left_us =
        sender->flush_by_ns > now_ns ? (sender->flush_by_ns - now_ns) / TEL_NS_PER_US : 0;
    struct timeval left = {.tv_sec = (time_t)(left_us / 1000000),
                           .tv_usec = (suseconds_t)(left_us % 1000000)};
    event_del(sender->stop);
    if (left_us == 0) {
        on_deadline(-1, 0, sender);
        return;
    }
    event_add(sender->deadline, &left);
    if (states[sender->state].flush != NULL) {
        states[sender->state].flush(sender);
    }
}

int tel__sender_init_events(struct tel__sender *sender)
{
    int wake_fd = sender->exporter->queue->wakeup.fd;
    sender->wake = event_new(sender->base, wake_fd, EV_READ | EV_PERSIST, on_wake, sender);
    sender->stop =
        event_new(sender->base, sender->exporter->stop_fd, EV_READ | EV_PERSIST, on_stop, sender);
    sender->timer = evtimer_new(sender->base, on_timer, sender);
    sender->deadline = evtimer_new(sender->base, on_deadline, sender);
    if (sender->wake == NULL || sender->stop == NULL || sender->timer == NULL ||
        sender->deadline == NULL || event_add(sender->wake, NULL) != 0 ||
        event_add(sender->stop, NULL) != 0) {
        return -ENOMEM;
    }
    return 0;
}

void tel__sender_run(struct tel__sender *sender)
{
    sender->first_ns = tel_clock_monotonic_ns();
    go(sender, IDLE);
    if (sender->state != DONE) {
        event_base_dispatch(sender->base);
    }
}
