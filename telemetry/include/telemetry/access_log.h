/*
 * The access log: one line a request in the W3C Extended Log File Format.
 *
 * How it works: the field list is compiled once into a table of (what to keep, how to print it).
 * append packs the kept values of one request, unformatted, into the shard's bounded queue. A
 * thread of the log's own formats and writes them, many lines a write.
 *
 *     append ──> queue (a ring a shard) ──> thread: format ──> poll ──> write ──> file or stdout
 *
 * A reader that is stuck, gone, or a full disk stops only that thread; the queue then fills, and
 * what finds no room is dropped and counted. When writing resumes a `#Remark` line says how many
 * were lost and why. A line cut short by a full disk is completed or cut off before the next line:
 * the file never holds a broken line. For every record appended:
 *     appended = written + waiting + dropped(reason)
 *
 * Threads: append by the shard's thread; the others from any one thread; stats from any.
 * Memory: nothing of a record is kept by reference.
 * Failure: create tells what is wrong with fields or path; append never fails: it drops and counts.
 * Source: W3C WD-logfile-960323.
 */
#ifndef TELEMETRY_ACCESS_LOG_H
#define TELEMETRY_ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "telemetry/buffer.h"
#include "telemetry/otlp.h" /* tel_diagnostic_fn */

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_ACCESS_FIELDS_MAX  48   /* fields of a line */
#define TEL_ACCESS_HEADERS_MAX 16   /* cs(…) and sc(…) fields of a line, each direction */
#define TEL_ACCESS_VALUE_MAX   1024 /* bytes kept of one value; longer ones are cut */

/* The default field list, tab-separated in the file, and the one that IIS writes by default. */
extern const char tel_access_fields_default[];
extern const char tel_access_fields_iis[];

/* A string that need not end in NUL, borrowed. */
struct tel_text {
    const char *data; /* NULL: missing, printed as `-` */
    size_t length;    /* bytes */
};

/* One finished request, borrowed for the call of append. */
struct tel_access_record {
    uint64_t end_wall_ns;          /* nanoseconds since the Unix epoch: date and time */
    uint64_t duration_ns;          /* time-taken */
    const struct sockaddr *client; /* NULL: unknown */
    const struct sockaddr *server; /* the local address of the connection; NULL: unknown */
    struct tel_text method;        /* as the client wrote it */
    struct tel_text uri_stem;      /* path, as it came */
    struct tel_text uri_query;     /* without `?` */
    struct tel_text version;       /* "HTTP/1.1" */
    struct tel_text host;          /* Host header, or authority of the target */
    uint16_t status;               /* 0: none was sent */
    uint64_t bytes_received;       /* head and body of the request */
    uint64_t bytes_sent;           /* head and body of the response */
    bool traced;                   /* the ids below are set */
    uint8_t trace_id[16];          /* x-trace-id */
    uint8_t span_id[8];            /* x-span-id */
    struct tel_text route;         /* x-route */
    struct tel_text error;         /* x-error */
    struct tel_text fault;         /* x-fault */
    /* One for each cs(…) and sc(…) field, in the order of tel_access_log_header(). */
    struct tel_text request_headers[TEL_ACCESS_HEADERS_MAX];
    struct tel_text response_headers[TEL_ACCESS_HEADERS_MAX];
};

/* Whose headers a field is about. */
enum tel_access_direction {
    TEL_ACCESS_REQUEST, /* cs(…) */
    TEL_ACCESS_RESPONSE /* sc(…) */
};

/* Where the log goes, and what is in it. Copied by create. */
struct tel_access_log_options {
    const char *path;   /* a file, or "-" for stdout */
    const char *fields; /* names separated by spaces or commas; NULL: tel_access_fields_default, or
                             with `iis` tel_access_fields_iis */
    bool iis;           /* IIS conventions: spaces between fields, time-taken in milliseconds,
                             `+` for a space within a value, no quotes */
    const char *software; /* for `#Software`, or NULL */
    size_t shard_count;   /* threads that append */
    size_t queue_bytes;   /* of all shards together; 0: 1 MiB. Each shard's share is a power of
                             two, and two of the largest records at least */
    tel_diagnostic_fn *diagnostic; /* told of losses and of what cannot be written; or NULL */
    void *diagnostic_argument;     /* given to `diagnostic` */
};

