/*
 * Tracing: spans in the caller's memory, W3C propagation, head sampling.
 *
 * What it is for: one span a request (and smaller ones within), recorded on the request's thread
 * for the price of a few copies and handed to an exporter thread without a lock.
 *
 * How it works: a span is a struct of the caller. begin draws ids and asks the sampler; what is not
 * sampled records nothing, but has ids to propagate. Attributes and events are packed, unformatted,
 * into the span's own bytes. end copies them into the shard's bounded queue; full means dropped and
 * counted, never waiting.
 *
 *     headers ── extract ──> tel_context ── begin ──> tel_span ── end ──> queue ──> exporter
 *                                             └── inject ──> outgoing headers
 *
 * Every span that ended is in exactly one term of tel_tracer_stats():
 *     ended = unsampled + dropped + queued or already taken by the exporter
 *
 * Threads: a shard (see metrics.h) has one thread; a span stays on its shard. Stats: any thread.
 * Memory: strings are copied unless said otherwise; attribute keys and event names must be static
 * (string literals): only their address is kept.
 * Failure: everything between begin and end is void: what does not fit is dropped and counted in
 * the span's own dropped_* numbers (OTLP Span fields 10, 12, 14).
 *
 *     struct tel_span span;
 *     tel_span_begin(&span, tracer, shard, &(struct tel_span_start){
 *         .name = "GET /cart", .kind = TEL_SPAN_SERVER, .parent = &incoming});
 *     tel_span_set_int(&span, "http.response.status_code", 200);
 *     tel_span_end(&span, 0);
 */
#ifndef TELEMETRY_TRACE_H
#define TELEMETRY_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_TRACEPARENT_LENGTH     55 /* of version 00, without the NUL */
#define TEL_TRACESTATE_MAX         2048 /* bytes kept of a combined tracestate; more: discarded whole */
#define TEL_TRACESTATE_MEMBERS_MAX 32   /* of a tracestate; more: discarded whole */
#define TEL_BAGGAGE_MAX            8192 /* bytes kept of a combined baggage; more: discarded whole */
#define TEL_SPAN_BYTES             3072 /* packed attributes, events and links of a span */
#define TEL_ATTRIBUTE_VALUE_MAX    1024 /* bytes of a string value; longer ones are cut */

#define TEL_FLAG_SAMPLED 0x01 /* the caller may have recorded its span */
#define TEL_FLAG_RANDOM  0x02 /* the low 56 bits of the trace id are random (level 2) */

/* ---- context: what crosses process borders ------------------------------------------------- */

/* What a caller sent of its trace, and what goes on to those we call. */
struct tel_context {
    uint8_t trace_id[16];                /* of the whole trace */
    uint8_t span_id[8];                  /* the caller's span: parent of ours */
    uint8_t flags;                       /* TEL_FLAG_* */
    bool valid;                          /* a traceparent was there and was good */
    bool remote;                         /* it came from another process */
    uint16_t tracestate_length;          /* bytes of `tracestate` */
    uint16_t baggage_length;             /* bytes of `baggage` */
    char tracestate[TEL_TRACESTATE_MAX]; /* canonical list, not NUL-terminated */
    char baggage[TEL_BAGGAGE_MAX];       /* as it came, several headers joined by a comma */
};

/* Parses a traceparent value (W3C Trace Context level 2, 3.2): ids and flags of *context, which is
 * otherwise untouched. Returns 0 or -EINVAL. A higher version than 00 is read as the standard says. */
int tel_traceparent_parse(const char *value, size_t length, struct tel_context *context);

/* Writes version 00 and a NUL. */
void tel_traceparent_format(const uint8_t trace_id[16], const uint8_t span_id[8], uint8_t flags,
                            char out[TEL_TRACEPARENT_LENGTH + 1]);

/* Appends one tracestate header's members to what *context has. -EINVAL when a member is malformed,
 * a key repeats or there are more than 32 members, -EMSGSIZE over TEL_TRACESTATE_MAX; either way
 * the tracestate of *context is then empty, and the caller must ignore further headers. */
int tel_tracestate_parse(const char *value, size_t length, struct tel_context *context);

/* Returns the index-th value of header `name` (lower case) and its length, or NULL when there are
 * not so many. */
typedef const char *tel_header_get_fn(void *carrier, const char *name, size_t index,
                                      size_t *length);
/* Adds an outgoing header; name and value are borrowed for the call, value is NUL-terminated. */
typedef void tel_header_set_fn(void *carrier, const char *name, const char *value, size_t length);

/* ---- tracer -------------------------------------------------------------------------------- */

/* How it is decided whether a trace is recorded. */
enum tel_sampler_kind {
    TEL_SAMPLER_ALWAYS_ON,  /* each is */
    TEL_SAMPLER_ALWAYS_OFF, /* none is */
    TEL_SAMPLER_RATIO,      /* by the low 56 bits of the trace id (level 2 randomness) */
};

