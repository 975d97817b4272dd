/*
 * Loggers: making them, packing records, counting.
 *
 * A record's size is known before it is packed, so that the queue is asked for no more than it
 * takes: attributes are measured first, and those that do not fit are left out in both passes by
 * the same rule.
 */
#include "logs/logger.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/signal.h"
#include "base/text.h"
#include "telemetry/clock.h"
#include "trace/item.h"

#define RECORD_BYTES 1024 /* what the queue reserves a record, in memory that may stay untouched */

_Static_assert(sizeof(struct tel__log_record) + TEL_LOG_BODY_MAX + TEL_LOG_BYTES_MAX <=
                   TEL__QUEUE_RECORD_MAX,
               "the queue takes the largest record");

struct tel_logger *tel_logger_create(const struct tel_logger_options *options)
{
    if (options->shard_count > TEL__QUEUE_SHARDS_MAX) {
        errno = EINVAL;
        return NULL;
    }
    size_t size =
        sizeof(struct tel_logger) + options->shard_count * sizeof(struct tel__logger_shard);
    struct tel_logger *logger = aligned_alloc(_Alignof(struct tel_logger), size);
    if (logger == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(logger, 0, size);
    logger->shard_count = options->shard_count;
    int error = tel__queue_init(&logger->queue,
                                &(struct tel__queue_options){.signal = &tel__signal_logs,
                                                             .shard_count = options->shard_count,
                                                             .record_limit = options->queue_size,
                                                             .record_bytes = RECORD_BYTES});
    if (error != 0) {
        tel_logger_destroy(logger);
        errno = -error;
        return NULL;
    }
    return logger;
}

void tel_logger_destroy(struct tel_logger *logger)
{
    if (logger == NULL) {
        return;
    }
    tel__queue_fini(&logger->queue);
    free(logger);
}

void tel_logger_get_stats(const struct tel_logger *logger, struct tel_logger_stats *stats)
{
    struct tel__queue_stats queue;
    tel__queue_get_stats(&logger->queue, &queue);
    *stats = (struct tel_logger_stats){.dropped_queue_full = queue.dropped_full,
                                       .dropped_shutdown = queue.dropped_closed,
                                       .queued = queue.waiting,
                                       .queue_capacity = queue.capacity};
    for (size_t i = 0; i < logger->shard_count; i++) {
        stats->emitted += atomic_load_explicit(&logger->shards[i].emitted, memory_order_relaxed);
    }
}

void tel_logger_close(struct tel_logger *logger)
{
    tel__queue_close(&logger->queue);
}

/* ---- packing ------------------------------------------------------------------------------- */

static struct tel_item item_of(const struct tel_attribute *attribute)
{
    return (struct tel_item){.what = TEL_ITEM_ATTRIBUTE, .attribute = *attribute};
}

/* Whether the attribute fits behind `used` bytes; `used` then counts it. */
static bool takes(const struct tel_item *item, size_t *used)
{
    size_t size = tel__item_size(item);
    if (*used + size > TEL_LOG_BYTES_MAX) {
        return false;
    }
    *used += size;
    return true;
}

static size_t measure(const struct tel_log_record *record)
{
    size_t used = 0;
    for (size_t i = 0; i < record->attribute_count; i++) {
        const struct tel_item item = item_of(&record->attributes[i]);
        takes(&item, &used);
    }
    return used;
}

static void pack_attributes(struct tel__log_record *packed, const struct tel_log_record *record)
{
    char *at = packed->bytes + packed->body_length;
    size_t used = 0;
    size_t dropped = 0;
    for (size_t i = 0; i < record->attribute_count; i++) {
        const struct tel_item item = item_of(&record->attributes[i]);
        if (takes(&item, &used)) {
            at = tel__item_pack(at, &item);
        } else {
            dropped++;
        }
    }
    packed->items_length = (uint16_t)used;
    packed->dropped_attributes = dropped < UINT16_MAX ? (uint16_t)dropped : UINT16_MAX;
}

/* All but body and attributes. */
static void pack_fixed(struct tel__log_record *packed, const struct tel_log_record *record)
{
    const struct tel_span *span = record->span;
    packed->observed_wall_ns = tel_clock_wall_ns();
    packed->wall_ns = record->wall_ns != 0 ? record->wall_ns : packed->observed_wall_ns;
    packed->event_name = record->event_name;
    packed->severity = (uint8_t)record->severity;
    packed->traced = span != NULL;
    packed->flags = 0;
    if (span != NULL) {
        memcpy(packed->trace_id, span->trace_id, sizeof(packed->trace_id));
        memcpy(packed->span_id, span->span_id, sizeof(packed->span_id));
        packed->flags = span->flags;
    }
}

void tel_logger_emit(struct tel_logger *logger, size_t shard, const struct tel_log_record *record)
{
    assert(shard < logger->shard_count);
    size_t body = record->body != NULL ? record->body_length : 0;
    if (body > TEL_LOG_BODY_MAX) {
        body = tel__utf8_cut(record->body, body, TEL_LOG_BODY_MAX);
    }
    size_t length = offsetof(struct tel__log_record, bytes) + body + measure(record);
    tel__count(&logger->shards[shard].emitted);
    struct tel__log_record *packed = tel__queue_reserve(&logger->queue, shard, length);
    if (packed == NULL) {
        return;
    }
    pack_fixed(packed, record);
    packed->body_length = (uint16_t)body;
    if (record->body != NULL) {
        tel__copy(packed->bytes, record->body, body);
    }
    pack_attributes(packed, record);
    tel__queue_commit(&logger->queue, shard, length);
}
