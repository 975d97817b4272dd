/*
 * The service's metrics: metrics.def built into a registry, and the few writes of the request path.
 *
 * How it works: instruments_create() makes every family of metrics.def and the series that are known
 * in advance (each route with its own methods and documented statuses), so that a first scrape shows
 * them at 0. A request's label set is a handful of small numbers; each shard keeps a table from those
 * numbers to the series, so the request path compares one integer and never a string.
 *
 * Threads: created before the workers; record functions by the shard's own thread.
 * Memory: owned by the struct; the registry is borrowed.
 */
#ifndef GLASSBOX_INSTRUMENTS_H
#define GLASSBOX_INSTRUMENTS_H

#include "faults/plan.h"
#include "http/http.h"
#include "router.h"
#include "telemetry/metrics.h"

struct service;
struct instruments;

enum metric_id {
#define METRIC(ID, ...) METRIC_##ID,
#include "metrics.def"
#undef METRIC
    METRICS
};

/* What a finished request counts as. */
struct request_labels {
    enum http_method method;
    enum route_id route;
    uint16_t status;        /* 0: none was sent */
    const char *error_type; /* NULL: none */
    enum http_error error;  /* what error_type came from; HTTP_OK: from the status */
    int minor_version;      /* of HTTP/1; -1 unknown */
};

/* Values of labels that are shared between writers and readers of a metric. */
enum listener_label { LISTENER_PUBLIC, LISTENER_OPERATORS, LISTENER_LABELS };
enum refusal { REFUSED_LIMIT, REFUSED_DESCRIPTORS, REFUSED_HANDOVER, REFUSED_MEMORY, REFUSALS };
enum accept_error { ACCEPT_DESCRIPTORS, ACCEPT_MEMORY, ACCEPT_OTHER, ACCEPT_ERRORS };

/* Adds the families to `registry`; what is collected at scrape time is read from `service`. NULL with
 * errno. */
struct instruments *instruments_create(struct tel_registry *registry, struct service *service);
void instruments_destroy(struct instruments *instruments);

/* Request path. */
void instruments_request_opened(struct instruments *instruments, size_t shard,
                                enum http_method method);
/* A finished request is observed first, then goes into the other signals, then is counted as finished:
 * whoever looks meanwhile finds each signal's count between instruments_recorded() before it and
 * instruments_recording() after it. */
bool instruments_request_closed(struct instruments *instruments, size_t shard,
                                const struct request_labels *labels, uint64_t duration_ns,
                                const struct tel_exemplar *exemplar);
/* The series that requests with these labels are counted in. Not on every request: it looks for it. */
struct tel_series *instruments_request_series(struct instruments *instruments, size_t shard,
                                              const struct request_labels *labels);
void instruments_request_recorded(struct instruments *instruments, size_t shard,
                                  enum http_method method);
/* The same of an INTERNAL span: it ends between the two. */
void instruments_child_ending(struct instruments *instruments, size_t shard);
void instruments_child_ended(struct instruments *instruments, size_t shard);

/* Connections: by the main thread, which accepts; refusals also by a worker without memory. */
void instruments_accepted(struct instruments *instruments, size_t shard, enum listener_label label);
void instruments_refused(struct instruments *instruments, size_t shard, enum listener_label label,
                         enum refusal reason);
void instruments_accept_failed(struct instruments *instruments, size_t shard,
                               enum accept_error reason);

/* A fault took effect on a request to the route; a request that faults struck waited for them so long,
 * and ended with an error_type by them, or not. */
void instruments_fault_injected(struct instruments *instruments, size_t shard, enum fault_kind kind,
                                enum route_id route);
void instruments_fault_ended(struct instruments *instruments, size_t shard, enum route_id route,
                             uint64_t delay_ns, bool failed);

/* A timer of the shard's loop ran `lag_ns` late. */
void instruments_loop_lag(struct instruments *instruments, size_t shard, uint64_t lag_ns);

/* What was ended so far, of requests and of INTERNAL spans: all that is in every signal by now, and all
 * that may be in one. Equal when nothing is under way. */
struct recorded {
    uint64_t requests;
    uint64_t children;
};
struct recorded instruments_recorded(const struct instruments *instruments);
struct recorded instruments_recording(const struct instruments *instruments);

/* The durations' family, whose labels stand in this order, and the upper bounds of its buckets. */
enum duration_label {
    DURATION_METHOD,
    DURATION_ROUTE,
    DURATION_STATUS,
    DURATION_SCHEME,
    DURATION_ERROR,
    DURATION_VERSION
};
const struct tel_family *instruments_durations(const struct instruments *instruments);
const uint64_t *instruments_duration_bounds_ns(size_t *count);

/* Requests being served. */
uint64_t instruments_active(const struct instruments *instruments);

/* Terms of the equation: requests finished, and observations in the duration histogram. */
uint64_t instruments_finished(const struct instruments *instruments);
uint64_t instruments_observed(const struct instruments *instruments);

#endif
