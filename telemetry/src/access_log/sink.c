/*
 * Opening sorts descriptors into three kinds, writing has a branch for each.
 *
 * A race is left to the caller's patience: between judging a file and appending to it another
 * process may do anything to it. What matters is that we never overwrite and never wait.
 */
#include "access_log/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "telemetry/clock.h"

#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define OPEN_MODE  0644
#define OPEN_TRIES 5 /* times that a file may change under us before we give up */

void tel__sink_close(struct tel__sink *sink)
{
    if (sink->fd >= 0 && sink->owned) {
        close(sink->fd);
    }
    *sink = TEL__SINK_CLOSED;
}

static void describe(struct tel__sink *sink, const struct stat *status)
{
    sink->kind = S_ISREG(status->st_mode)    ? TEL__SINK_FILE
                 : S_ISSOCK(status->st_mode) ? TEL__SINK_SOCKET
                                             : TEL__SINK_STREAM;
    sink->device = status->st_dev;
    sink->inode = status->st_ino;
}

/* stdout; for a stream, by a description of our own where we may have one. */
static int open_stdout(struct tel__sink *sink)
{
    struct stat status;
    *sink = (struct tel__sink){.fd = STDOUT_FILENO};
    if (fstat(sink->fd, &status) != 0) {
        *sink = TEL__SINK_CLOSED;
        return -errno;
    }
    describe(sink, &status);
    if (sink->kind == TEL__SINK_STREAM) {
        char path[32];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", STDOUT_FILENO);
        int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) {
            sink->fd = fd;
            sink->owned = true;
            sink->nonblocking = true;
        }
    }
    return 0;
}

/* One try. Returns 0, -EAGAIN to try again, or a final error; *sink is open only with 0. */
static int open_path(struct tel__sink *sink, const char *path, const struct tel__fields *fields,
                     struct tel__sink_report *report)
{
    int fd = open(path, OPEN_FLAGS, OPEN_MODE);
    if (fd < 0) {
        return -errno;
    }
    *sink = (struct tel__sink){.fd = fd, .owned = true, .nonblocking = true};
    struct stat status;
    int result = fstat(fd, &status) == 0 ? 0 : -errno;
    if (result == 0) {
        describe(sink, &status);
        if (sink->kind != TEL__SINK_FILE) {
            report->existing = TEL__EXISTING_EMPTY;
            return 0;
        }
        result = tel__existing_judge(path, &status, fields);
    }
    if (result == TEL__EXISTING_OTHER) {
        result = tel__existing_set_aside(path, tel_clock_wall_ns(), report->set_aside);
        result = result == 0 ? -EAGAIN : result;
    }
    if (result < 0) {
        tel__sink_close(sink);
        return result;
    }
    report->existing = (enum tel__existing)result;
    return 0;
}

int tel__sink_open(struct tel__sink *sink, const char *path, const struct tel__fields *fields,
                   struct tel__sink_report *report)
{
    report->existing = TEL__EXISTING_EMPTY;
    report->set_aside[0] = '\0';
    *sink = TEL__SINK_CLOSED;
    if (path == NULL) {
        return open_stdout(sink);
    }
    int result = -EAGAIN;
    for (int i = 0; i < OPEN_TRIES && result == -EAGAIN; i++) {
        result = open_path(sink, path, fields, report);
    }
    return result;
}

/* A stream whose description others share: only what it takes at once. */
static ssize_t write_shared(int fd, const char *bytes, size_t length)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int count = poll(&ready, 1, 0);
    if (count < 0) {
        return -1;
    }
    if (count == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

static ssize_t write_once(struct tel__sink *sink, const char *bytes, size_t length)
{
    if (sink->kind == TEL__SINK_SOCKET) {
        return send(sink->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (sink->kind == TEL__SINK_STREAM && !sink->nonblocking) {
        return write_shared(sink->fd, bytes, length);
    }
    return write(sink->fd, bytes, length);
}

ssize_t tel__sink_write(struct tel__sink *sink, const char *bytes, size_t length)
{
    ssize_t taken;
    do {
        taken = write_once(sink, bytes, length);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0) {
        return -errno;
    }
    return taken > 0 ? taken : -EIO;
}

int tel__sink_cut(struct tel__sink *sink, size_t length)
{
    struct stat status;
    off_t end = lseek(sink->fd, 0, SEEK_CUR); /* after a write: the end of what it wrote */
    if (end < 0 || fstat(sink->fd, &status) != 0) {
        return -errno;
    }
    if (status.st_size != end || end < (off_t)length) {
        return -EBUSY;
    }
    off_t start = end - (off_t)length;
    if (ftruncate(sink->fd, start) != 0 || lseek(sink->fd, start, SEEK_SET) < 0) {
        return -errno;
    }
    return 0;
}

bool tel__sink_is_same(const struct tel__sink *one, const struct tel__sink *other)
{
    return one->fd >= 0 && other->fd >= 0 && one->device == other->device &&
           one->inode == other->inode;
}
