/*
 * An OTLP exporter's thread, in two halves.
 *
 * sender.c is the state machine: when to take a batch, when to try again, when to end. batch.c is
 * what it decides about: making it, filling a batch from the queue, POSTing it, and judging the
 * answer.
 *
 * Threads: all of it is the exporter's thread's, but making and destroying it.
 */
#ifndef TEL_OTLP_SENDER_H
#define TEL_OTLP_SENDER_H

#include "otlp/client.h"
#include "otlp/encode.h"
#include "otlp/exporter.h"

struct event;

struct tel__sender {
    struct tel_exporter *exporter;
    struct event_base *base;
    struct event *wake;     /* producers */
    struct event *stop;     /* shutdown */
    struct event *timer;    /* of the state */
    struct event *deadline; /* of the flush */
    unsigned state;
    uint64_t level;         /* of the wakeup, as last armed */
    uint64_t first_ns;      /* when the oldest waiting record may have come */
    uint64_t not_before_ns; /* Retry-After of the last answer */
    bool flushing;
    uint64_t flush_by_ns;

    struct {
        size_t count;      /* records; 0: there is none */
        uint64_t start_ns; /* when it was taken */
        uint64_t until_ns; /* when its time is over */
        uint64_t again_ns; /* BACKOFF: the next try */
        unsigned failures; /* POSTs that failed */
        bool gzip;
    } batch;
    struct tel_buffer records; /* encoded */
    struct tel_buffer head;    /* what goes before them */
    struct tel_buffer packed;  /* both, compressed */

    struct tel__encoder encoder;
    struct tel__endpoint endpoint;
    struct tel__headers headers;
    struct tel__tls *tls;
    struct tel__client *client;
    char user_agent[64];
    bool warned_partial; /* a collector's remark on a full success was passed on */
};

/* What an answer means for the batch. */
struct tel__verdict {
    bool retry;   /* may be sent again, in time; error and reason count when there is none */
    bool at_once; /* without waiting */
    bool has_retry_after;
    uint32_t retry_after_ms;
    enum tel_export_error error; /* of the `lost` records */
    uint64_t lost;               /* UINT64_MAX: all */
    unsigned status;             /* HTTP status of the answer; 0: there was none to speak of */
    char reason[TEL__REASON_MAX];
};

/* sender.c */
int tel__sender_init_events(struct tel__sender *sender);
void tel__sender_run(struct tel__sender *sender);
void tel__sender_answer(struct tel__sender *sender, const struct tel__verdict *verdict);

/* batch.c */

/* Takes up to a batch of records off the queue and encodes them; `batch.count` is 0 when there were
 * none. Those that cannot be encoded are counted. */
void tel__sender_fill(struct tel__sender *sender);
/* POSTs the batch; tel__sender_answer() is called later, once. */
void tel__sender_post(struct tel__sender *sender, uint32_t timeout_ms);
/* Gives up a POST under way. */
void tel__sender_cancel(struct tel__sender *sender);
/* What an outcome means for `records` ("spans"), at wall time `now_wall_s`. */
void tel__sender_judge(const char *records, const struct tel__outcome *outcome,
                       const struct tel__bytes *body, int64_t now_wall_s,
                       struct tel__verdict *verdict);

#endif
