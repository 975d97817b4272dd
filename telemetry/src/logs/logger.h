/*
 * The logger from within, and a log record as it lies in its queue:
 *
 *     [tel__log_record][body][item][item]…
 *
 * Items are attributes, packed as a span's are (trace/item.h).
 *
 * Threads: a shard's counter by the shard's thread; the queue's affair otherwise.
 */
#ifndef TEL_LOGS_LOGGER_H
#define TEL_LOGS_LOGGER_H

#include "base/queue.h"
#include "telemetry/logs.h"

struct tel__log_record {
    uint64_t wall_ns;
    uint64_t observed_wall_ns;
    const char *event_name; /* static, or NULL */
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t flags;
    uint8_t severity; /* enum tel_severity */
    bool traced;      /* the ids are set */
    uint16_t dropped_attributes;
    uint16_t body_length;
    uint16_t items_length;
    char bytes[]; /* body, items */
};

struct tel__logger_shard {
    _Alignas(64) _Atomic uint64_t emitted;
};

struct tel_logger {
    struct tel__queue queue;
    size_t shard_count;
    struct tel__logger_shard shards[];
};

#endif
