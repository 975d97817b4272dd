/*
 * The thread of a console exporter: spans as lines of JSON on stderr, for people.
 *
 * A terminal that is stopped and a pipe that nobody reads must block nobody: not the service, which
 * only fills its queue, and not the shutdown. poll(2) alone cannot promise that, since another
 * thread's line may take the room that poll saw. So a pipe or terminal is opened a second time,
 * through /proc, where non-blocking is our own affair and not that of everybody who has stderr; a
 * socket is asked not to block with each send; a file never blocks.
 *
 * A line is one span in flight from the pop on; it is acknowledged when its last byte is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otlp/exporter.h"
#include "otlp/span_json.h"
#include "telemetry/clock.h"

#define LINE_MAX_BYTES (256u * 1024) /* escaping may make six bytes of one */
#define COLLECT_MS     100           /* a line appears this long after its span's end */
#define NEVER          UINT64_MAX

struct console {
    int fd;      /* where lines go */
    bool own_fd; /* ours to close */
    bool is_socket;
    const char *service_name;
    struct tel_buffer line;
    uint64_t stop_by_ns; /* NEVER: shutdown was not asked for */
};

static int open_output(struct console *console)
{
    struct stat status;
    console->fd = STDERR_FILENO;
    if (fstat(STDERR_FILENO, &status) != 0) {
        return -errno;
    }
    console->is_socket = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
        int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0) { /* else poll(2) must do */
            console->fd = fd;
            console->own_fd = true;
        }
    }
    return 0;
}

static int make_console(struct tel_exporter *exporter)
{
    struct console *console = calloc(1, sizeof(*console));
    if (console == NULL) {
        return -ENOMEM;
    }
    exporter->state = console;
    exporter->loss.destination = "the console";
    const char *name = tel_resource_get(exporter->resource, "service.name");
    console->service_name = name != NULL ? name : "unknown_service";
    console->stop_by_ns = NEVER;
    tel_buffer_init(&console->line, LINE_MAX_BYTES);
    return open_output(console);
}

static void destroy_console(struct tel_exporter *exporter)
{
    struct console *console = exporter->state;
    if (console == NULL) {
        return;
    }
    if (console->own_fd) {
        close(console->fd);
    }
    tel_buffer_fini(&console->line);
    free(console);
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Milliseconds until `until_ns`, rounded up, as poll(2) wants them. */
static int poll_timeout(uint64_t until_ns)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    if (until_ns == NEVER) {
        return -1;
    }
    uint64_t left_ms = until_ns > now_ns ? (until_ns - now_ns) / TEL_NS_PER_MS + 1 : 0;
    return left_ms < 60000 ? (int)left_ms : 60000; /* callers look again */
}

static bool is_over(const struct console *console)
{
    return console->stop_by_ns != NEVER && tel_clock_monotonic_ns() >= console->stop_by_ns;
}

/* Waits until `fd` (-1: none) is ready for `events`, shutdown is asked for, or `until_ns`. */
static void wait_for(struct tel_exporter *exporter, int fd, short events, uint64_t until_ns)
{
    struct console *console = exporter->state;
    bool stopping = console->stop_by_ns != NEVER;
    struct pollfd fds[] = {{.fd = stopping ? -1 : exporter->stop_fd, .events = POLLIN},
                           {.fd = fd, .events = events}};
    if (console->stop_by_ns < until_ns) {
        until_ns = console->stop_by_ns;
    }
    if (poll(fds, 2, poll_timeout(until_ns)) > 0 && (fds[0].revents & POLLIN) != 0) {
        console->stop_by_ns = atomic_load(&exporter->stop_by_ns);
    }
}

