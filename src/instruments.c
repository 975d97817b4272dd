/*
 * metrics.def becomes families, routes.def the series that stand at 0 from the start, and the
 * request path finds its series by comparing one integer (request_key).
 *
 * To add a metric: a row in metrics.def; if it is collected, a function in collect.c.
 */
#include "instruments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect.h"
#include "options.h"
#include "service.h"

#define LABEL_COLUMNS 7 /* most labels a row of metrics.def has, and a NULL */

/* The conventions' buckets, refined below 5 ms: the service answers in microseconds. */
static const uint64_t duration_bounds_ns[] = {
    25000,     50000,     100000,     250000,     500000,     1000000,    2500000,
    5000000,   10000000,  25000000,   50000000,   75000000,   100000000,  250000000,
    500000000, 750000000, 1000000000, 2500000000, 5000000000, 7500000000, 10000000000};

#define LABELS(...) \
    {               \
        __VA_ARGS__ \
    }
#define NO_LABELS \
    {             \
        NULL      \
    }
static const char *const metric_labels[METRICS][LABEL_COLUMNS] = {
#define METRIC(ID, name, type, unit, divisor, labels, ...) [METRIC_##ID] = labels,
#include "metrics.def"
#undef METRIC
};

static const struct tel_family_options metric_rows[METRICS] = {
#define METRIC(ID, name_, type_, unit_, divisor_, labels_, collect_, help_) \
    [METRIC_##ID] = {.name = name_,                                         \
                     .help = help_,                                         \
                     .unit = unit_,                                         \
                     .type = type_,                                         \
                     .divisor = divisor_,                                   \
                     .collect = collect_},
#include "metrics.def"
#undef METRIC
};

/* A shard's way from a request's label numbers to its series: direct-mapped, so a lookup is one
 * compare; a collision only costs the library's own lookup. */
#define SERIES_SLOTS 128

struct series_slot {
    uint64_t key; /* 0: empty; request_key() is never 0 */
    struct tel_series *series;
};

struct shard_series {
    _Alignas(64) struct series_slot slots[SERIES_SLOTS];
    /* Counts that the shard's thread writes and any may read. */
    _Atomic uint64_t recording; /* requests that are recorded, or being so */
    _Atomic uint64_t children_ending;
    _Atomic uint64_t children_ended;
    struct tel_series *active[HTTP_METHODS];
    struct tel_series *lag;
};

struct instruments {
    const struct tel_registry *registry;
    size_t shard_count;
    struct tel_family *families[METRICS];
    struct tel_series *finished;
    struct tel_series *accepted[LISTENER_LABELS];
    struct tel_series *refused[LISTENER_LABELS][REFUSALS];
    struct tel_series *accept_errors[ACCEPT_ERRORS];
    struct tel_series *injected[FAULT_ROUTE_KINDS][ROUTES]; /* of routes that faults may touch */
    struct tel_series *failed[ROUTES], *delayed[ROUTES];
    struct shard_series shards[];
};

/* ---- setup ------------------------------------------------------------------------------------- */

static int make_families(struct instruments *instruments, struct tel_registry *registry,
                         struct service *service)
{
    for (size_t id = 0; id < METRICS; id++) {
        struct tel_family_options options = metric_rows[id];
        options.label_names = metric_labels[id];
        while (metric_labels[id][options.label_count] != NULL) {
            options.label_count++;
        }
        options.collect_argument = service;
        if (options.type == TEL_HISTOGRAM) {
            options.bounds_ns = duration_bounds_ns;
            options.bound_count = sizeof(duration_bounds_ns) / sizeof(duration_bounds_ns[0]);
        }
        instruments->families[id] = tel_family_create(registry, &options);
        if (instruments->families[id] == NULL) {
            return -errno;
        }
    }
    return 0;
}

/* Series of a family with one label, in the order of its values. */
static void make_labelled(struct tel_family *family, const char *const *values, size_t count,
                          struct tel_series **series)
{
    for (size_t i = 0; i < count; i++) {
        series[i] = tel_family_series(family, 0, &values[i]);
    }
}

/* The series of a request, through the library: strings are only made here. */
struct tel_series *instruments_request_series(struct instruments *instruments, size_t shard,
                                              const struct request_labels *labels)
{
    static const char *const versions[] = {"1.0", "1.1"};
    const struct route *route = &router_table()[labels->route];
    char status[8] = "";
    if (labels->status != 0) {
        snprintf(status, sizeof(status), "%u", labels->status);
    }
    const char *values[] = {
        http_method_name(labels->method),
        route->path,
        status,
        "http",
        labels->error_type,
        labels->minor_version >= 0 ? versions[labels->minor_version != 0] : NULL,
    };
    return tel_family_series(instruments->families[METRIC_REQUEST_DURATION], shard, values);
}

