/*
 * The files of a connection's TLS: whether any was replaced since the last look (telemetry/stamp.h).
 *
 * Threads: the caller's structs. Failure: a file that is not there has a stamp too.
 */
#ifndef TEL_OTLP_WATCH_H
#define TEL_OTLP_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "telemetry/stamp.h"

#define TEL__WATCH_MAX 12 /* files */

struct tel__watch {
    size_t count;
    const char *paths[TEL__WATCH_MAX]; /* borrowed */
};

struct tel__stamps {
    struct tel_stamp items[TEL__WATCH_MAX];
};

/* Adds a file; NULL and "" are left out, and so is what finds no room. */
void tel__watch_add(struct tel__watch *watch, const char *path);

void tel__watch_look(const struct tel__watch *watch, struct tel__stamps *stamps);
bool tel__stamps_are_equal(const struct tel__watch *watch, const struct tel__stamps *a,
                           const struct tel__stamps *b);

#endif
