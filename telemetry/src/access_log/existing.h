/*
 * A file that is there before we are: go on with it, or set it aside.
 *
 * How it works: a regular file is judged by its first directives and its last byte. One with other
 * fields is renamed to `<path>.<UTC time>`, with a number after it when that name is taken: no file
 * is ever overwritten.
 *
 * Threads: none shared. Memory: nothing allocated.
 * Failure: negative errno of the call that failed.
 */
#ifndef TEL_ACCESS_LOG_EXISTING_H
#define TEL_ACCESS_LOG_EXISTING_H

#include <limits.h>
#include <sys/stat.h>

#include "access_log/fields.h"

enum tel__existing {
    TEL__EXISTING_EMPTY, /* directives are due */
    TEL__EXISTING_OURS,  /* go on after its last line */
    TEL__EXISTING_TORN,  /* ours, but its last line has no newline */
    TEL__EXISTING_OTHER, /* set it aside */
};

/* Judges the file at `path`, which the caller holds open as the one described by `opened`. Returns
 * an enum tel__existing, -EAGAIN when `path` has become another file, or open's or read's error. */
int tel__existing_judge(const char *path, const struct stat *opened,
                        const struct tel__fields *fields);

/* Renames what `path` leads to (symbolic links are followed). `renamed` is where it went. Returns 0
 * or a negative errno. */
int tel__existing_set_aside(const char *path, uint64_t wall_ns, char renamed[PATH_MAX]);

#endif