/* The series of a route's documented answers to one of its methods. */
static void make_known_answers(struct instruments *instruments, const struct route *route,
                               enum http_method method, uint16_t configured_status)
{
    struct request_labels labels = {.route = route->id, .method = method, .minor_version = 1};
    for (size_t s = 0; s < ROUTE_STATUSES_MAX && route->statuses[s] != 0; s++) {
        char text[8];
        const uint16_t status = route->statuses[s];
        labels.status = status != STATUS_CONFIGURED ? status : configured_status;
        snprintf(text, sizeof(text), "%u", labels.status);
        labels.error_type = labels.status >= 500 ? text : NULL;
        instruments_request_series(instruments, 0, &labels);
    }
}

/* Series of what a route is known to answer, so that an alert on them has something to look at.
 * OPTIONS has one answer, the router's. */
static void make_known_requests(struct instruments *instruments, const struct options *options)
{
    const struct route *routes = router_table();
    const uint16_t configured = (uint16_t)options->random_error_status;
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        if (router_is_page((enum route_id)id) && !options->page) {
            continue;
        }
        for (int method = 0; method < HTTP_METHODS; method++) {
            if (method != HTTP_METHOD_OPTIONS &&
                router_takes(&routes[id], (enum http_method)method)) {
                make_known_answers(instruments, &routes[id], (enum http_method)method, configured);
            }
        }
        instruments_request_series(instruments, 0,
                                   &(struct request_labels){.route = (enum route_id)id,
                                                            .method = HTTP_METHOD_OPTIONS,
                                                            .status = 204,
                                                            .minor_version = 1});
    }
}

static void make_faults(struct instruments *instruments)
{
    struct tel_family **families = instruments->families;
    for (size_t id = ROUTE_NONE + 1; id < ROUTES; id++) {
        const struct route *route = &router_table()[id];
        const char *const *path = &route->path; /* of each kind the same */
        for (size_t kind = 0; kind < FAULT_ROUTE_KINDS && fault_may_touch(route); kind++) {
            const char *values[] = {fault_kind_name((enum fault_kind)kind), *path};
            instruments->injected[kind][id] =
                tel_family_series(families[METRIC_FAULTS_INJECTED], 0, values);
            instruments->failed[id] = tel_family_series(families[METRIC_FAULT_ERRORS], 0, path);
            instruments->delayed[id] = tel_family_series(families[METRIC_FAULT_DELAY], 0, path);
        }
    }
}

static void make_known_series(struct instruments *instruments, const struct service *service)
{
    struct tel_family **families = instruments->families;
    instruments->finished = tel_family_series(families[METRIC_REQUESTS_FINISHED], 0, NULL);
    make_labelled(families[METRIC_CONNECTIONS_ACCEPTED], listener_names, LISTENER_LABELS,
                  instruments->accepted);
    for (int label = 0; label < LISTENER_LABELS; label++) {
        for (int reason = 0; reason < REFUSALS; reason++) {
            const char *values[] = {listener_names[label], refusal_names[reason]};
            instruments->refused[label][reason] =
                tel_family_series(families[METRIC_CONNECTIONS_REFUSED], 0, values);
        }
    }
    make_labelled(families[METRIC_ACCEPT_ERRORS], accept_error_names, ACCEPT_ERRORS,
                  instruments->accept_errors);
    make_known_requests(instruments, service->options);
    make_faults(instruments);
    for (size_t shard = 0; shard <= service_main_shard(service); shard++) {
        struct shard_series *own = &instruments->shards[shard];
        for (size_t m = 0; m < HTTP_METHODS; m++) {
            const char *values[] = {http_method_name((enum http_method)m), "http"};
            own->active[m] = tel_family_series(families[METRIC_ACTIVE_REQUESTS], 0, values);
        }
        const char *label = service_thread_label(service, shard);
        own->lag = tel_family_series(families[METRIC_LOOP_LAG], 0, &label);
    }
}

struct instruments *instruments_create(struct tel_registry *registry, struct service *service)
{
    struct instruments *instruments = aligned_alloc(
        64, sizeof(*instruments) + service_shard_count(service) * sizeof(struct shard_series));
    if (instruments == NULL) {
        return NULL;
    }
    *instruments =
        (struct instruments){.registry = registry, .shard_count = service_shard_count(service)};
    for (size_t shard = 0; shard < service_shard_count(service); shard++) {
        instruments->shards[shard] = (struct shard_series){.lag = NULL};
    }
    int error = make_families(instruments, registry, service);
    if (error != 0) {
        free(instruments);
        errno = -error;
        return NULL;
    }
    make_known_series(instruments, service);
    if (tel_registry_overflow_count(registry) > 0) { /* they would stand elsewhere for ever */
        free(instruments);
        errno = ENOMEM;
        return NULL;
    }
    return instruments;
}

void instruments_destroy(struct instruments *instruments)
{
    free(instruments);
}

/* ---- request path ------------------------------------------------------------------------------ */

