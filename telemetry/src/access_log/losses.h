/*
 * What the log must own up to: which losses were said in the log already, and which are new.
 *
 *     #Remark: 120 lines lost (reason=queue_full)
 *     #Remark: 123 lines lost (reason=queue_full:120,write_error:3)
 *
 * A remark counts as said when it was written, not when it was composed: one that is dropped on the
 * way is said again, with the next figure.
 *
 * Threads: one owner. Memory: none.
 */
#ifndef TEL_ACCESS_LOG_LOSSES_H
#define TEL_ACCESS_LOG_LOSSES_H

#include <stdbool.h>

#include "telemetry/access_log.h"
#include "telemetry/buffer.h"

#define TEL__REMARK_MAX 256 /* bytes that any remark fits into */

struct tel__losses {
    uint64_t known[TEL_ACCESS_DROPS];    /* totals, as last looked at */
    uint64_t composed[TEL_ACCESS_DROPS]; /* totals that the remark under way speaks of */
    uint64_t said[TEL_ACCESS_DROPS];     /* totals that were written */
};

/* Lines lost that were not said yet. */
uint64_t tel__losses_unsaid(const struct tel__losses *losses);

/* Appends what is unsaid, without `#Remark: ` and newline, and remembers it as under way. */
void tel__losses_append(struct tel__losses *losses, struct tel_buffer *out);

/* The remark under way will not be written. */
void tel__losses_forget(struct tel__losses *losses);

/* The remark under way was written; the lines it spoke of. Without one: 0. */
uint64_t tel__losses_settle(struct tel__losses *losses);

#endif
