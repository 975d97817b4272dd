/*
 * Diagnostics: what the service says about itself, one JSON object a line, on stderr.
 *
 *     {"time":"2026-11-21T10:20:30.123Z","level":"info","component":"server",
 *      "message":"listening","address":"127.0.0.1:8080"}
 *
 * How it works: a line is built in one buffer and leaves in one write of at most PIPE_BUF bytes, so
 * lines of several threads never mix. poll(2) is asked first: a reader of a pipe that has stopped
 * reading costs the line, never the caller's time. A regular file is always ready for poll(2), so
 * where stderr is one a caller may wait for a slow disk: give a pipe to who must not. Each component
 * has a bucket of tokens; when it is empty, lines are suppressed. Both losses are counted, and said:
 * `suppressed` in the component's next line, `lost` in the next line of any.
 *
 * Threads: everything from any thread; a mutex orders the lines, and is held across the write.
 * diagnostics_get_stats() does not take it, so it never waits. diagnostics_configure() and
 * diagnostics_flush() before and after the other threads.
 * Memory: one buffer for the process; nothing of a call is kept but the component's name, copied.
 * Failure: no call fails. A line that does not fit is cut between fields and says `"cut":true`.
 *
 *     DIAGNOSTICS(TEL_INFO_LEVEL, "server", "listening", DIAGNOSTICS_TEXT("address", text),
 *                 DIAGNOSTICS_NUMBER("workers", 4));
 */
#ifndef GLASSBOX_DIAGNOSTICS_H
#define GLASSBOX_DIAGNOSTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "telemetry/otlp.h" /* enum tel_severity, tel_diagnostic_fn */

#define DIAGNOSTICS_LAST_WAIT_MS   1000
#define DIAGNOSTICS_COMPONENTS_MAX 32 /* more share the last one's bucket */
#define DIAGNOSTICS_FIELDS_MAX     55
#define DIAGNOSTICS_LINE_MAX       4096 /* bytes, newline included: PIPE_BUF, what a pipe keeps whole */

struct diagnostics_field {
    const char *name; /* a JSON-safe literal; NULL ends a list */
    const char *text; /* NULL: `number` is the value */
    int64_t number;
    bool truth; /* with no text: `number` is shown as true or false */
};
#define DIAGNOSTICS_TEXT(field_name, value)   \
    {                                         \
        .name = (field_name), .text = (value) \
    }
#define DIAGNOSTICS_NUMBER(field_name, value)            \
    {                                                    \
        .name = (field_name), .number = (int64_t)(value) \
    }

#define DIAGNOSTICS_TRUTH(field_name, value)                            \
    {                                                                   \
        .name = (field_name), .number = (int64_t)(value), .truth = true \
    }

/* Zero means the default, but for the level, whose zero is TEL_DEBUG. A program that never configures
 * has the defaults and TEL_INFO_LEVEL. */
struct diagnostics_options {
    enum tel_severity level;        /* lesser ones are not written */
    int fd;                         /* 0: stderr */
    unsigned burst;                 /* lines a component may say at once; 0: 50 */
    unsigned per_second;            /* lines a second afterwards; 0: 5 */
    uint64_t (*monotonic_ns)(void); /* NULL: the real clock */
    uint64_t (*wall_ns)(void);      /* NULL: the real clock */
};

struct diagnostics_stats {
    uint64_t written;    /* lines */
    uint64_t suppressed; /* by the rate limit */
    uint64_t lost;       /* the reader was stuck or gone */
};

/* Sets the options and forgets buckets and counts. */
void diagnostics_configure(const struct diagnostics_options *options);

/* Writes a line, or counts it as suppressed or lost. `fields` ends with a NULL name; NULL: none. */
void diagnostics_write(enum tel_severity level, const char *component, const char *message,
                       const struct diagnostics_field *fields);
/* The same with the fields as arguments, at most DIAGNOSTICS_FIELDS_MAX: what is not named of the
 * array is zero, and so ends the list. */
#define DIAGNOSTICS(level, component, message, ...)    \
    diagnostics_write((level), (component), (message), \
                      (const struct diagnostics_field[DIAGNOSTICS_FIELDS_MAX + 1]){__VA_ARGS__})

/* The line that must not be missing, at the end of the program when no other thread is left: past
 * the level and the rate limit, and a reader that is slow is waited for, up to
 * DIAGNOSTICS_LAST_WAIT_MS. */
void diagnostics_write_last(enum tel_severity level, const char *component, const char *message,
                            const struct diagnostics_field *fields);

/* A line in the shape that the telemetry library calls; `argument` is not used. */
void diagnostics_from_library(enum tel_severity level, const char *component, const char *message,
                              void *argument);

/* Says what was suppressed and lost and not yet said: at the end of the program. */
void diagnostics_flush(void);

/* The counts since diagnostics_configure(). Any thread; takes no lock. A line under way may be in none
 * of them yet. */
void diagnostics_get_stats(struct diagnostics_stats *stats);

#endif