/* Why a record is in no line, a closed list. */
enum tel_access_drop {
    TEL_ACCESS_QUEUE_FULL,  /* the writer could not keep up */
    TEL_ACCESS_WRITE_ERROR, /* the file or pipe refused it */
    TEL_ACCESS_SHUTDOWN,    /* flush time was over */
    TEL_ACCESS_DROPS        /* how many there are */
};
/* The reason as a label value, a static string. */
const char *tel_access_drop_name(enum tel_access_drop reason);

/* Terms of the equation, and the state of the queues. */
struct tel_access_log_stats {
    uint64_t appended; /* records given to append */
    uint64_t written;  /* lines whose last byte the kernel took */
    uint64_t waiting;  /* queued or formatted, not written: what is in no other term */
    uint64_t dropped[TEL_ACCESS_DROPS]; /* by reason */
    uint64_t queue_bytes;               /* used now */
    uint64_t queue_capacity_bytes;      /* of all shards together */
    uint64_t reopened;                  /* times that the path was opened again */
    bool stalled;                       /* the last write attempt found a full pipe or an error */
};

struct tel_access_log; /* a log that is open, and its thread */

/* Checks a field list without opening anything. Returns 0, or -EINVAL with `message` saying which
 * field is wrong and what is allowed. */
int tel_access_fields_check(const char *fields, char *message, size_t size);

/* Opens the destination, writes the directives when the file is new or empty, and starts the
 * thread. An existing file whose first `#Fields` (the one that readers go by) differs, or has none, is
 * renamed to `<path>.<UTC time>` first, with a number when that is taken. A FIFO that nobody reads
 * yet is opened later. NULL with errno (EINVAL, ENOMEM, or open's); the reason goes to `diagnostic`.
 * The directives are written by the thread. */
struct tel_access_log *tel_access_log_create(const struct tel_access_log_options *options);

/* The header name (as configured) of the index-th cs(…) or sc(…) field, or NULL: what a caller must
 * put into request_headers[index] or response_headers[index]. */
const char *tel_access_log_header(const struct tel_access_log *log,
                                  enum tel_access_direction direction, size_t index);

/* The name of the index-th field of a line, as `#Fields` has it, or NULL. */
const char *tel_access_log_field(const struct tel_access_log *log, size_t index);

/* Appends the line that the log's thread makes of such a record, without its newline: for those who
 * show it elsewhere, too. While at work it takes room for the longest line there can be and for the
 * record (some 64 KiB with the default fields); without it nothing is appended, and the buffer's
 * error is set. Any thread. */
void tel_access_log_append_line(const struct tel_access_log *log,
                                const struct tel_access_record *record, struct tel_buffer *out);

/* Puts one finished request into the shard's queue, copied; drops and counts it when there is no
 * room. By the shard's thread; takes no lock, makes no system call but a wakeup. */
void tel_access_log_append(struct tel_access_log *log, size_t shard,
                           const struct tel_access_record *record);

/* Asks the thread to open the path again (after a rotation). Returns at once. */
void tel_access_log_reopen(struct tel_access_log *log);

/* Reads the counts, as of now; any thread, no lock. */
void tel_access_log_get_stats(const struct tel_access_log *log, struct tel_access_log_stats *stats);

/* Writes what is queued for up to `deadline_ms`, counts the rest as TEL_ACCESS_SHUTDOWN, joins the
 * thread. Records appended afterwards are dropped with that reason. Returns 0, or -ETIMEDOUT when
 * lines were left over. A thread that the kernel does not give back (a dead disk) is left behind
 * with its memory, a second after the deadline. */
int tel_access_log_shutdown(struct tel_access_log *log, uint32_t deadline_ms);
/* Frees it. Without shutdown before, what waits is dropped. NULL is fine. */
void tel_access_log_destroy(struct tel_access_log *log);

#ifdef __cplusplus
}
#endif

#endif
