/*
 * Where the lines go: a file, a pipe, a terminal, a socket; opened by path or inherited as stdout.
 *
 * How it works: a write never waits for a reader. A pipe or terminal that was inherited shares its
 * O_NONBLOCK with other processes, so it is opened once more through /proc for a description of our
 * own. Where that is refused, each write is preceded by poll(2) and at most PIPE_BUF bytes, which a
 * pipe that polls writable takes without waiting. Sockets have MSG_DONTWAIT. A regular file is
 * simply written.
 *
 * Threads: one owner.
 * Memory: nothing allocated; path is borrowed.
 * Failure: negative errno; -EAGAIN means that the reader is behind.
 */
#ifndef TEL_ACCESS_LOG_SINK_H
#define TEL_ACCESS_LOG_SINK_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "access_log/existing.h"

enum tel__sink_kind { TEL__SINK_FILE, TEL__SINK_STREAM, TEL__SINK_SOCKET };

struct tel__sink {
    int fd; /* -1: not open */
    enum tel__sink_kind kind;
    bool owned;       /* close it */
    bool nonblocking; /* a stream of our own description: write never waits */
    dev_t device;
    ino_t inode;
};

/* What the opener must know. */
struct tel__sink_report {
    enum tel__existing existing; /* never OTHER: such a file has been set aside */
    char set_aside[PATH_MAX];    /* where to, or "" */
};

#define TEL__SINK_CLOSED ((struct tel__sink){.fd = -1})

/* Opens `path`, or stdout when it is NULL. A file with other fields is set aside first. Returns 0,
 * or a negative errno with *sink closed: -ENXIO for a FIFO that nobody reads. */
int tel__sink_open(struct tel__sink *sink, const char *path, const struct tel__fields *fields,
                   struct tel__sink_report *report);
void tel__sink_close(struct tel__sink *sink);

/* Bytes taken, at least one, or a negative errno. SIGPIPE must be blocked or ignored. */
ssize_t tel__sink_write(struct tel__sink *sink, const char *bytes, size_t length);

/* Takes the last `length` bytes, which we have just written, off a regular file. Returns 0, -EBUSY
 * when somebody wrote behind them, or another negative errno; the file is unchanged then. */
int tel__sink_cut(struct tel__sink *sink, size_t length);

/* Whether both are the same file, pipe or device. */
bool tel__sink_is_same(const struct tel__sink *one, const struct tel__sink *other);

#endif
