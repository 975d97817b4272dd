/*
 * The log's thread: from the shards' queues to the sink.
 *
 * How it works: a round obeys orders, fills the outbox, and flushes it. What comes then depends on
 * how far the flush got:
 *
 *          ┌────────────────────────── round ───────────────────────────┐
 *          v                                                            │
 *     orders ──> fill ──> flush ──┬─ all sent, queues empty ──> rest ───┤  first record, 10 ms more
 *                                 ├─ all sent, more queued ─────────────┤
 *                                 ├─ BEHIND: pipe full ──> poll ────────┤  until it takes bytes
 *                                 ├─ FAILED: disk full ──> back off ────┤  0.1 to 1 s
 *                                 └─ GONE: no reader ──> lines dropped ─┘
 *
 * Each wait also ends by an order. Resting costs nothing: the first record after it wakes the
 * thread, and while records keep coming it wakes by time only, so that producers make no system
 * call; a queue that gets half full ends the pause early.
 *
 * A torn line (a full disk) is taken off the file again; on a pipe it is completed before anything
 * else. When the reader of a pipe has gone, its successor is given the directives again.
 *
 * Threads: orders and counts from any; append's side of a shard from the shard's thread.
 * Memory: all reserved at init. Failure: after start, only the sink's, told by counts and
 * diagnostics.
 */
#ifndef TEL_ACCESS_LOG_WRITER_H
#define TEL_ACCESS_LOG_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "access_log/fields.h"
#include "access_log/line.h"
#include "access_log/losses.h"
#include "access_log/outbox.h"
#include "access_log/sink.h"
#include "base/ring.h"
#include "base/wakeup.h"

/* What one recording thread writes to. */
struct tel__shard {
    struct tel__ring ring;
    _Alignas(64) _Atomic uint64_t appended;
    _Atomic uint64_t queue_full;
    _Atomic uint64_t late; /* appended after the log was closed */
};

struct tel__writer {
    /* The owner's, before start. */
    struct tel__fields fields;
    struct tel__shard *shards;
    size_t shard_count;
    char *path; /* NULL: stdout */
    char *software;
    tel_diagnostic_fn *diagnostic;
    void *diagnostic_argument;

    /* Producers' and orders'. */
    struct tel__wakeup first;    /* armed while nothing is to do */
    struct tel__wakeup pressure; /* armed during the pause: a queue is half full */
    int control_fd;              /* an eventfd: an order was given */
    int finished_fd;             /* an eventfd: the thread has left */
    atomic_bool reopen_ordered;
    atomic_bool closing;
    _Atomic uint64_t deadline_ns; /* of closing, monotonic */

    /* Counts, written by the thread. */
    _Atomic uint64_t written;
    _Atomic uint64_t refused; /* dropped as TEL_ACCESS_WRITE_ERROR */
    _Atomic uint64_t reopened;
    atomic_bool stalled;

    /* The thread's own. */
    pthread_t thread;
    struct tel__sink sink;
    struct tel__outbox outbox;
    struct tel__dates dates;
    struct tel__losses losses;
    size_t next_shard;     /* whose turn it is */
    uint64_t remark_at_ns; /* of the last remark */
    uint32_t backoff_ms;   /* 0: not backing off */
    bool busy;             /* lines were filled in since the last pause */
    bool directives_due;
    bool newline_due; /* the file's last line was torn by someone before us */
    bool gone;        /* the last write found no reader */
    bool complained;  /* a diagnostic told of trouble that lasts */
};

/* Makes a zeroed writer one that fini may be called on. */
void tel__writer_prepare(struct tel__writer *writer);
/* Opens the sink and takes `fields`, `shards` and the strings as they are set. On failure tells why
 * through diagnostic. Returns 0 or a negative errno. */
int tel__writer_init(struct tel__writer *writer);
/* Starts the thread. Returns 0 or a negative errno. */
int tel__writer_start(struct tel__writer *writer);

/* Makes the thread look at its orders. */
void tel__writer_order(struct tel__writer *writer);

/* Has the thread write until `deadline_ns` (monotonic) and joins it. Returns 0, or -ETIMEDOUT when
 * it is stuck in the kernel and must be left behind with all its memory. */
int tel__writer_stop(struct tel__writer *writer, uint64_t deadline_ns);
void tel__writer_fini(struct tel__writer *writer);

/* Tells the operator. */
void tel__writer_say(const struct tel__writer *writer, enum tel_severity severity,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- the parts of a round (flush.c, waits.c) ------------------------------------------------ */

enum tel__flush { TEL__FLUSH_DONE, TEL__FLUSH_BEHIND, TEL__FLUSH_FAILED };

/* Opens the path for the first time, or again. Returns 0 or a negative errno; the old sink stays in
 * use then. */
int tel__writer_open(struct tel__writer *writer);
/* Whether the sink is open, after trying to open it if there are lines for it. */
bool tel__writer_is_open(struct tel__writer *writer);
/* Sends what the outbox holds, as far as the sink takes it. */
enum tel__flush tel__writer_flush(struct tel__writer *writer);

bool tel__writer_queues_empty(const struct tel__writer *writer);
/* Sleeps until there is something to write, then gathers more for a moment. */
void tel__writer_rest(struct tel__writer *writer);
void tel__writer_wait_for_reader(struct tel__writer *writer);
void tel__writer_back_off(struct tel__writer *writer);

#endif
