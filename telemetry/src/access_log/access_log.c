/*
 * The public face: creation, the request's side of the queues, and the accounts.
 *
 * The accounts. Producers count what they append and what finds no room; the thread counts what it
 * wrote and what was refused. Everything else is where? Waiting, as long as the thread lives, and
 * lost by shutdown as soon as it has left: nobody can write it any more. So those two are
 * differences, and the equation
 *
 *     appended = written + waiting + dropped(reason)
 *
 * holds in every snapshot, also in one that is taken while others count: a snapshot reads
 * `appended` last, and it is counted first.
 */
#include "telemetry/access_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access_log/line.h"
#include "access_log/pack.h"
#include "access_log/writer.h"
#include "telemetry/clock.h"

#define QUEUE_BYTES_DEFAULT (1024u * 1024)
#define SHARDS_MAX          1024

struct tel_access_log {
    struct tel__writer writer;
    atomic_bool closed;   /* appends are refused */
    atomic_bool finished; /* the thread has left: what is not written never will be */
    bool abandoned;       /* the thread is stuck in the kernel and keeps its memory */
    bool is_stopped;
    int stop_result;
};

/* ---- creation ------------------------------------------------------------------------------ */

/* A ring takes a record of half its size at most. */
static size_t ring_bytes(const struct tel_access_log_options *options, size_t record_max)
{
    size_t total = options->queue_bytes == 0 ? QUEUE_BYTES_DEFAULT : options->queue_bytes;
    size_t share = total / options->shard_count;
    size_t least = 2 * (record_max + 16);
    return share > least ? share : least;
}

static int init_shards(struct tel__writer *writer, const struct tel_access_log_options *options)
{
    size_t bytes = options->shard_count * sizeof(struct tel__shard);
    writer->shards = aligned_alloc(_Alignof(struct tel__shard), bytes);
    if (writer->shards == NULL) {
        return -ENOMEM;
    }
    memset(writer->shards, 0, bytes);
    size_t size = ring_bytes(options, writer->fields.record_max);
    for (size_t i = 0; i < options->shard_count; i++) {
        int error = tel__ring_init(&writer->shards[i].ring, size, 0);
        if (error != 0) {
            return error;
        }
        writer->shard_count++;
    }
    return 0;
}

