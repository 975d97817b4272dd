/*
 * Descriptors and threads: refused; and a descriptor that somebody else closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "shim.h"

static bool refuses(enum refused_kind kind, const void *caller)
{
    bool refused = shim_refuses(kind, caller);
    if (refused) {
        errno = EMFILE;
    }
    return refused;
}

#define REFUSES() refuses(REFUSE_DESCRIPTORS, CALLER)

/* The third argument of open(2), where there is one. */
#define GET_MODE(mode, flags)                     \
    mode_t mode = 0;                              \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
        va_list arguments;                        \
        va_start(arguments, flags);               \
        mode = va_arg(arguments, mode_t);         \
        va_end(arguments);                        \
    }

int open(const char *path, int flags, ...)
{
    GET_MODE(mode, flags)
    return REFUSES() ? -1 : NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    GET_MODE(mode, flags)
    return REFUSES() ? -1 : NEXT(open64)(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    GET_MODE(mode, flags)
    return REFUSES() ? -1 : NEXT(openat)(directory, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return REFUSES() ? -1 : NEXT(__open_2)(path, flags);
}

int socket(int domain, int type, int protocol)
{
    return REFUSES() ? -1 : NEXT(socket)(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int pair[2])
{
    return REFUSES() ? -1 : NEXT(socketpair)(domain, type, protocol, pair);
}

int eventfd(unsigned value, int flags)
{
    return REFUSES() ? -1 : NEXT(eventfd)(value, flags);
}

int timerfd_create(int clock, int flags)
{
    return REFUSES() ? -1 : NEXT(timerfd_create)(clock, flags);
}

int epoll_create1(int flags)
{
    return REFUSES() ? -1 : NEXT(epoll_create1)(flags);
}

int epoll_create(int size)
{
    return REFUSES() ? -1 : NEXT(epoll_create)(size);
}

int pipe2(int pair[2], int flags)
{
    return REFUSES() ? -1 : NEXT(pipe2)(pair, flags);
}

int dup(int fd)
{
    return REFUSES() ? -1 : NEXT(dup)(fd);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return refuses(REFUSE_ACCEPTS, CALLER) ? -1 : NEXT(accept4)(fd, address, length, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *argument), void *argument)
{
    return shim_refuses(REFUSE_THREADS, CALLER)
               ? EAGAIN
               : NEXT(pthread_create)(thread, attributes, run, argument);
}

/* Somebody who shares the table of descriptors closes one. */
static void close_if_told(void)
{
    uint64_t fd = atomic_exchange(&shim_control->close_fd, 0);
    if (fd != 0) {
        close((int)(fd - 1));
    }
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout_ms)
{
    int interruption = shim_interruption();
    if (interruption != 0) {
        errno = interruption;
        return -1;
    }
    close_if_told();
    return NEXT(epoll_wait)(fd, events, most, timeout_ms);
}
