/*
 * TCP_NODELAY and TCP_NOTSENT_LOWAT are set on the listening socket and inherited by what it accepts,
 * so that they cost no system call a connection.
 */
#include "listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#include "refuser.h"
#include "telemetry/clock.h"

#define BACKLOG          4096
#define ACCEPTS_PER_WAKE 64
#define LAST_ROUNDS      500     /* a millisecond apart */
#define NO_INTERFACE     INT_MAX /* its index: none has it */

/* Why an attempt to accept everything ended. */
enum accept_end {
    ACCEPT_END_EMPTY,   /* nothing is left with the kernel */
    ACCEPT_END_MORE,    /* enough for one turn */
    ACCEPT_END_NO_ROOM, /* the owner takes no more for now */
    ACCEPT_END_FAILED,  /* accept(2) did; the owner has been told */
};

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static int bind_socket(const struct address *address)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    bool v6 = address->any.sa_family == AF_INET6;
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 ||
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0 ||
        set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, LISTENER_UNSENT_BYTES) != 0 ||
        (v6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !address->every_family) != 0) ||
        bind(fd, &address->any, address->length) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* "All addresses" is one dual-stack socket; without IPv6 in the kernel it is 0.0.0.0. */
static int bind_address(const struct address *address)
{
    int fd = bind_socket(address);
    if (address->every_family && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)) {
        struct address v4 = {.v4 = {.sin_family = AF_INET, .sin_port = address->v6.sin6_port},
                             .length = sizeof(v4.v4)};
        fd = bind_socket(&v4);
    }
    return fd;
}

static int take_reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void pause_accepting(struct listener *listener, int pause_ms)
{
    const struct timeval pause = {.tv_usec = pause_ms * 1000};
    event_del(listener->readable);
    event_add(listener->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct listener *listener = argument;
    if (listener->reserve_fd < 0) {
        listener->reserve_fd = take_reserve();
    }
    event_add(listener->readable, NULL);
}

/* Gives one waiting client a clear answer with the descriptor held in reserve. Returns whether there
 * was one. */
static bool refuse_with_reserve(struct listener *listener)
{
    char answer[REFUSER_ANSWER_BYTES];
    if (listener->reserve_fd < 0) {
        return false;
    }
    close(listener->reserve_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        send(fd, answer, refuser_compose(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    listener->reserve_fd = take_reserve();
    return fd >= 0;
}

/* Returns whether another accept may succeed now. */
static bool handle_failure(struct listener *listener, int error)
{
    enum accept_error reason = ACCEPT_OTHER;
    bool answered = false;
    switch (error) {
    case EMFILE:
    case ENFILE:
        reason = ACCEPT_DESCRIPTORS;
        answered = refuse_with_reserve(listener);
        break;
    case ENOBUFS:
    case ENOMEM:
        reason = ACCEPT_MEMORY;
        break;
    case EINTR:
    case ECONNABORTED: /* the client gave up while it was queued */
    case EPROTO:
    case EPERM:
    case ENETDOWN: /* accept(2): pending network errors of the new socket, to be retried */
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
        return true;
    default:
        break;
    }
    listener->calls.failed(listener, reason, error, answered, listener->calls.argument);
    pause_accepting(listener, LISTENER_PAUSE_MS);
    return false;
}

static enum accept_end accept_some(struct listener *listener, int limit)
{
    for (int i = 0; i < limit && listener->fd >= 0; i++) {
        if (!listener->calls.has_room(listener, listener->calls.argument)) {
            pause_accepting(listener, LISTENER_ROOM_MS);
            return ACCEPT_END_NO_ROOM;
        }
        struct arrival arrival = {.listener = &listener->bound.any};
        socklen_t length = sizeof(arrival.peer);
        arrival.fd =
            accept4(listener->fd, &arrival.peer.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (arrival.fd >= 0) {
            listener->calls.accepted(listener, &arrival, listener->calls.argument);
        } else if (errno == EAGAIN) {
            return ACCEPT_END_EMPTY;
        } else if (!handle_failure(listener, errno)) {
            return ACCEPT_END_FAILED;
        }
    }
    return ACCEPT_END_MORE;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    accept_some(argument, ACCEPTS_PER_WAKE);
}

int listener_open(struct listener *listener, const struct address *address,
                  enum listener_label label, struct event_base *base,
                  const struct listener_calls *calls)
{
    *listener = (struct listener){
        .label = label, .fd = bind_address(address), .reserve_fd = -1, .calls = *calls};
    if (listener->fd < 0) {
        return listener->fd;
    }
    listener->bound.length = sizeof(listener->bound.v6);
    listener->reserve_fd = take_reserve();
    listener->readable = event_new(base, listener->fd, EV_READ | EV_PERSIST, on_readable, listener);
    listener->resume = event_new(base, -1, 0, on_resume, listener);
    if (listener->reserve_fd < 0 ||
        getsockname(listener->fd, &listener->bound.any, &listener->bound.length) != 0) {
        int error = errno;
        listener_close(listener);
        return -error;
    }
    if (listener->readable == NULL || listener->resume == NULL) {
        listener_close(listener);
        return -ENOMEM;
    }
    return 0;
}

int listener_start(struct listener *listener)
{
    return event_add(listener->readable, NULL) == 0 ? 0 : -ENOMEM;
}

void listener_turn_away(struct listener *listener)
{
    set_option(listener->fd, SOL_SOCKET, SO_BINDTOIFINDEX, NO_INTERFACE);
}

void listener_accept_last(struct listener *listener)
{
    const struct timespec moment = {.tv_nsec = TEL_NS_PER_MS};
    for (int i = 0; i < LAST_ROUNDS; i++) {
        enum accept_end end = accept_some(listener, BACKLOG);
        if (end == ACCEPT_END_EMPTY || end == ACCEPT_END_FAILED) {
            return;
        }
        nanosleep(&moment, NULL);
    }
}

void listener_close(struct listener *listener)
{
    if (listener->readable != NULL) {
        event_free(listener->readable);
        listener->readable = NULL;
    }
    if (listener->resume != NULL) {
        event_free(listener->resume);
        listener->resume = NULL;
    }
    if (listener->reserve_fd >= 0) {
        close(listener->reserve_fd);
        listener->reserve_fd = -1;
    }
    if (listener->fd >= 0) {
        close(listener->fd);
        listener->fd = -1;
    }
}
