/*
 * Diagnostics. A call takes the mutex, asks the component's bucket, builds the line in the one
 * buffer and hands it to the kernel if poll(2) says that the kernel will take it at once. The counts
 * are written under the mutex and read without it: a scrape never waits for a write.
 *
 *     bucket: tokens_ns, a credit of time. A line costs 1/per_second of a second, and the credit
 *             grows with the clock up to `burst` lines' worth; so no remainder is ever lost.
 *
 * Invariant: every call of a level that is written ends in exactly one of written, suppressed and
 * lost. What was suppressed or lost but not yet said waits in `unsaid`.
 */
#include "diagnostics.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "telemetry/buffer.h"
#include "telemetry/clock.h"

#define BURST         50
#define PER_SECOND    5
#define COMPONENT_MAX 31   /* bytes kept of a component's name */
#define MESSAGE_MAX   2048 /* bytes kept of a message */
#define TEXT_MAX      1024 /* bytes kept of a field's text */
#define TAIL          96   /* kept free for what closes a line: counts, "cut", brace, newline */
#define ESCAPED_MAX   6    /* bytes a byte may become in JSON */

struct bucket {
    char component[COMPONENT_MAX + 1];
    uint64_t tokens_ns;
    uint64_t refilled_ns;
    uint64_t unsaid; /* suppressed since its last line */
};

static struct {
    pthread_mutex_t mutex;
    struct diagnostics_options options;
    _Atomic uint64_t written;
    _Atomic uint64_t suppressed;
    _Atomic uint64_t lost;
    struct bucket buckets[DIAGNOSTICS_COMPONENTS_MAX];
    size_t bucket_count;
    uint64_t lost_unsaid;
    char bytes[DIAGNOSTICS_LINE_MAX]; /* the line's: that there is no memory can be said, too */
    struct tel_buffer line;
    bool torn; /* the last line left without its newline */
} state = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .options = {.level = TEL_INFO_LEVEL,
                .fd = STDERR_FILENO,
                .burst = BURST,
                .per_second = PER_SECOND,
                .monotonic_ns = tel_clock_monotonic_ns,
                .wall_ns = tel_clock_wall_ns},
};

static const char *const level_names[] = {
    [TEL_DEBUG] = "debug", [TEL_INFO_LEVEL] = "info", [TEL_WARN] = "warn", [TEL_ERROR] = "error"};

