/*
 * Bytes on their way out, and which of them are lines of requests.
 *
 * How it works: two pieces. `head` holds what is said about the log (directives, remarks), `lines`
 * the requests'. Head goes first, but a line that was begun is always completed before anything
 * else:
 *
 *     head:   #Version: 1.0\n#Fields: …\n
 *     lines:  GET /a …\nGET /b …\nGET /c …\n
 *                          ^ sent            a line is torn: its rest goes next, then head
 *
 * A line counts as written when its newline was taken. Every line ends in the only newline it has.
 *
 * Threads: one owner.
 * Memory: reserved at init, so that nothing fails later.
 */
#ifndef TEL_ACCESS_LOG_OUTBOX_H
#define TEL_ACCESS_LOG_OUTBOX_H

#include <stdbool.h>

#include "telemetry/access_log.h"
#include "telemetry/buffer.h"

#define TEL__BATCH_BYTES 65536 /* lines are appended below that */

struct tel__piece {
    struct tel_buffer bytes;
    size_t sent;
};

struct tel__outbox {
    struct tel__piece head;
    struct tel__piece lines;
};

/* For a head of `head_max` bytes, and lines of up to `line_max` each. Returns 0 or -ENOMEM. */
int tel__outbox_init(struct tel__outbox *outbox, size_t head_max, size_t line_max);
void tel__outbox_fini(struct tel__outbox *outbox);

/* Whether there is room for one more line of any length. */
bool tel__outbox_has_room(const struct tel__outbox *outbox);
/* Whether bytes of lines, or of the head, wait. */
bool tel__outbox_has_lines(const struct tel__outbox *outbox);
bool tel__outbox_has_head(const struct tel__outbox *outbox);

/* What to write next; length 0 when all is sent. */
struct tel_text tel__outbox_next(const struct tel__outbox *outbox);
/* The first `length` bytes of that were taken. Returns how many lines that completed. */
uint64_t tel__outbox_take(struct tel__outbox *outbox, size_t length);

/* Bytes sent of a line that is not sent whole; 0 when none is torn. */
size_t tel__outbox_torn(const struct tel__outbox *outbox);
/* Makes the torn line one that was not begun: its bytes are gone, or belong to another file. */
void tel__outbox_restart_torn(struct tel__outbox *outbox);

/* Drops the lines that were not begun and, unless it is torn, the head. Returns how many lines. */
uint64_t tel__outbox_drop(struct tel__outbox *outbox);
/* Forgets the head, torn or not. */
void tel__outbox_clear_head(struct tel__outbox *outbox);

#endif