static int copy_strings(struct tel__writer *writer, const struct tel_access_log_options *options)
{
    if (strcmp(options->path, "-") != 0) {
        writer->path = strdup(options->path);
        if (writer->path == NULL) {
            return -ENOMEM;
        }
    }
    if (options->software != NULL) {
        writer->software = strdup(options->software);
        if (writer->software == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int compile(struct tel__writer *writer, const struct tel_access_log_options *options)
{
    char message[TEL__FIELDS_MESSAGE];
    const char *list = options->fields;
    if (list == NULL) {
        list = options->iis ? tel_access_fields_iis : tel_access_fields_default;
    }
    int error = tel__fields_compile(&writer->fields, list, options->iis, message, sizeof(message));
    if (error != 0) {
        tel__writer_say(writer, TEL_ERROR, "%s", message);
    }
    return error;
}

static void release(struct tel_access_log *log)
{
    struct tel__writer *writer = &log->writer;
    for (size_t i = 0; i < writer->shard_count; i++) {
        tel__ring_fini(&writer->shards[i].ring);
    }
    free(writer->shards);
    tel__writer_fini(writer);
    free(log);
}

static int start(struct tel__writer *writer, const struct tel_access_log_options *options)
{
    int error = compile(writer, options);
    if (error == 0) {
        error = copy_strings(writer, options);
    }
    if (error == 0) {
        error = init_shards(writer, options);
    }
    if (error == 0) {
        error = tel__writer_init(writer);
    }
    return error == 0 ? tel__writer_start(writer) : error;
}

struct tel_access_log *tel_access_log_create(const struct tel_access_log_options *options)
{
    if (options->path == NULL || options->path[0] == '\0' || options->shard_count == 0 ||
        options->shard_count > SHARDS_MAX) {
        errno = EINVAL;
        return NULL;
    }
    struct tel_access_log *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        return NULL;
    }
    tel__writer_prepare(&log->writer);
    log->writer.diagnostic = options->diagnostic;
    log->writer.diagnostic_argument = options->diagnostic_argument;
    int error = start(&log->writer, options);
    if (error != 0) {
        release(log);
        errno = -error;
        return NULL;
    }
    return log;
}

const char *tel_access_log_header(const struct tel_access_log *log,
                                  enum tel_access_direction direction, size_t index)
{
    const struct tel__fields *fields = &log->writer.fields;
    return index < fields->header_counts[direction] ? fields->headers[direction][index] : NULL;
}

const char *tel_access_log_field(const struct tel_access_log *log, size_t index)
{
    const struct tel__fields *fields = &log->writer.fields;
    return index < fields->count ? fields->list[index].name : NULL;
}

/* The record is packed behind the room of the line: to show a line needs no memory but the line's. */
void tel_access_log_append_line(const struct tel_access_log *log,
                                const struct tel_access_record *record, struct tel_buffer *out)
{
    const struct tel__fields *fields = &log->writer.fields;
    if (tel_buffer_reserve(out, fields->line_max + tel__pack_size(fields, record)) != 0) {
        return;
    }
    struct tel__dates dates = {.second = 0};
    char *packed = out->data + out->length + fields->line_max;
    tel__pack(fields, record, packed);
    tel__line_append(out, fields, &dates, packed);
    out->length--; /* the newline */
}

/* ---- the request's side -------------------------------------------------------------------- */

/* One more, in a counter that only this thread writes. */
static void count(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_release);
}

/* Room for the largest record first, which spares looking at this one twice: commit gives back what
 * it does not need. A queue with less room than that is asked for what this one needs. */
static char *reserve(struct tel__ring *ring, const struct tel__fields *fields,
                     const struct tel_access_record *record)
{
    char *room = tel__ring_reserve(ring, fields->record_max);
    return room != NULL ? room : tel__ring_reserve(ring, tel__pack_size(fields, record));
}

/* Flat: on the way of a request, all of it in one place, whoever else calls the parts. */
__attribute__((flatten)) void tel_access_log_append(struct tel_access_log *log, size_t shard_index,
                                                    const struct tel_access_record *record)
{
    struct tel__writer *writer = &log->writer;
    assert(shard_index < writer->shard_count);
    struct tel__shard *shard = &writer->shards[shard_index];
    count(&shard->appended);
    if (atomic_load_explicit(&log->closed, memory_order_relaxed)) {
        count(&shard->late);
        return;
    }
    char *packed = reserve(&shard->ring, &writer->fields, record);
    if (packed == NULL) {
        count(&shard->queue_full);
        return;
    }
    tel__ring_commit(&shard->ring, tel__pack(&writer->fields, record, packed));
    tel__wakeup_signal(&writer->first);
    if (tel__ring_used_bytes(&shard->ring) >= shard->ring.size / 2) {
        tel__wakeup_signal(&writer->pressure);
    }
}

/* ---- orders and accounts ------------------------------------------------------------------- */

void tel_access_log_reopen(struct tel_access_log *log)
{
    atomic_store_explicit(&log->writer.reopen_ordered, true, memory_order_release);
    tel__writer_order(&log->writer);
}

static void add_shard(struct tel_access_log_stats *stats, const struct tel__shard *shard)
{
    stats->dropped[TEL_ACCESS_QUEUE_FULL] +=
        atomic_load_explicit(&shard->queue_full, memory_order_acquire);
    stats->dropped[TEL_ACCESS_SHUTDOWN] += atomic_load_explicit(&shard->late, memory_order_acquire);
    stats->queue_bytes += tel__ring_used_bytes(&shard->ring);
    stats->queue_capacity_bytes += shard->ring.size;
}

void tel_access_log_get_stats(const struct tel_access_log *log, struct tel_access_log_stats *stats)
{
    const struct tel__writer *writer = &log->writer;
    memset(stats, 0, sizeof(*stats));
    bool finished = atomic_load_explicit(&log->finished, memory_order_acquire);
    stats->written = atomic_load_explicit(&writer->written, memory_order_acquire);
    stats->dropped[TEL_ACCESS_WRITE_ERROR] =
        atomic_load_explicit(&writer->refused, memory_order_acquire);
    stats->reopened = atomic_load_explicit(&writer->reopened, memory_order_relaxed);
    stats->stalled = atomic_load_explicit(&writer->stalled, memory_order_relaxed);
    for (size_t i = 0; i < writer->shard_count; i++) {
        add_shard(stats, &writer->shards[i]);
    }
    for (size_t i = 0; i < writer->shard_count; i++) {
        stats->appended += atomic_load_explicit(&writer->shards[i].appended, memory_order_acquire);
    }
    stats->waiting = stats->appended - stats->written;
    for (size_t i = 0; i < TEL_ACCESS_DROPS; i++) {
        stats->waiting -= stats->dropped[i];
    }
    if (finished) {
        stats->dropped[TEL_ACCESS_SHUTDOWN] += stats->waiting;
        stats->waiting = 0;
    }
}

/* ---- the end ------------------------------------------------------------------------------- */

int tel_access_log_shutdown(struct tel_access_log *log, uint32_t deadline_ms)
{
    if (log->is_stopped) {
        return log->stop_result;
    }
    atomic_store_explicit(&log->closed, true, memory_order_relaxed);
    uint64_t deadline_ns = tel_clock_monotonic_ns() + deadline_ms * TEL_NS_PER_MS;
    log->abandoned = tel__writer_stop(&log->writer, deadline_ns) != 0;
    struct tel_access_log_stats stats;
    tel_access_log_get_stats(log, &stats);
    atomic_store_explicit(&log->finished, true, memory_order_release);
    log->is_stopped = true;
    log->stop_result = stats.waiting == 0 ? 0 : -ETIMEDOUT;
    return log->stop_result;
}

void tel_access_log_destroy(struct tel_access_log *log)
{
    if (log == NULL) {
        return;
    }
    tel_access_log_shutdown(log, 0);
    if (!log->abandoned) {
        release(log);
    }
}