/* A sampler, as OTEL_TRACES_SAMPLER and _ARG describe one. */
struct tel_sampler {
    enum tel_sampler_kind root; /* for traces that begin here */
    double ratio;               /* 0..1, for TEL_SAMPLER_RATIO */
    bool parent_based;          /* a valid parent decides, `root` only without one */
};

/* Reads the values of OTEL_TRACES_SAMPLER and _ARG (may be NULL). Returns 0 or -EINVAL (unknown
 * name, ratio not in 0..1); *sampler is then the default, parent-based always on. */
int tel_sampler_parse(const char *name, const char *argument, struct tel_sampler *sampler);

struct tel_tracer; /* makes spans and keeps those that ended until they are exported */

/* What a tracer records, and how much may wait; tel_config_get_tracer() fills them. */
struct tel_tracer_options {
    size_t shard_count;         /* threads that record */
    struct tel_sampler sampler; /* asked when a span begins */
    size_t queue_size;  /* spans that may wait, all shards together; 0: nothing is recorded */
    bool trace_context; /* propagator in use: traceparent and tracestate */
    bool baggage;       /* propagator in use: baggage */
};

/* Makes a tracer and its queues; the options are copied. NULL with errno EINVAL (no shard, too
 * many, a queue beyond reason) or ENOMEM. */
struct tel_tracer *tel_tracer_create(const struct tel_tracer_options *options);
/* Frees it with what is queued. No span of it may still be open, no exporter consume it. NULL is
 * fine. */
void tel_tracer_destroy(struct tel_tracer *tracer);

/* Where a span's parent is: otel.span.parent.origin. */
enum tel_parent_origin {
    TEL_PARENT_NONE,   /* it has none */
    TEL_PARENT_LOCAL,  /* in this process */
    TEL_PARENT_REMOTE, /* in another one */
    TEL_PARENT_ORIGINS /* how many there are */
};

/* Terms of the equation, over all spans (SERVER, CLIENT and INTERNAL). */
struct tel_tracer_stats {
    uint64_t started; /* tel_span_begin() */
    uint64_t started_by[TEL_PARENT_ORIGINS]
                       [2];      /* the same, by parent and (0) not sampled, (1) so */
    uint64_t ended;              /* tel_span_end() */
    uint64_t ended_server;       /* of these, of kind SERVER */
    uint64_t unsampled;          /* ended without being recorded */
    uint64_t dropped_queue_full; /* ended, sampled, and found no room */
    uint64_t dropped_shutdown;   /* ended after tel_tracer_close() */
    uint64_t queued;             /* waiting for the exporter now */
    uint64_t queue_capacity;     /* spans */
};
/* Reads the counts of all shards, each at its own moment. Any thread, no lock. */
void tel_tracer_get_stats(const struct tel_tracer *tracer, struct tel_tracer_stats *stats);

/* From now on ended spans are dropped and counted as dropped_shutdown. Any thread. */
void tel_tracer_close(struct tel_tracer *tracer);

/* Reads the propagators' headers into *context. Never fails: what is invalid is left out, as W3C
 * Trace Context 4.3 asks (bad traceparent: new trace; bad tracestate: only that is lost). */
void tel_context_extract(const struct tel_tracer *tracer, tel_header_get_fn *get, void *carrier,
                         struct tel_context *context);

/* ---- span ---------------------------------------------------------------------------------- */

/* On which side of a call a span is; OTLP's numbers. */
enum tel_span_kind {
    TEL_SPAN_INTERNAL = 1, /* neither: within a process */
    TEL_SPAN_SERVER = 2,   /* who answers */
    TEL_SPAN_CLIENT = 3    /* who calls */
};
/* How a span ended; OTLP's numbers. */
enum tel_span_status {
    TEL_STATUS_UNSET = 0, /* nothing is said: it went as it should, or a client's mistake */
    TEL_STATUS_OK = 1,    /* the program insists that it went well */
    TEL_STATUS_ERROR = 2  /* it failed */
};

/* Which member of an attribute's value counts. */
enum tel_value_type {
    TEL_VALUE_STRING = 1, /* `string` */
    TEL_VALUE_BOOL = 2,   /* `boolean` */
    TEL_VALUE_INT = 3,    /* `integer` */
    TEL_VALUE_DOUBLE = 4  /* `real` */
};

/* An attribute for events and links, where they are given as a list. */
struct tel_attribute {
    const char *key;          /* static */
    enum tel_value_type type; /* of `value` */
    /* One of the four. */
    union tel_value {
        /* UTF-8, not NUL-terminated. */
        struct {
            const char *data; /* the bytes */
            size_t length;    /* how many */
        } string;             /* of a TEL_VALUE_STRING */
        bool boolean;         /* of a TEL_VALUE_BOOL */
        int64_t integer;      /* of a TEL_VALUE_INT */
        double real;          /* of a TEL_VALUE_DOUBLE */
    } value;                  /* as `type` says */
};

