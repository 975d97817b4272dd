/*
 * Descriptors, threads and randomness that the code under test asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "faults.h"
#include "internal.h"

static bool refuses_descriptor(const void *taker)
{
    bool refused = faults__refuses(FAULTS_DESCRIPTORS, taker);
    if (refused) {
        errno = EMFILE;
    }
    return refused;
}

int __real_eventfd(unsigned value, int flags);
int __wrap_eventfd(unsigned value, int flags)
{
    return refuses_descriptor(TAKER) ? -1 : __real_eventfd(value, flags);
}

int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags)
{
    return refuses_descriptor(TAKER) ? -1 : __real_timerfd_create(clock, flags);
}

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol)
{
    return refuses_descriptor(TAKER) ? -1 : __real_socket(domain, type, protocol);
}

int __real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    return refuses_descriptor(TAKER) ? -1 : __real_accept4(fd, address, length, flags);
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return refuses_descriptor(TAKER) ? -1 : __real_open(path, flags, mode);
}

struct beginning {
    void *(*run)(void *argument);
    void *argument;
};

static void *begin_spared(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;
    __real_free(argument);
    faults_spare_thread(true);
    return beginning.run(beginning.argument);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *argument), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *argument), void *argument)
{
    if (!faults__is_spared()) {
        return faults__refuses(FAULTS_THREADS, TAKER)
                   ? EAGAIN
                   : __real_pthread_create(thread, attributes, run, argument);
    }
    struct beginning *beginning = __real_malloc(sizeof(*beginning));
    *beginning = (struct beginning){run, argument};
    return __real_pthread_create(thread, attributes, begin_spared, beginning);
}

ssize_t __real_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
    if (faults__refuses(FAULTS_ENTROPY, TAKER)) {
        errno = EAGAIN;
        return -1;
    }
    return __real_getrandom(bytes, size, flags);
}
