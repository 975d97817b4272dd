/*
 * A collector for tests, on loopback: a thread that reads requests and answers by a script, well or
 * badly. It serves one connection after another, as an exporter makes them.
 *
 * A script is a list of steps, one a request; the last one serves all further requests.
 */
#ifndef TEL_TESTS_OTLP_COLLECTOR_H
#define TEL_TESTS_OTLP_COLLECTOR_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#define REQUEST_MAX (1u << 20)

#define ANSWER_OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

enum then { THEN_KEEP, THEN_CLOSE, THEN_HANG };

struct step {
    const char *answer;
    size_t length;
    enum then then;
    bool early; /* answer before the body is read */
};

struct collector {
    const struct step *script;
    size_t step_count;
    int listener;
    int stop_fd;
    uint16_t port;
    char url[64];
    pthread_t thread;
    _Atomic size_t connections;
    _Atomic size_t requests;
    _Atomic size_t spans; /* of requests that were read whole, whatever the answer */
    bool running;
    bool fresh;       /* the next bytes begin a request */
    char *last;       /* the last request, NUL-terminated; read it after stop */
    size_t last_head; /* bytes of its head, blank line included */
    size_t last_length;
};

/* Waits until the descriptor is readable. False when the collector stops. */
static inline bool collector_wait(struct collector *collector, int fd)
{
    struct pollfd fds[] = {{.fd = collector->stop_fd, .events = POLLIN},
                           {.fd = fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
    }
    return fds[0].revents == 0;
}

static inline bool collector_read_some(struct collector *collector, int fd)
{
    size_t at = collector->fresh ? 0 : collector->last_length;
    if (!collector_wait(collector, fd) || at == REQUEST_MAX) {
        return false;
    }
    ssize_t got = recv(fd, collector->last + at, REQUEST_MAX - at, 0);
    if (got <= 0) {
        return false;
    }
    collector->fresh = false;
    collector->last_length = at + (size_t)got;
    collector->last[collector->last_length] = '\0';
    return true;
}

static inline bool collector_read_head(struct collector *collector, int fd)
{
    const char *end = NULL;
    collector->fresh = true;
    while (end == NULL) {
        if (!collector_read_some(collector, fd)) {
            return false;
        }
        end = strstr(collector->last, "\r\n\r\n");
    }
    collector->last_head = (size_t)(end - collector->last) + 4;
    return true;
}

static inline bool collector_read_body(struct collector *collector, int fd)
{
    const char *header = strcasestr(collector->last, "\r\nContent-Length:");
    size_t length = header != NULL ? strtoul(header + 17, NULL, 10) : 0;
    while (collector->last_length < collector->last_head + length) {
        if (!collector_read_some(collector, fd)) {
            return false;
        }
    }
    if (strcasestr(collector->last, "\r\nContent-Encoding:") == NULL && length > 0) {
        collector->spans += count_spans(collector->last + collector->last_head, length);
    }
    return true;
}

/* One request. False when the connection is over. */
static inline bool collector_serve(struct collector *collector, int fd)
{
    if (!collector_read_head(collector, fd)) {
        return false;
    }
    size_t number = collector->requests;
    const struct step *step =
        &collector->script[number < collector->step_count ? number : collector->step_count - 1];
    if (!step->early && !collector_read_body(collector, fd)) {
        return false;
    }
    collector->requests++; /* before the answer, so that who has one finds it counted */
    if (step->length > 0) {
        send(fd, step->answer, step->length, MSG_NOSIGNAL);
    }
    if (step->then == THEN_HANG) {
        collector_read_some(collector, fd); /* until the other side has had enough */
    }
    return step->then == THEN_KEEP;
}

static inline void *collector_run(void *argument)
{
    struct collector *collector = argument;
    while (collector_wait(collector, collector->listener)) {
        int fd = accept4(collector->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        collector->connections++;
        while (collector_serve(collector, fd)) {
        }
        shutdown(fd, SHUT_WR); /* rather than a reset, which could overtake the answer */
        close(fd);
    }
    return NULL;
}

/* A listener at an address and port (0: any) of IPv4 or IPv6; negative when there is none such. */
static inline int collector_listen(const char *host, uint16_t port, int backlog)
{
    bool ipv6 = strchr(host, ':') != NULL;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, host,
                               ipv6 ? (void *)&six.sin6_addr : (void *)&four.sin_addr),
                     1);
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (bind(fd, ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four,
                         ipv6 ? sizeof(six) : sizeof(four)) != 0 ||
                    listen(fd, backlog) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Starts it on a listener, which is its own from now on. */
static inline void collector_start_on(struct collector *collector, const struct step *script,
                                      size_t step_count, int listener)
{
    struct sockaddr_in6 address; /* the port is at the same place in both families */
    socklen_t length = sizeof(address);
    assert_true(listener >= 0);
    *collector =
        (struct collector){.script = script, .step_count = step_count, .listener = listener};
    collector->last = malloc(REQUEST_MAX + 1);
    assert_non_null(collector->last);
    collector->stop_fd = eventfd(0, EFD_CLOEXEC);
    getsockname(collector->listener, (struct sockaddr *)&address, &length);
    collector->port = ntohs(address.sin6_port);
    snprintf(collector->url, sizeof(collector->url), "http://127.0.0.1:%u/v1/traces",
             collector->port);
    collector->last[0] = '\0';
    collector->running = true;
    assert_int_equal(pthread_create(&collector->thread, NULL, collector_run, collector), 0);
}

static inline void collector_start(struct collector *collector, const struct step *script,
                                   size_t step_count)
{
    collector_start_on(collector, script, step_count, collector_listen("127.0.0.1", 0, 16));
}

/* Ends the thread, once; what it counted and the last request can still be read. */
static inline void collector_stop(struct collector *collector)
{
    uint64_t one = 1;
    if (!collector->running) {
        return;
    }
    collector->running = false;
    assert_int_equal(write(collector->stop_fd, &one, sizeof(one)), sizeof(one));
    pthread_join(collector->thread, NULL);
    close(collector->listener);
    close(collector->stop_fd);
}

static inline void collector_fini(struct collector *collector)
{
    free(collector->last);
}

/* A port of loopback on which nobody listens, as a URL. */
static inline void dead_url(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    snprintf(url, 64, "http://127.0.0.1:%u/v1/traces", ntohs(address.sin_port));
    close(fd);
}

#endif
