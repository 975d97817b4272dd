/*
 * The thread's life: rounds of orders, fill, flush and a wait, until it is told to close and has
 * sent everything, or its time is over.
 *
 * Accounting: a line leaves its queue when it is formatted into the outbox, and is counted once,
 * where it leaves the outbox: written (flush.c, took) or refused (flush.c, drop). What is neither
 * when the thread has left was lost by shutdown; access_log.c derives that.
 *
 * All signals are blocked in this thread: they are the program's business, and a write to a closed
 * pipe or over a file size limit is to fail, not to kill.
 */
#include "access_log/writer.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "access_log/directives.h"
#include "base/thread.h"
#include "telemetry/clock.h"

#define REMARK_INTERVAL_NS TEL_NS_PER_SECOND /* while losses go on */
#define STOP_GRACE_MS      1000              /* beyond the deadline, for a write under way */

void tel__writer_say(const struct tel__writer *writer, enum tel_severity severity,
                     const char *format, ...)
{
    if (writer->diagnostic == NULL) {
        return;
    }
    char message[2 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    writer->diagnostic(severity, "access_log", message, writer->diagnostic_argument);
}

/* ---- orders -------------------------------------------------------------------------------- */

static void reopen(struct tel__writer *writer)
{
    if (writer->path == NULL) {
        return; /* stdout has no path to open again */
    }
    int error = tel__writer_open(writer);
    if (error != 0) {
        tel__writer_say(writer, TEL_WARN, "cannot reopen %s: %s; the old file stays in use",
                        writer->path, strerror(-error));
        return;
    }
    atomic_fetch_add_explicit(&writer->reopened, 1, memory_order_relaxed);
}

static void obey(struct tel__writer *writer)
{
    uint64_t orders;
    while (read(writer->control_fd, &orders, sizeof(orders)) < 0 && errno == EINTR) {
    }
    if (atomic_exchange_explicit(&writer->reopen_ordered, false, memory_order_acquire)) {
        reopen(writer);
    }
}

/* ---- fill ---------------------------------------------------------------------------------- */

/* The oldest record of the next shard that has one, or NULL. */
static const char *next_record(struct tel__writer *writer, struct tel__ring **ring)
{
    for (size_t i = 0; i < writer->shard_count; i++) {
        *ring = &writer->shards[writer->next_shard].ring;
        writer->next_shard = (writer->next_shard + 1) % writer->shard_count;
        size_t length;
        const char *record = tel__ring_peek(*ring, &length);
        if (record != NULL) {
            return record;
        }
    }
    return NULL;
}

/* Formats lines, a shard after the other, until the outbox or the queues have no more. Returns
 * whether the queues were emptied. */
static bool fill_lines(struct tel__writer *writer)
{
    while (tel__outbox_has_room(&writer->outbox)) {
        struct tel__ring *ring;
        const char *record = next_record(writer, &ring);
        if (record == NULL) {
            return true;
        }
        tel__line_append(&writer->outbox.lines.bytes, &writer->fields, &writer->dates, record);
        tel__ring_pop(ring);
        writer->busy = true;
    }
    return false;
}

static void look_at_losses(struct tel__writer *writer)
{
    uint64_t queue_full = 0;
    for (size_t i = 0; i < writer->shard_count; i++) {
        queue_full += atomic_load_explicit(&writer->shards[i].queue_full, memory_order_acquire);
    }
    writer->losses.known[TEL_ACCESS_QUEUE_FULL] = queue_full;
    writer->losses.known[TEL_ACCESS_WRITE_ERROR] =
        atomic_load_explicit(&writer->refused, memory_order_relaxed);
}

/* What is to be said before the lines. While lines are being lost it is said once a second, and
 * otherwise as soon as the queues are empty. */
static void fill_head(struct tel__writer *writer, bool queues_emptied)
{
    if (tel__outbox_has_head(&writer->outbox)) {
        return;
    }
    struct tel_buffer *out = &writer->outbox.head.bytes;
    if (writer->newline_due) {
        tel_buffer_append_char(out, '\n');
    }
    if (writer->directives_due) {
        tel__directives_append(out, &writer->fields, writer->software, tel_clock_wall_ns());
    }
    writer->newline_due = false;
    writer->directives_due = false;
    look_at_losses(writer);
    if (tel__losses_unsaid(&writer->losses) == 0) {
        return;
    }
    uint64_t now_ns = tel_clock_monotonic_ns();
    if (queues_emptied || now_ns - writer->remark_at_ns >= REMARK_INTERVAL_NS) {
        tel_buffer_append_string(out, "#Remark: ");
        tel__losses_append(&writer->losses, out);
        tel_buffer_append_char(out, '\n');
        writer->remark_at_ns = now_ns;
    }
}

/* ---- rounds -------------------------------------------------------------------------------- */

static bool is_over(const struct tel__writer *writer)
{
    return atomic_load_explicit(&writer->closing, memory_order_acquire) &&
           tel_clock_monotonic_ns() >=
               atomic_load_explicit(&writer->deadline_ns, memory_order_relaxed);
}

/* Returns whether there is a next round. */
static bool run_round(struct tel__writer *writer)
{
    obey(writer);
    /* Read first: what was appended before the order to close is then seen below. */
    bool closing = atomic_load_explicit(&writer->closing, memory_order_acquire);
    bool emptied = fill_lines(writer);
    if (tel__writer_is_open(writer)) {
        fill_head(writer, emptied);
    }
    enum tel__flush result = tel__writer_flush(writer);
    atomic_store_explicit(&writer->stalled, result != TEL__FLUSH_DONE || writer->gone,
                          memory_order_relaxed);
    if (result == TEL__FLUSH_BEHIND) {
        tel__writer_wait_for_reader(writer);
    } else if (result == TEL__FLUSH_FAILED) {
        tel__writer_back_off(writer);
    } else if (tel__writer_queues_empty(writer)) {
        if (closing) {
            return false;
        }
        tel__writer_rest(writer);
    }
    return true;
}

static void *run(void *argument)
{
    struct tel__writer *writer = argument;
    pthread_setname_np(pthread_self(), "access-log");
    while (!is_over(writer) && run_round(writer)) {
    }
    uint64_t one = 1;
    while (write(writer->finished_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static int init_descriptors(struct tel__writer *writer)
{
    writer->control_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    writer->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = writer->control_fd < 0 || writer->finished_fd < 0 ? -errno : 0;
    if (error == 0) {
        error = tel__wakeup_init(&writer->first);
    }
    if (error == 0) {
        error = tel__wakeup_init(&writer->pressure);
    }
    return error;
}

void tel__writer_prepare(struct tel__writer *writer)
{
    writer->control_fd = writer->finished_fd = writer->first.fd = writer->pressure.fd = -1;
    writer->sink = TEL__SINK_CLOSED;
}

int tel__writer_init(struct tel__writer *writer)
{
    /* Head: a newline, the directives, a remark. */
    int error = tel__outbox_init(&writer->outbox, 1 + TEL__DIRECTIVES_MAX + TEL__REMARK_MAX,
                                 writer->fields.line_max);
    if (error == 0) {
        error = init_descriptors(writer);
    }
    if (error == 0) {
        error = tel__writer_open(writer);
        if (error == -ENXIO) { /* a FIFO that nobody reads yet, which is not our failure */
            writer->directives_due = true;
            error = 0;
        }
    }
    if (error != 0) {
        tel__writer_say(writer, TEL_ERROR, "cannot open %s: %s",
                        writer->path == NULL ? "stdout" : writer->path, strerror(-error));
    }
    return error;
}

int tel__writer_start(struct tel__writer *writer)
{
    int error = tel__thread_start(&writer->thread, run, writer);
    if (error != 0) {
        tel__writer_say(writer, TEL_ERROR, "cannot start the thread: %s", strerror(-error));
    }
    return error;
}

void tel__writer_order(struct tel__writer *writer)
{
    uint64_t one = 1;
    while (write(writer->control_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

int tel__writer_stop(struct tel__writer *writer, uint64_t deadline_ns)
{
    atomic_store_explicit(&writer->deadline_ns, deadline_ns, memory_order_relaxed);
    atomic_store_explicit(&writer->closing, true, memory_order_release);
    tel__writer_order(writer);
    uint64_t last_ns = deadline_ns + STOP_GRACE_MS * TEL_NS_PER_MS;
    struct pollfd finished = {.fd = writer->finished_fd, .events = POLLIN};
    for (;;) {
        uint64_t now_ns = tel_clock_monotonic_ns();
        if (now_ns >= last_ns) {
            return -ETIMEDOUT;
        }
        uint64_t left_ms = (last_ns - now_ns) / TEL_NS_PER_MS + 1;
        if (poll(&finished, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX) > 0) {
            return -pthread_join(writer->thread, NULL);
        }
    }
}

void tel__writer_fini(struct tel__writer *writer)
{
    tel__sink_close(&writer->sink);
    tel__outbox_fini(&writer->outbox);
    tel__wakeup_fini(&writer->first);
    tel__wakeup_fini(&writer->pressure);
    if (writer->control_fd >= 0) {
        close(writer->control_fd);
    }
    if (writer->finished_fd >= 0) {
        close(writer->finished_fd);
    }
    free(writer->path);
    free(writer->software);
}
