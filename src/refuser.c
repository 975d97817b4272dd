/*
 * A slot is a socket and its event; a slot without an fd is free.
 */
#include "refuser.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "telemetry/clock.h"

struct slot {
    int fd; /* -1: free */
    uint64_t until_ns;
    struct event readable;
};

struct refuser {
    struct event_base *base;
    size_t slot_count;
    struct slot slots[REFUSER_SLOTS];
};

static void release(struct slot *slot)
{
    event_del(&slot->readable);
    close(slot->fd);
    slot->fd = -1;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    char scrap[4096];
    struct slot *slot = argument;
    ssize_t received = -1;
    /* Each byte renews the event's timeout, so a client that drips is bounded by the clock. */
    if ((what & EV_READ) != 0 && tel_clock_monotonic_ns() < slot->until_ns) {
        received = recv((int)fd, scrap, sizeof(scrap), MSG_DONTWAIT);
        if (received > 0 || (received < 0 && errno == EAGAIN)) {
            return;
        }
    }
    release(slot);
}

struct refuser *refuser_create(struct event_base *base, size_t slots)
{
    struct refuser *refuser = calloc(1, sizeof(*refuser));
    if (refuser != NULL) {
        refuser->base = base;
        refuser->slot_count = slots < REFUSER_SLOTS ? slots : REFUSER_SLOTS;
        for (size_t i = 0; i < REFUSER_SLOTS; i++) {
            refuser->slots[i].fd = -1;
        }
    }
    return refuser;
}

void refuser_destroy(struct refuser *refuser)
{
    if (refuser == NULL) {
        return;
    }
    for (size_t i = 0; i < REFUSER_SLOTS; i++) {
        if (refuser->slots[i].fd >= 0) {
            release(&refuser->slots[i]);
        }
    }
    free(refuser);
}

static struct slot *free_slot(struct refuser *refuser)
{
    for (size_t i = 0; i < refuser->slot_count; i++) {
        if (refuser->slots[i].fd < 0) {
            return &refuser->slots[i];
        }
    }
    return NULL;
}

size_t refuser_compose(char out[REFUSER_ANSWER_BYTES])
{
    static const char body[] =
        "503 Service Unavailable: no more connections are taken; try again soon\n";
    char date[32];
    struct tm utc;
    time_t now = (time_t)(tel_clock_wall_ns() / TEL_NS_PER_SECOND);
    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return (size_t)snprintf(out, REFUSER_ANSWER_BYTES,
                            "HTTP/1.1 503 Service Unavailable\r\nDate: %s\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
                            "Retry-After: 1\r\nConnection: close\r\n\r\n%s",
                            date, sizeof(body) - 1, body);
}

void refuser_refuse(struct refuser *refuser, int fd)
{
    char answer[REFUSER_ANSWER_BYTES];
    const struct timeval linger = {.tv_sec = REFUSER_LINGER_MS / 1000,
                                   .tv_usec = REFUSER_LINGER_MS % 1000 * 1000};
    struct slot *slot = free_slot(refuser);
    send(fd, answer, refuser_compose(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    if (slot == NULL) {
        close(fd);
        return;
    }
    slot->fd = fd;
    slot->until_ns = tel_clock_monotonic_ns() + REFUSER_LINGER_MS * TEL_NS_PER_MS;
    event_assign(&slot->readable, refuser->base, fd, EV_READ | EV_PERSIST, on_readable, slot);
    event_add(&slot->readable, &linger);
}
