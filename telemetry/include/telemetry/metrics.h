/*
 * Metrics: counters, gauges and histograms that many threads write and one scrape sums.
 *
 * What it is for: numbers on the way of a request. A write is a relaxed store to memory that only
 * the calling thread writes: no lock, no allocation once warm, no shared cache line.
 *
 * How it works:
 *
 *     registry ── family (name, help, unit, type, label names)
 *                   └── series (label values)
 *                         └── one cell a shard: counter, gauge, or histogram
 *
 * A shard is a writing thread: the registry is made for a fixed number of them, and each cell has
 * exactly one writer. A scrape reads all cells without stopping anyone and sums them, so counters
 * never go backwards.
 *
 * A histogram takes integer nanoseconds and exposes seconds. It counts in the common refinement
 * of its classic buckets and of the native buckets of schema TEL_NATIVE_SCHEMA: one increment an
 * observation, from which both views are derived, so they agree to the last one, and `_count` is
 * the sum of the buckets by construction. Each classic bucket keeps its latest exemplar.
 *
 * Cardinality is bounded: a family takes `series_limit` label sets (TEL_SERIES_LIMIT when 0).
 * What comes beyond goes to one series labelled otel_metric_overflow="true" and is counted
 * (tel_registry_overflow_count), as the OpenTelemetry metrics SDK specifies.
 *
 * Threads: registry and families are made before the threads that use them. tel_family_series()
 * may be called by any shard at any time; it takes a lock only for a label set that is new to the
 * family. add/inc/set/observe: by the shard's own thread. tel_registry_expose(): any thread,
 * several at once.
 * Memory: the registry owns families and series; they live until tel_registry_destroy(). Strings
 * of a family's description are borrowed and must outlive the registry; label values are copied.
 * Failure: creators return NULL with errno set. tel_family_series() never returns NULL: without
 * memory it returns the family's overflow series and counts that. No write is lost: an observation
 * for whose cells there is no memory goes to the overflow series too, and is counted likewise.
 *
 *     static const char *const labels[] = {"code"};
 *     struct tel_registry *registry = tel_registry_create(1);
 *     struct tel_family *family = tel_family_create(registry, &(struct tel_family_options){
 *         .name = "app_requests_total", .help = "Requests answered.", .type = TEL_COUNTER,
 *         .label_names = labels, .label_count = 1});
 *     tel_counter_inc(tel_family_series(family, 0, (const char *[]){"200"}), 0);
 *     tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &out);
 */
#ifndef TELEMETRY_METRICS_H
#define TELEMETRY_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_SHARDS_MAX      64  /* writing threads of a registry */
#define TEL_LABELS_MAX      64  /* label names of a family; target_info is why so many */
#define TEL_LABEL_VALUE_MAX 256 /* bytes of a label value; longer ones are cut at a UTF-8 border */
#define TEL_SERIES_LIMIT    256 /* label sets of a family, unless its options say otherwise */
#define TEL_BUCKETS_MAX     64  /* classic bucket bounds of a histogram, +Inf not counted */

/* Native buckets: base 2^(2^-3), from TEL_NATIVE_MIN_NS up to TEL_NATIVE_MAX_NS. Smaller values
 * fall into the zero bucket, whose threshold is TEL_NATIVE_MIN_NS. Larger ones into one more. */
#define TEL_NATIVE_SCHEMA 3
#define TEL_NATIVE_MIN_NS 1000ull
#define TEL_NATIVE_MAX_NS 64000000000ull

struct tel_registry; /* all families of a process */
struct tel_family;   /* one metric name */
struct tel_series;   /* one label set of a family */
struct tel_scrape;   /* an exposition under way, as a family's collect function sees it */

/* What a family's numbers are. */
enum tel_metric_type {
    TEL_COUNTER,   /* monotonic; its name ends in _total */
    TEL_GAUGE,     /* goes up and down */
    TEL_HISTOGRAM, /* of durations: observed in nanoseconds, exposed in seconds */
    TEL_INFO,      /* labels with the value 1; its name ends in _info */
};