/* Sleeps until spans are there and have had a moment to gather, or shutdown is asked for. */
static void wait_for_spans(struct tel_exporter *exporter)
{
    struct console *console = exporter->state;
    struct tel__queue *queue = exporter->queue;
    tel__queue_arm(queue, 1);
    while (tel__queue_count(queue) == 0 && console->stop_by_ns == NEVER) {
        wait_for(exporter, queue->wakeup.fd, POLLIN, NEVER);
        tel__wakeup_drain(&queue->wakeup);
        tel__queue_arm(queue, 1);
    }
    tel__wakeup_drain(&queue->wakeup);
    uint64_t until_ns = tel_clock_monotonic_ns() + COLLECT_MS * TEL_NS_PER_MS;
    if (console->stop_by_ns == NEVER) {
        wait_for(exporter, -1, 0, until_ns);
    }
}

/* ---- writing ------------------------------------------------------------------------------- */

static ssize_t write_some(const struct console *console, const char *bytes, size_t length)
{
    if (console->is_socket) {
        return send(console->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (!console->own_fd && length > PIPE_BUF) {
        length = PIPE_BUF; /* what poll(2) promises to have room for */
    }
    return write(console->fd, bytes, length);
}

/* Writes the line. Returns 0, -ETIMEDOUT when shutdown did not wait for it, or write's error. */
static int write_line(struct tel_exporter *exporter)
{
    struct console *console = exporter->state;
    size_t written = 0;
    while (written < console->line.length) {
        struct pollfd room = {.fd = console->fd, .events = POLLOUT};
        if (poll(&room, 1, 0) == 0) {
            if (is_over(console)) {
                return -ETIMEDOUT;
            }
            wait_for(exporter, console->fd, POLLOUT, NEVER);
            continue;
        }
        ssize_t put =
            write_some(console, console->line.data + written, console->line.length - written);
        if (put >= 0) {
            written += (size_t)put;
        } else if (errno != EAGAIN && errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static void print_span(struct tel_exporter *exporter, const struct tel__span_record *record)
{
    struct console *console = exporter->state;
    uint64_t start_ns = tel_clock_monotonic_ns();
    enum tel_export_error error = TEL_EXPORT_ERRORS;
    const char *reason = "";
    tel_buffer_clear(&console->line);
    tel__span_json_append(&console->line, record, console->service_name);
    tel__exporter_add(&exporter->taken, 1);
    tel__queue_pop(exporter->queue);
    int result = console->line.error != 0 ? console->line.error : write_line(exporter);
    if (result == -ETIMEDOUT) {
        error = TEL_EXPORT_SHUTDOWN;
        exporter->left = true;
        reason = "time for the flush was over";
    } else if (console->line.error != 0) {
        error = TEL_EXPORT_TOO_LARGE;
        reason = "a span is too large for a line";
    } else if (result != 0) {
        error = TEL_EXPORT_CONNECTION;
        reason = "nobody reads it";
    }
    bool lost = error != TEL_EXPORT_ERRORS;
    tel__exporter_add(lost ? &exporter->failed[error] : &exporter->acknowledged, 1);
    uint64_t now_ns = tel_clock_monotonic_ns();
    tel__exporter_observe(exporter,
                          &(struct tel__ending){.error = error, .duration_ns = now_ns - start_ns});
    tel__loss_note(&exporter->loss, now_ns, lost, reason, tel__exporter_queue_full(exporter));
    if (!lost) {
        tel__loss_delivered(&exporter->loss, now_ns);
    }
}

static void run_console(struct tel_exporter *exporter)
{
    struct console *console = exporter->state;
    const struct tel__span_record *record;
    size_t length;
    do {
        wait_for_spans(exporter);
        while (!is_over(console) && (record = tel__queue_peek(exporter->queue, &length)) != NULL) {
            print_span(exporter, record);
        }
    } while (console->stop_by_ns == NEVER);
}

const struct tel__exporter_kind tel__exporter_console = {
    .component = "console",
    .errors = 1u << TEL_EXPORT_CONNECTION | 1u << TEL_EXPORT_TOO_LARGE | 1u << TEL_EXPORT_SHUTDOWN,
    .make = make_console,
    .run = run_console,
    .destroy = destroy_console,
};
