/*
 * Reads and writes that do less than they were asked for, and only what a kernel may do: a stream
 * takes or gives any part, a pipe takes up to PIPE_BUF whole or not at all, a datagram is never cut,
 * nor is the counter of an eventfd, which always takes more; only what does not block says EAGAIN.
 * A single byte into a pipe or a socket pair is left alone: it is a signal's handler waking its loop,
 * in libevent, and there is room for it, or others wait there already.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim.h"

enum what { COUNTER, STREAM, DATAGRAM, PIPE, FILE_OR_TERMINAL };

static enum what what_is(int fd)
{
    struct stat status;
    int type = 0;
    socklen_t length = sizeof(type);
    if (fstat(fd, &status) != 0) {
        return COUNTER;
    }
    if (S_ISSOCK(status.st_mode)) {
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
        return type == SOCK_STREAM ? STREAM : DATAGRAM;
    }
    return S_ISFIFO(status.st_mode)                             ? PIPE
           : S_ISREG(status.st_mode) || S_ISCHR(status.st_mode) ? FILE_OR_TERMINAL
                                                                : COUNTER;
}

static bool happens(uint64_t percent)
{
    return percent > 0 && shim_draw() % 100 < percent;
}

static bool is_idle(void)
{
    return shim_control->short_percent == 0 && shim_control->interrupted_percent == 0 &&
           shim_control->again_percent == 0;
}

int shim_interruption(void)
{
    if (!happens(shim_control->interrupted_percent)) {
        return 0;
    }
    shim_control->interrupted++;
    return EINTR;
}

static bool is_nonblocking(int fd, int flags)
{
    return (flags & MSG_DONTWAIT) != 0 || (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* Why the transfer fails, as errno, or 0. */
static int failure(enum what what, bool writing, size_t size, int fd, int flags)
{
    if (writing && (what == COUNTER || size == 1)) {
        return 0;
    }
    shim_control->transfers++;
    int interruption = what == COUNTER ? 0 : shim_interruption();
    if (interruption != 0) {
        return interruption;
    }
    if (what == FILE_OR_TERMINAL || !is_nonblocking(fd, flags) ||
        !happens(shim_control->again_percent)) {
        return 0;
    }
    shim_control->told_again++;
    return EAGAIN;
}

/* How many bytes it is about: all, half, or one. */
static size_t cut(enum what what, bool writing, size_t length)
{
    bool may_be_cut = what == STREAM || what == FILE_OR_TERMINAL || (what == PIPE && !writing) ||
                      (what == PIPE && length > PIPE_BUF);
    if (!may_be_cut || length < 2 || !happens(shim_control->short_percent)) {
        return length;
    }
    shim_control->cut++;
    return shim_draw() % 2 == 0 ? 1 : length / 2;
}

/* Runs `transfer`, an expression in `length`, as far as it is let. */
#define TRANSFER(fd, flags, writing, size, transfer)                     \
    do {                                                                 \
        size_t length = (size);                                          \
        if (!is_idle()) {                                                \
            enum what what = what_is(fd);                                \
            int error = failure(what, (writing), length, (fd), (flags)); \
            if (error != 0) {                                            \
                errno = error;                                           \
                return -1;                                               \
            }                                                            \
            length = cut(what, (writing), length);                       \
        }                                                                \
        return (transfer);                                               \
    } while (0)

ssize_t read(int fd, void *bytes, size_t size)
{
    TRANSFER(fd, 0, false, size, NEXT(read)(fd, bytes, length));
}

ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    TRANSFER(fd, 0, false, size, NEXT(__read_chk)(fd, bytes, length, room));
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    if ((flags & MSG_PEEK) != 0) {
        return NEXT(recv)(fd, bytes, size, flags);
    }
    TRANSFER(fd, flags, false, size, NEXT(recv)(fd, bytes, length, flags));
}

ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags);
ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    if ((flags & MSG_PEEK) != 0) {
        return NEXT(__recv_chk)(fd, bytes, size, room, flags);
    }
    TRANSFER(fd, flags, false, size, NEXT(__recv_chk)(fd, bytes, length, room, flags));
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    TRANSFER(fd, 0, true, size, NEXT(write)(fd, bytes, length));
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    TRANSFER(fd, flags, true, size, NEXT(send)(fd, bytes, length, flags));
}

/* ---- several pieces ---------------------------------------------------------------------------- */

static size_t total(const struct iovec *pieces, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += pieces[i].iov_len;
    }
    return sum;
}

/* Copies the pieces that make up the first `length` bytes; returns how many there are. */
static size_t copy_pieces(struct iovec *out, const struct iovec *pieces, size_t count,
                          size_t length)
{
    size_t used = 0;
    while (used < count && used < IOV_MAX && length > 0) {
        out[used] = pieces[used];
        out[used].iov_len = out[used].iov_len < length ? out[used].iov_len : length;
        length -= out[used].iov_len;
        used++;
    }
    return used;
}

static ssize_t readv_cut(int fd, const struct iovec *pieces, int count, size_t length)
{
    struct iovec some[IOV_MAX];
    return NEXT(readv)(fd, some, (int)copy_pieces(some, pieces, (size_t)count, length));
}

static ssize_t writev_cut(int fd, const struct iovec *pieces, int count, size_t length)
{
    struct iovec some[IOV_MAX];
    return NEXT(writev)(fd, some, (int)copy_pieces(some, pieces, (size_t)count, length));
}

static ssize_t sendmsg_cut(int fd, const struct msghdr *message, int flags, size_t length)
{
    struct iovec some[IOV_MAX];
    struct msghdr less = *message;
    less.msg_iov = some;
    less.msg_iovlen = copy_pieces(some, message->msg_iov, message->msg_iovlen, length);
    return NEXT(sendmsg)(fd, &less, flags);
}

static ssize_t recvmsg_cut(int fd, struct msghdr *message, int flags, size_t length)
{
    struct iovec some[IOV_MAX];
    struct iovec *pieces = message->msg_iov;
    size_t count = message->msg_iovlen;
    message->msg_iov = some;
    message->msg_iovlen = copy_pieces(some, pieces, count, length);
    ssize_t got = NEXT(recvmsg)(fd, message, flags);
    message->msg_iov = pieces;
    message->msg_iovlen = count;
    return got;
}

ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    TRANSFER(fd, 0, false, total(pieces, (size_t)count), readv_cut(fd, pieces, count, length));
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    TRANSFER(fd, 0, true, total(pieces, (size_t)count), writev_cut(fd, pieces, count, length));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    TRANSFER(fd, flags, true, total(message->msg_iov, message->msg_iovlen),
             sendmsg_cut(fd, message, flags, length));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    TRANSFER(fd, flags, false, total(message->msg_iov, message->msg_iovlen),
             recvmsg_cut(fd, message, flags, length));
}

/* ---- waits ------------------------------------------------------------------------------------- */

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    int interruption = shim_interruption();
    if (interruption != 0) {
        errno = interruption;
        return -1;
    }
    return NEXT(poll)(fds, count, timeout_ms);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room)
{
    int interruption = shim_interruption();
    if (interruption != 0) {
        errno = interruption;
        return -1;
    }
    return NEXT(__poll_chk)(fds, count, timeout_ms, room);
}