/* Emits a family's samples at scrape time with tel_scrape_emit(); for what is cheaper to read than
 * to keep. Runs on the scraping thread; must not block, must not call back into the registry. */
typedef void tel_collect_fn(struct tel_scrape *scrape, void *argument);

/* What a family is. Strings and lists are borrowed: they must outlive the registry. */
struct tel_family_options {
    const char *name;               /* full Prometheus name, suffix included */
    const char *help;               /* one sentence; escaped as the format asks */
    const char *unit;               /* "seconds", "bytes", "ratio" … or NULL; part of the name */
    enum tel_metric_type type;      /* decides which functions may write its series */
    const char *const *label_names; /* label_count of them */
    size_t label_count;             /* up to TEL_LABELS_MAX */
    size_t series_limit;            /* 0: TEL_SERIES_LIMIT */
    uint64_t divisor;               /* counters and gauges: exposed value = integer / divisor; 0: 1.
                                       1000000000 for a counter kept in ns and exposed in seconds */
    const uint64_t *bounds_ns;      /* histogram: ascending upper bounds, up to 10^15 ns */
    size_t bound_count;             /* up to TEL_BUCKETS_MAX */
    tel_collect_fn *collect;        /* NULL: the family's cells are exposed; no histograms */
    void *collect_argument;         /* given to `collect` */
};

/* What ties a histogram bucket to a trace. Only of a sampled span: else its link is dead. */
struct tel_exemplar {
    uint8_t trace_id[16]; /* of the trace it was observed in */
    uint8_t span_id[8];   /* of the span */
    uint64_t wall_ns;     /* when it was observed, nanoseconds since the Unix epoch */
};

/* Makes a registry for `shard_count` (1..TEL_SHARDS_MAX) writing threads. NULL with errno EINVAL
 * or ENOMEM. */
struct tel_registry *tel_registry_create(size_t shard_count);

/* Frees everything made from it. NULL is fine. No thread may be using it. */
void tel_registry_destroy(struct tel_registry *registry);

/* How often the overflow series had to do, all families together: calls of tel_family_series() whose
 * label set was new and the family full, or that had no memory for it; and observations for want of
 * a histogram's cells (a shard's first one of a series takes about 2 KiB). */
uint64_t tel_registry_overflow_count(const struct tel_registry *registry);

/* Adds a family. Setup only. NULL with errno: EINVAL (a name, label name, unit, bound or type that
 * Prometheus or OpenMetrics forbids; a name that ends in what another type owns, as a gauge's in
 * _total, _info, _count, _sum, _bucket or _created), EEXIST (a name it would expose is taken),
 * ENOMEM. */
struct tel_family *tel_family_create(struct tel_registry *registry,
                                     const struct tel_family_options *options);

/* The series with these label values, one for each of the family's label names, in their order;
 * made when it is new, then exposed from 0. A NULL or empty value leaves the label out; bytes that
 * are not UTF-8 become U+FFFD. A family without label names has its one series from the start. The
 * result stays valid as long as the registry: hot callers keep it. Never NULL. */
struct tel_series *tel_family_series(struct tel_family *family, size_t shard,
                                     const char *const *label_values);

/* Add one, or `amount`, to the shard's cell; saturates at 2^64-1. By the shard's thread. */
void tel_counter_inc(struct tel_series *series, size_t shard);
void tel_counter_add(struct tel_series *series, size_t shard, uint64_t amount);

/* Add to, or set, the shard's cell; a gauge's value is the sum over its shards' cells. By the
 * shard's thread. */
void tel_gauge_add(struct tel_series *series, size_t shard, int64_t amount);
void tel_gauge_set(struct tel_series *series, size_t shard, int64_t value);

/* Counts one duration. `exemplar` is NULL or borrowed for the call. Returns whether the series keeps it:
 * not where there is none, nor where there is no memory for it. */
bool tel_histogram_observe(struct tel_series *series, size_t shard, uint64_t duration_ns,
                           const struct tel_exemplar *exemplar);

/* Sum of a series over all shards: counters and gauges as kept (not divided), histograms their
 * count. For tests, exit reports and other readers; any thread. */
