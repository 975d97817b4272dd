/*
 * The exporter from within: what its thread, its public functions and its metrics share.
 *
 * How it works: a kind of exporter is a row of functions (struct tel__exporter_kind): what it makes
 * at creation, its thread's life, its end. The rest is common: the thread, the stop signal, the
 * counters. What is exported is a queue of records of one signal (base/queue.h), and how a record is
 * encoded; nobody here knows whose queue it is.
 *
 *     kind     file        its thread
 *     OTLP     sender.c    an event loop: batches, HTTP
 *     CONSOLE  console.c   poll(2): a line a span (spans only)
 *     NONE                 has none
 *
 * Accounting: `taken` counts records as they leave the queue, `acknowledged` and `failed` as their
 * fate is known; in flight is the difference. A reader that reads fates first and `taken` last gets
 * terms that add up at any moment.
 *
 * Threads: counters are written by the exporter's thread (after it was joined, by the one that
 * joined it), read by any. Everything else is the thread's, or fixed before it starts.
 */
#ifndef TEL_OTLP_EXPORTER_H
#define TEL_OTLP_EXPORTER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "base/signal.h"
#include "otlp/encode.h"
#include "otlp/loss.h"
#include "otlp/statuses.h"
#include "telemetry/otlp.h"

struct tel__exporter_kind {
    const char *component;                      /* otel.component.type begins so */
    unsigned errors;                            /* bits 1 << enum tel_export_error it can meet */
    int (*make)(struct tel_exporter *exporter); /* errno, said through diagnostic; fills `state` */
    void (*run)(struct tel_exporter *exporter); /* the thread, until stopped */
    void (*destroy)(struct tel_exporter *exporter);
};

extern const struct tel__exporter_kind tel__exporter_otlp;
extern const struct tel__exporter_kind tel__exporter_console;
extern const struct tel__exporter_kind tel__exporter_none;

struct tel_exporter {
    const struct tel__exporter_kind *kind;
    struct tel_exporter_options options; /* strings are used at creation only */
    struct tel__queue *queue;            /* its producers' noun owns it */
    tel__encode_fn *encode; /* a record of the queue; NULL: the kind has ways of its own */
    const struct tel_resource *resource;
    void *state; /* the kind's own */
    /* Where it sends to, for those that send; else NULL and "". */
    const char *server_address;
    char server_port[6];
    struct tel__loss loss;

    pthread_t thread;
    bool started;                /* and not joined yet */
    bool stopping;               /* shutdown was asked for */
    int stop_fd;                 /* an eventfd: shutdown was asked for */
    _Atomic uint64_t stop_by_ns; /* monotonic; set before stop_fd is written */
    bool left;                   /* the thread counted something as TEL_EXPORT_SHUTDOWN */

    _Atomic uint64_t taken;
    _Atomic uint64_t acknowledged;
    _Atomic uint64_t failed[TEL_EXPORT_ERRORS];
    struct tel__statuses statuses; /* of failed[TEL_EXPORT_STATUS]: which */
    _Atomic uint64_t requests;
    _Atomic uint64_t retries;

    struct tel_family *durations; /* of operations; NULL without a registry */
};

/* Adds to a counter of which the caller is the only writer. */
static inline void tel__exporter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_release);
}

#define TEL__ALL_ERRORS ((1u << TEL_EXPORT_ERRORS) - 1)

/* How one operation ended. */
struct tel__ending {
    enum tel_export_error error; /* TEL_EXPORT_ERRORS: it succeeded */
    unsigned status;             /* HTTP status of its last request; 0: there was none */
    uint64_t duration_ns;
};

/* health.c: observes the operation. On the exporter's thread. */
void tel__exporter_observe(struct tel_exporter *exporter, const struct tel__ending *ending);

/* Takes everything that is queued and counts it as TEL_EXPORT_SHUTDOWN. */
void tel__exporter_discard_queue(struct tel_exporter *exporter);

/* The queue's count of records that found no room. */
uint64_t tel__exporter_queue_full(const struct tel_exporter *exporter);

#endif
