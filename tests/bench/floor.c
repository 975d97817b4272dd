/*
 * The floor: the least a libevent program can do to answer an HTTP request.
 *
 * It accepts on one thread, hands connections to N event loops in turn, and on each of them answers
 * every readable moment of a socket with one recv and one send of fixed bytes: as many and in the
 * same form as glassbox's answer to /demo/hello, but with nothing read, decided or recorded. What
 * glassbox costs above it is the price of HTTP and of three signals; DESIGN's budgets are ratios
 * to it.
 *
 *     main: accept ──fd──> pipe of worker i ──> event_new ──> recv, send, recv, send …
 *
 * One recv is taken for one request: true of wrk and h2load without pipelining, and of them alone.
 * It is an instrument, not a server: what is wrong at start-up ends it, SIGTERM too.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKERS_MAX   64
#define BACKLOG       4096
#define RECEIVE_BYTES 16384

static const char answer[] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 14\r\n"
    "traceresponse: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03\r\n"
    "\r\n"
    "hello, world!\n";

struct worker {
    struct event_base *base;
    struct event *handover;
    int read_fd;  /* the worker's end of the pipe */
    int write_fd; /* main's end: descriptors as raw ints, atomic below PIPE_BUF */
    pthread_t thread;
    char scratch[RECEIVE_BYTES]; /* what is received is thrown away */
};

struct acceptor {
    struct worker *workers;
    size_t count;
    size_t next;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void connection_close(struct event *event, int fd)
{
    event_free(event);
    close(fd);
}

/* All there is of a connection. */
struct connection {
    struct event *event;
    struct worker *worker;
};

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct connection *connection = argument;
    ssize_t received = recv(fd, connection->worker->scratch, RECEIVE_BYTES, 0);

    (void)what;
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (received <= 0 ||
        send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(answer) - 1) {
        connection_close(connection->event, fd);
        free(connection);
    }
}

static void adopt(struct worker *worker, int fd)
{
    struct connection *connection = malloc(sizeof(*connection));

    if (connection == NULL) {
        die("malloc");
    }
    connection->worker = worker;
    connection->event = event_new(worker->base, fd, EV_READ | EV_PERSIST, on_readable, connection);
    if (connection->event == NULL || event_add(connection->event, NULL) != 0) {
        die("event_add");
    }
}

static void on_handover(evutil_socket_t fd, short what, void *argument)
{
    int fds[64];
    ssize_t bytes = read(fd, fds, sizeof(fds));

    (void)what;
    for (ssize_t i = 0; i < bytes / (ssize_t)sizeof(fds[0]); i++) {
        adopt(argument, fds[i]);
    }
}

static void *worker_run(void *argument)
{
    struct worker *worker = argument;

    event_base_dispatch(worker->base);
    return NULL;
}

static void worker_start(struct worker *worker)
{
    struct event_config *config = event_config_new();
    int fds[2];

    if (config == NULL || pipe2(fds, O_CLOEXEC) != 0) {
        die("worker");
    }
    evutil_make_socket_nonblocking(fds[0]);
    worker->read_fd = fds[0];
    worker->write_fd = fds[1];
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    worker->base = event_base_new_with_config(config);
    event_config_free(config);
    if (worker->base == NULL) {
        die("event_base");
    }
    worker->handover =
        event_new(worker->base, worker->read_fd, EV_READ | EV_PERSIST, on_handover, worker);
    if (worker->handover == NULL || event_add(worker->handover, NULL) != 0) {
        die("event_add");
    }
    errno = pthread_create(&worker->thread, NULL, worker_run, worker);
    if (errno != 0) {
        die("pthread_create");
    }
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
                      int length, void *argument)
{
    struct acceptor *acceptor = argument;
    struct worker *worker = &acceptor->workers[acceptor->next];

    (void)listener;
    (void)peer;
    (void)length;
    acceptor->next = (acceptor->next + 1) % acceptor->count;
    if (write(worker->write_fd, &fd, sizeof(fd)) != (ssize_t)sizeof(fd)) {
        die("handover");
    }
}

static void on_accept_error(struct evconnlistener *listener, void *argument)
{
    (void)listener;
    (void)argument;
    die("accept");
}

static void serve(const struct sockaddr *address, int length, size_t count)
{
    struct acceptor acceptor = {.workers = calloc(count, sizeof(struct worker)), .count = count};
    struct event_base *base = event_base_new();
    struct evconnlistener *listener;

    if (acceptor.workers == NULL || base == NULL) {
        die("setup");
    }
    for (size_t i = 0; i < count; i++) {
        worker_start(&acceptor.workers[i]);
    }
    listener = evconnlistener_new_bind(base, on_accept, &acceptor,
                                       LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, address,
                                       length);
    if (listener == NULL) {
        die("listen");
    }
    evconnlistener_set_error_cb(listener, on_accept_error);
    event_base_dispatch(base);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    struct sockaddr_storage address = {0};
    int length = 0;
    long workers = 1;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'w') {
            workers = strtol(optarg, NULL, 10);
        } else if (option == 'l') {
            length = (int)sizeof(address);
            if (evutil_parse_sockaddr_port(optarg, (struct sockaddr *)&address, &length) != 0) {
                length = 0;
            }
        }
    }
    if (length == 0 || workers < 1 || workers > WORKERS_MAX) {
        fprintf(stderr, "usage: bench_floor --listen ADDR:PORT [--workers 1..%d]\n", WORKERS_MAX);
        return 2;
    }
    serve((const struct sockaddr *)&address, length, (size_t)workers);
    return 1;
}
