/*
 * How many spans failed for which HTTP status: a short list of codes, in the order in which they
 * were first met.
 *
 * How it works: a collector may answer with anything, so only the first TEL__STATUSES_MAX different
 * codes have a row; what comes beyond is counted together. So error.type shows the code, as the
 * conventions want, and stays bounded. No count ever goes down.
 *
 * Threads: one writer; any thread may read. Memory: a struct of the owner. Failure: none.
 */
#ifndef TEL_OTLP_STATUSES_H
#define TEL_OTLP_STATUSES_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TEL__STATUSES_MAX        8
#define TEL__STATUS_TEXT         12 /* bytes of a code as text, its NUL included */
#define TEL__STATUSES_OTHER_TEXT "status"

struct tel__statuses {
    struct {
        _Atomic unsigned code; /* 0: the row is free, and so are those behind it */
        _Atomic uint64_t spans;
    } rows[TEL__STATUSES_MAX];
    _Atomic uint64_t other;
};

/* Counts `spans` that failed for HTTP status `code`. */
void tel__statuses_add(struct tel__statuses *statuses, unsigned code, uint64_t spans);

/* Reads row `index`: its code as text and its spans. The row behind the last code is that of all
 * the others, "status". Returns 0, or -ENOENT when there is no such row. */
int tel__statuses_read(const struct tel__statuses *statuses, size_t index,
                       char text[TEL__STATUS_TEXT], uint64_t *spans);

/* The text of the row that counts `code`: the code, or "status". */
void tel__statuses_name(const struct tel__statuses *statuses, unsigned code,
                        char text[TEL__STATUS_TEXT]);

#endif
