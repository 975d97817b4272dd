/*
 * Says when records begin to be lost, and when that ended and how many they were: twice an outage,
 * not once a record or a batch.
 *
 * How it works: the owner notes what failed and what its queue had no room for so far. The first loss
 * is a warning with its reason. A delivery after TEL__LOSS_QUIET_NS without a loss ends it.
 *
 * Threads: one owner. Memory: a struct of the owner.
 */
#ifndef TEL_OTLP_LOSS_H
#define TEL_OTLP_LOSS_H

#include "telemetry/otlp.h"

#define TEL__LOSS_QUIET_NS 10000000000ull

struct tel__loss {
    tel_diagnostic_fn *diagnostic; /* or NULL */
    void *argument;
    const char *records;     /* what they are: "spans"; borrowed */
    const char *destination; /* for people; borrowed */
    bool losing;
    uint64_t lost;            /* records since it began */
    uint64_t last_ns;         /* when the last of them was noted */
    uint64_t queue_full_seen; /* of what the queue had no room for */
};

/* At monotonic time `now_ns`, `failed` records (perhaps none) turned out lost because of `reason`,
 * and `queue_full` is the queue's count so far. With none lost it does nothing. */
void tel__loss_note(struct tel__loss *loss, uint64_t now_ns, uint64_t failed, const char *reason,
                    uint64_t queue_full);

/* At monotonic time `now_ns` records arrived. */
void tel__loss_delivered(struct tel__loss *loss, uint64_t now_ns);

/* Nothing will follow: ends what has begun. */
void tel__loss_finish(struct tel__loss *loss, uint64_t queue_full);

/* Passes a formatted message on. */
void tel__loss_say(const struct tel__loss *loss, enum tel_severity severity, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

#endif