/* In the caller's memory, about 3 KiB; fields are the library's, read ids through the functions. */
struct tel_span {
    struct tel_tracer *tracer;         /* borrowed from begin until end */
    const struct tel_context *context; /* borrowed from begin until end; NULL for none */
    const char *name;                  /* borrowed until end */
    uint64_t start_wall_ns;            /* nanoseconds since the Unix epoch */
    uint64_t end_wall_ns;              /* the same, set by end */
    uint32_t shard;                    /* whose thread it belongs to */
    uint8_t trace_id[16];              /* the parent's, or drawn by begin */
    uint8_t span_id[8];                /* drawn by begin */
    uint8_t parent_span_id[8];         /* zeros: none */
    uint8_t flags;                     /* TEL_FLAG_* that go out */
    uint8_t kind;                      /* enum tel_span_kind */
    uint8_t status;                    /* enum tel_span_status */
    bool has_parent;                   /* parent_span_id is set */
    bool parent_remote;                /* and in another process */
    bool recording;                    /* what is set is kept: tel_span_is_recording() */
    uint16_t dropped_attributes;       /* that found no room */
    uint16_t dropped_events;           /* likewise */
    uint16_t dropped_links;            /* likewise */
    uint16_t used;                     /* bytes of `items` */
    uint64_t keys_seen[4];      /* a bit for each attribute key, to find one that is set again */
    char items[TEL_SPAN_BYTES]; /* attributes, events and links, packed */
};

/* How a span begins. */
struct tel_span_start {
    const char *name;                   /* borrowed until end; may be replaced */
    enum tel_span_kind kind;            /* SERVER spans have a count of their own */
    uint64_t start_wall_ns;             /* 0: now */
    const struct tel_context *parent;   /* from another process; borrowed until end; or NULL */
    const struct tel_span *parent_span; /* in this process; wins over `parent`; or NULL */
};

/* Begins a span in the caller's memory, which need not be cleared. By the shard's thread. Every
 * span that begins must end. */
void tel_span_begin(struct tel_span *span, struct tel_tracer *tracer, size_t shard,
                    const struct tel_span_start *start);

/* Whether attributes are worth computing. */
static inline bool tel_span_is_recording(const struct tel_span *span)
{
    return span->recording;
}

/* Whether those we call are told to record; true also where nothing is kept here (queue_size 0). */
static inline bool tel_span_is_sampled(const struct tel_span *span)
{
    return (span->flags & TEL_FLAG_SAMPLED) != 0;
}

void tel_span_set_name(struct tel_span *span, const char *name); /* borrowed until end */

/* Set an attribute; `key` static, a string's bytes copied. The same key (the same address) again
 * replaces its value. */
void tel_span_set_string(struct tel_span *span, const char *key, const char *value, size_t length);
void tel_span_set_int(struct tel_span *span, const char *key, int64_t value);
void tel_span_set_bool(struct tel_span *span, const char *key, bool value);
void tel_span_set_double(struct tel_span *span, const char *key, double value);

/* Replaces the status; it is unset until then. */
void tel_span_set_status(struct tel_span *span, enum tel_span_status status);

/* An event at `wall_ns` (0: now) with `count` attributes. */
void tel_span_add_event(struct tel_span *span, const char *name, uint64_t wall_ns,
                        const struct tel_attribute *attributes, size_t count);

/* A link to another span. */
void tel_span_add_link(struct tel_span *span, const uint8_t trace_id[16], const uint8_t span_id[8],
                       uint8_t flags, const struct tel_attribute *attributes, size_t count);

/* Ends it at `end_wall_ns` (0: now) and queues it if it was sampled. The struct may be reused. */
void tel_span_end(struct tel_span *span, uint64_t end_wall_ns);

/* What an item of a span is. */
enum tel_item_what {
    TEL_ITEM_ATTRIBUTE, /* of the span */
    TEL_ITEM_EVENT,     /* its name is the attribute's key */
    TEL_ITEM_LINK,      /* to another span */
    TEL_ITEM_NESTED     /* an attribute of the event or link before it */
};

/* One thing that a span holds; strings are borrowed from the span. */
struct tel_item {
    enum tel_item_what what;        /* decides which of the others count */
    struct tel_attribute attribute; /* ATTRIBUTE, NESTED; of an EVENT only the key */
    uint64_t wall_ns;               /* of an EVENT */
    uint8_t trace_id[16];           /* of a LINK */
    uint8_t span_id[8];             /* of a LINK */
    uint8_t flags;                  /* of a LINK */
};

/* Reads the item at *position (0 at first) and moves it on, in the order in which they were set;
 * false at the end. Before the span has ended or after, until its struct is used again; one that was
 * not sampled has none. */
bool tel_span_next_item(const struct tel_span *span, size_t *position, struct tel_item *item);

/* Sets traceparent, tracestate and baggage of a call made within this span, as the tracer's
 * propagators ask. */
void tel_span_inject(const struct tel_span *span, tel_header_set_fn *set, void *carrier);

#ifdef __cplusplus
}
#endif

#endif