void instruments_request_opened(struct instruments *instruments, size_t shard,
                                enum http_method method)
{
    tel_gauge_add(instruments->shards[shard].active[method], shard, 1);
}

/* All that distinguishes two label sets, in one integer; the top bit keeps it from being 0. */
static uint64_t request_key(const struct request_labels *labels)
{
    return 1ull << 63 | (uint64_t)labels->status << 32 | (uint64_t)labels->error << 24 |
           (uint64_t)labels->method << 16 | (uint64_t)labels->route << 8 |
           (uint64_t)(labels->minor_version + 1);
}

/* One more. Machines that keep stores in order, as x86 does, show it before all that follows; on
 * others a reader may see an equation off by one for a moment. */
static inline void count(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_release);
}

bool instruments_request_closed(struct instruments *instruments, size_t shard,
                                const struct request_labels *labels, uint64_t duration_ns,
                                const struct tel_exemplar *exemplar)
{
    struct shard_series *own = &instruments->shards[shard];
    count(&own->recording);
    uint64_t key = request_key(labels);
    struct series_slot *slot = &own->slots[(key * 0x9e3779b97f4a7c15ull) >> 57];
    struct tel_series *series = slot->series;
    if (slot->key != key) {
        uint64_t overflowed = tel_registry_overflow_count(instruments->registry);
        series = instruments_request_series(instruments, shard, labels);
        if (tel_registry_overflow_count(instruments->registry) == overflowed) {
            *slot = (struct series_slot){key, series}; /* else it may find its place next time */
        }
    }
    return tel_histogram_observe(series, shard, duration_ns, exemplar);
}

void instruments_request_recorded(struct instruments *instruments, size_t shard,
                                  enum http_method method)
{
    tel_counter_inc(instruments->finished, shard);
    tel_gauge_add(instruments->shards[shard].active[method], shard, -1);
}

void instruments_child_ending(struct instruments *instruments, size_t shard)
{
    count(&instruments->shards[shard].children_ending);
}

void instruments_child_ended(struct instruments *instruments, size_t shard)
{
    count(&instruments->shards[shard].children_ended);
}

/* ---- connections and loops --------------------------------------------------------------------- */

void instruments_accepted(struct instruments *instruments, size_t shard, enum listener_label label)
{
    tel_counter_inc(instruments->accepted[label], shard);
}

void instruments_refused(struct instruments *instruments, size_t shard, enum listener_label label,
                         enum refusal reason)
{
    tel_counter_inc(instruments->refused[label][reason], shard);
}

void instruments_accept_failed(struct instruments *instruments, size_t shard,
                               enum accept_error reason)
{
    tel_counter_inc(instruments->accept_errors[reason], shard);
}

void instruments_fault_injected(struct instruments *instruments, size_t shard, enum fault_kind kind,
                                enum route_id route)
{
    tel_counter_inc(instruments->injected[kind][route], shard);
}

void instruments_fault_ended(struct instruments *instruments, size_t shard, enum route_id route,
                             uint64_t delay_ns, bool failed)
{
    tel_counter_add(instruments->delayed[route], shard, delay_ns);
    tel_counter_add(instruments->failed[route], shard, failed);
}

void instruments_loop_lag(struct instruments *instruments, size_t shard, uint64_t lag_ns)
{
    tel_histogram_observe(instruments->shards[shard].lag, shard, lag_ns, NULL);
}

/* ---- readers ----------------------------------------------------------------------------------- */

/* What follows in the reader's program is read later. */
static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_acquire);
}

struct recorded instruments_recorded(const struct instruments *instruments)
{
    struct recorded recorded = {.requests = instruments_finished(instruments)};
    for (size_t shard = 0; shard < instruments->shard_count; shard++) {
        recorded.children += get(&instruments->shards[shard].children_ended);
    }
    return recorded;
}

struct recorded instruments_recording(const struct instruments *instruments)
{
    struct recorded recording = {.requests = 0};
    for (size_t shard = 0; shard < instruments->shard_count; shard++) {
        recording.requests += get(&instruments->shards[shard].recording);
        recording.children += get(&instruments->shards[shard].children_ending);
    }
    return recording;
}

const struct tel_family *instruments_durations(const struct instruments *instruments)
{
    return instruments->families[METRIC_REQUEST_DURATION];
}

const uint64_t *instruments_duration_bounds_ns(size_t *bound_count)
{
    *bound_count = sizeof(duration_bounds_ns) / sizeof(duration_bounds_ns[0]);
    return duration_bounds_ns;
}

uint64_t instruments_active(const struct instruments *instruments)
{
    return tel_family_value(instruments->families[METRIC_ACTIVE_REQUESTS]);
}

uint64_t instruments_finished(const struct instruments *instruments)
{
    return tel_family_value(instruments->families[METRIC_REQUESTS_FINISHED]);
}

uint64_t instruments_observed(const struct instruments *instruments)
{
    return tel_family_value(instruments->families[METRIC_REQUEST_DURATION]);
}
