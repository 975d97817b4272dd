/*
 * Logs: records with a severity, a body, attributes and the ids of a trace, for a collector.
 *
 * How it works: emit packs a record, unformatted, into the shard's bounded queue, from which an
 * exporter (otlp.h) takes it; full means dropped and counted, never waiting.
 *
 *     emit ──> queue (a ring a shard) ──> exporter ──> POST /v1/logs
 *
 * Every record that was emitted is in exactly one term of tel_logger_stats:
 *     emitted = dropped + queued or already taken by the exporter
 *
 * It is not the access log, which is a file or a stream of lines (access_log.h); a program that
 * wants its requests in both gives each to both.
 *
 * Threads: emit by the shard's thread (metrics.h says what a shard is); stats and close by any.
 * Memory: strings are copied, unless said otherwise; attribute keys and event names must be static
 * (string literals): only their address is kept.
 * Failure: emit is void: what does not fit is dropped and counted.
 *
 *     tel_logger_emit(logger, shard, &(struct tel_log_record){
 *         .severity = TEL_INFO_LEVEL, .body = "cart emptied", .body_length = 12, .span = &span});
 *
 * Source: OpenTelemetry specification, logs/data-model; opentelemetry-proto logs/v1.
 */
#ifndef TELEMETRY_LOGS_H
#define TELEMETRY_LOGS_H

#include "telemetry/otlp.h" /* tel_severity */

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_LOG_BODY_MAX  1024 /* bytes of a body; longer ones are cut */
#define TEL_LOG_BYTES_MAX 4096 /* packed attributes of a record */

struct tel_logger; /* makes log records and keeps them until they are exported */

/* How many write to it, and how much may wait. */
struct tel_logger_options {
    size_t shard_count; /* threads that emit */
    size_t queue_size;  /* records that may wait, all shards together; 0: all are dropped */
};

/* Makes a logger and its queues. NULL with errno EINVAL (no shard, too many, a queue beyond reason)
 * or ENOMEM. */
struct tel_logger *tel_logger_create(const struct tel_logger_options *options);
/* Frees it with what is queued. No exporter may consume it any more. NULL is fine. */
void tel_logger_destroy(struct tel_logger *logger);

/* Terms of the equation. */
struct tel_logger_stats {
    uint64_t emitted;            /* given to tel_logger_emit() */
    uint64_t dropped_queue_full; /* found no room */
    uint64_t dropped_shutdown;   /* emitted after tel_logger_close() */
    uint64_t queued;             /* waiting for the exporter now */
    uint64_t queue_capacity;     /* records */
};
/* Reads the counts of all shards, each at its own moment. Any thread, no lock. */
void tel_logger_get_stats(const struct tel_logger *logger, struct tel_logger_stats *stats);

/* From now on records are dropped and counted as dropped_shutdown. Any thread. */
void tel_logger_close(struct tel_logger *logger);

/* One record, borrowed for the call of emit. */
struct tel_log_record {
    uint64_t wall_ns;                       /* when it happened; 0: now */
    enum tel_severity severity;             /* becomes OTLP's number and text */
    const char *event_name;                 /* static; NULL: it is no event */
    const char *body;                       /* text for people; NULL: none */
    size_t body_length;                     /* bytes */
    const struct tel_span *span;            /* whose trace and span ids it carries; NULL: none */
    const struct tel_attribute *attributes; /* attribute_count of them */
    size_t attribute_count;                 /* length of `attributes` */
};

/* Queues one record, copied. Attributes that find no room in TEL_LOG_BYTES_MAX are left out and
 * counted in the record (OTLP LogRecord field 7). By the shard's thread; no lock, no system call but
 * a wakeup. */
void tel_logger_emit(struct tel_logger *logger, size_t shard, const struct tel_log_record *record);

#ifdef __cplusplus
}
#endif

#endif