static uint64_t get_count(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void set_count(_Atomic uint64_t *count, uint64_t value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

/* The mutex makes us the only writer. */
static void add_one(_Atomic uint64_t *count)
{
    set_count(count, get_count(count) + 1);
}

void diagnostics_configure(const struct diagnostics_options *options)
{
    pthread_mutex_lock(&state.mutex);
    state.options = (struct diagnostics_options){
        .level = options->level,
        .fd = options->fd != 0 ? options->fd : STDERR_FILENO,
        .burst = options->burst != 0 ? options->burst : BURST,
        .per_second = options->per_second != 0 ? options->per_second : PER_SECOND,
        .monotonic_ns =
            options->monotonic_ns != NULL ? options->monotonic_ns : tel_clock_monotonic_ns,
        .wall_ns = options->wall_ns != NULL ? options->wall_ns : tel_clock_wall_ns,
    };
    set_count(&state.written, 0);
    set_count(&state.suppressed, 0);
    set_count(&state.lost, 0);
    state.bucket_count = 0;
    state.lost_unsaid = 0;
    pthread_mutex_unlock(&state.mutex);
}

static uint64_t line_cost_ns(void)
{
    return TEL_NS_PER_SECOND / state.options.per_second;
}

/* The component's bucket, made full at first sight; the last one when there are too many. */
static struct bucket *find_bucket(const char *component)
{
    for (size_t i = 0; i < state.bucket_count; i++) {
        if (strncmp(state.buckets[i].component, component, COMPONENT_MAX) == 0) {
            return &state.buckets[i];
        }
    }
    if (state.bucket_count == DIAGNOSTICS_COMPONENTS_MAX) {
        return &state.buckets[DIAGNOSTICS_COMPONENTS_MAX - 1];
    }
    struct bucket *bucket = &state.buckets[state.bucket_count++];
    memset(bucket, 0, sizeof(*bucket));
    snprintf(bucket->component, sizeof(bucket->component), "%s", component);
    bucket->tokens_ns = state.options.burst * line_cost_ns();
    bucket->refilled_ns = state.options.monotonic_ns();
    return bucket;
}

static bool take_token(struct bucket *bucket)
{
    uint64_t now_ns = state.options.monotonic_ns();
    uint64_t full_ns = state.options.burst * line_cost_ns();
    uint64_t grown_ns = bucket->tokens_ns + (now_ns - bucket->refilled_ns);
    bucket->tokens_ns = grown_ns < full_ns ? grown_ns : full_ns;
    bucket->refilled_ns = now_ns;
    if (bucket->tokens_ns < line_cost_ns()) {
        return false;
    }
    bucket->tokens_ns -= line_cost_ns();
    return true;
}

static void append_time(struct tel_buffer *line)
{
    tel_buffer_append_string(line, "{\"time\":\"");
    tel_buffer_append_time(line, state.options.wall_ns(), 3);
    tel_buffer_append_char(line, '"');
}

static void append_text(struct tel_buffer *line, const char *name, const char *text, size_t limit)
{
    tel_buffer_append_format(line, ",\"%s\":", name);
    tel_buffer_append_json(line, text, strnlen(text, limit));
}

/* Takes back what was appended since `length`, if it did not fit; returns whether it did. */
static bool keep_or_cut(struct tel_buffer *line, size_t length)
{
    if (line->error == 0) {
        return true;
    }
    line->length = length;
    line->error = 0;
    return false;
}

/* Appends the fields that fit; returns whether all did. */
static bool append_fields(struct tel_buffer *line, const struct diagnostics_field *fields)
{
    bool complete = true;
    for (; fields != NULL && fields->name != NULL; fields++) {
        size_t before = line->length;
        if (fields->text != NULL) {
            append_text(line, fields->name, fields->text, TEXT_MAX);
            complete = strnlen(fields->text, TEXT_MAX + 1) <= TEXT_MAX && complete;
        } else if (fields->truth) {
            tel_buffer_append_format(line, ",\"%s\":%s", fields->name,
                                     fields->number != 0 ? "true" : "false");
        } else {
            tel_buffer_append_format(line, ",\"%s\":%lld", fields->name, (long long)fields->number);
        }
        complete = keep_or_cut(line, before) && complete;
    }
    return complete;
}

/* A message that does not fit once escaped is cut where the worst escaping would still fit. */
static bool append_message(struct tel_buffer *line, const char *message)
{
    size_t before = line->length;
    append_text(line, "message", message, MESSAGE_MAX);
    if (keep_or_cut(line, before)) {
        return strnlen(message, MESSAGE_MAX + 1) <= MESSAGE_MAX;
    }
    append_text(line, "message", message, (line->limit - before) / ESCAPED_MAX - ESCAPED_MAX);
    return false;
}

static void append_count(struct tel_buffer *line, const char *name, uint64_t count)
{
    if (count > 0) {
        tel_buffer_append_format(line, ",\"%s\":%llu", name, (unsigned long long)count);
    }
}

/* Builds the line in the state's buffer, which has its whole room from the start and so never asks
 * for any. */
static void build(enum tel_severity level, uint64_t suppressed, const char *component,
                  const char *message, const struct diagnostics_field *fields)
{
    struct tel_buffer *line = &state.line;
    *line = (struct tel_buffer){.data = state.bytes,
                                .capacity = DIAGNOSTICS_LINE_MAX,
                                .limit = DIAGNOSTICS_LINE_MAX - TAIL};
    if (state.torn) {
        tel_buffer_append_char(line, '\n');
    }
    append_time(line);
    append_text(line, "level", level_names[level], COMPONENT_MAX);
    append_text(line, "component", component, COMPONENT_MAX);
    bool complete = append_message(line, message);
    complete = append_fields(line, fields) && complete;

    line->limit = DIAGNOSTICS_LINE_MAX;
    append_count(line, "suppressed", suppressed);
    append_count(line, "lost", state.lost_unsaid);
    tel_buffer_append_string(line, complete ? "}\n" : ",\"cut\":true}\n");
}

/* poll(2) for `wait_ms`; a signal in between begins the wait anew. */
static int wait_for_room(struct pollfd *descriptor, int wait_ms)
{
    int ready;
    do {
        ready = poll(descriptor, 1, wait_ms);
    } while (ready < 0 && errno == EINTR);
    return ready;
}

/* Hands the line to the kernel if it takes it within `wait_ms`, 0 for at once. A pipe that polls writable has room for
 * PIPE_BUF bytes, so the write cannot block; poll also spares a reader that is gone its SIGPIPE. Of a
 * regular file poll always says yes: there the write takes as long as the disk. */
static bool write_line(int wait_ms)
{
    struct pollfd descriptor = {.fd = state.options.fd, .events = POLLOUT};
    if (wait_for_room(&descriptor, wait_ms) != 1 || (descriptor.revents & POLLOUT) == 0 ||
        (descriptor.revents & (POLLERR | POLLNVAL)) != 0) {
        return false;
    }
    ssize_t written;
    do {
        written = write(descriptor.fd, state.line.data, state.line.length);
    } while (written < 0 && errno == EINTR);
    if (written > 0) {
        state.torn = (size_t)written != state.line.length;
    }
    return written == (ssize_t)state.line.length;
}

/* Writes one line for a bucket, past its limit, and settles what has been said. */
static void say(enum tel_severity level, struct bucket *bucket, const char *component,
                const char *message, const struct diagnostics_field *fields, int wait_ms)
{
    build(level, bucket->unsaid, component, message, fields);
    if (!write_line(wait_ms)) {
        add_one(&state.lost);
        state.lost_unsaid++;
        return;
    }
    add_one(&state.written);
    state.lost_unsaid = 0;
    bucket->unsaid = 0;
}

void diagnostics_write(enum tel_severity level, const char *component, const char *message,
                       const struct diagnostics_field *fields)
{
    pthread_mutex_lock(&state.mutex);
    if (level >= state.options.level) {
        struct bucket *bucket = find_bucket(component);
        if (take_token(bucket)) {
            say(level, bucket, component, message, fields, 0);
        } else {
            add_one(&state.suppressed);
            bucket->unsaid++;
        }
    }
    pthread_mutex_unlock(&state.mutex);
}

void diagnostics_write_last(enum tel_severity level, const char *component, const char *message,
                            const struct diagnostics_field *fields)
{
    pthread_mutex_lock(&state.mutex);
    say(level, find_bucket(component), component, message, fields, DIAGNOSTICS_LAST_WAIT_MS);
    pthread_mutex_unlock(&state.mutex);
}

void diagnostics_from_library(enum tel_severity level, const char *component, const char *message,
                              void *argument)
{
    (void)argument;
    diagnostics_write(level, component, message, NULL);
}

void diagnostics_flush(void)
{
    pthread_mutex_lock(&state.mutex);
    for (size_t i = 0; i < state.bucket_count; i++) {
        struct bucket *bucket = &state.buckets[i];
        if (bucket->unsaid > 0) {
            say(TEL_WARN, bucket, bucket->component, "lines were suppressed", NULL, 0);
        }
    }
    if (state.lost_unsaid > 0) {
        struct bucket nobody = {.unsaid = 0};
        say(TEL_WARN, &nobody, "diagnostics", "lines were lost", NULL, 0);
    }
    pthread_mutex_unlock(&state.mutex);
}

void diagnostics_get_stats(struct diagnostics_stats *stats)
{
    *stats = (struct diagnostics_stats){.written = get_count(&state.written),
                                        .suppressed = get_count(&state.suppressed),
                                        .lost = get_count(&state.lost)};
}