uint64_t tel_series_value(const struct tel_series *series);

/* Sum of tel_series_value() over every series of the family, the overflow series included. */
uint64_t tel_family_value(const struct tel_family *family);

/* The family's series one after the other, in the order made: NULL gives the first, and comes after
 * the last. The overflow series is the last one, if it is in use. Any thread. */
const struct tel_series *tel_family_next_series(const struct tel_family *family,
                                                const struct tel_series *series);

/* The value of the index-th of the family's labels as it is exposed, not NUL-terminated; NULL with
 * length 0 where it is left out, and for the overflow series. */
const char *tel_series_label(const struct tel_series *series, size_t index, size_t *length);

/* A classic bucket of a histogram. */
struct tel_bucket {
    size_t index;     /* among the family's bounds; bound_count: +Inf */
    const char *le;   /* its upper bound as it is exposed, `0.005`; not NUL-terminated, static */
    size_t le_length; /* bytes of `le` */
};

/* Finds the bucket that a duration is counted in. */
void tel_histogram_find_bucket(const struct tel_series *series, uint64_t duration_ns,
                               struct tel_bucket *bucket);

/* Adds what each classic bucket of the series has counted to `counts`: not cumulative, one number
 * more than there are bounds, the last for +Inf. Any thread. */
void tel_histogram_add_counts(const struct tel_series *series, uint64_t *counts);

/* Appends the name of the index-th bucket's sample as both text formats have it:
 * `app_wait_seconds_bucket{code="200",le="0.005"}`. */
void tel_histogram_append_bucket(const struct tel_series *series, size_t index,
                                 struct tel_buffer *out);

/* Appends an exemplar as OpenMetrics has it behind a sample:
 * `# {trace_id="…",span_id="…"} 0.0012 1700000000.123`. */
void tel_exemplar_append(const struct tel_exemplar *exemplar, uint64_t duration_ns,
                         struct tel_buffer *out);

/* Within a collect function: one sample with these label values (as in tel_family_series()), not
 * divided. An info's value is always 1; a counter's that is negative or NaN is left out. */
void tel_scrape_emit(struct tel_scrape *scrape, const char *const *label_values, double value);

/* How a registry is written down. */
enum tel_exposition_format {
    TEL_EXPOSITION_TEXT,        /* Prometheus text 0.0.4 */
    TEL_EXPOSITION_OPENMETRICS, /* OpenMetrics 1.0 text, with exemplars */
    TEL_EXPOSITION_PROTOBUF,    /* delimited io.prometheus.client.MetricFamily, native histograms */
};

/* Chooses by an HTTP Accept header (RFC 9110 12.5.1). A format other than text must be named in
 * full, with the parameters that matter (OpenMetrics version 0.0.1, 1.0.0 or none; protobuf's proto
 * and encoding); wildcards mean text. The highest q wins, a tie goes to the first named. What cannot
 * be parsed is passed over. NULL, empty or nothing acceptable: text. */
enum tel_exposition_format tel_exposition_negotiate(const char *accept, size_t length);

/* Whether an HTTP Accept-Encoding header (RFC 9110 12.5.3) lets the exposition be sent with
 * tel_gzip(): it names gzip, or `*`, with a q over 0. NULL or empty: no. */
bool tel_exposition_accepts_gzip(const char *accept_encoding, size_t length);

/* The Content-Type that goes with a format; a static string. */
const char *tel_exposition_content_type(enum tel_exposition_format format);

/* Appends all families in the order they were made. Its cost depends on the number of series, not
 * on what was counted. Returns 0 or the buffer's error. */
int tel_registry_expose(struct tel_registry *registry, enum tel_exposition_format format,
                        struct tel_buffer *out);

/* Adds the process_* families of the Prometheus client conventions (CPU, memory, descriptors,
 * threads, start time), read from /proc at each scrape. What cannot be read here is left out.
 * Returns 0 or a negative errno. */
int tel_process_register(struct tel_registry *registry);

#ifdef __cplusplus
}
#endif

#endif
