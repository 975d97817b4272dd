/*
 * A packed request as a line of the W3C Extended Log File Format.
 *
 * How it works: each compiled field prints itself from its slots, into room for the longest line
 * there can be. The line is ASCII without control characters, whatever the record holds:
 *
 *     missing or empty     `-`; an empty header is `""`
 *     headers              a quoted string, `"` doubled; controls, DEL and bytes over 0x7f as %XX
 *     other text           as it came, but whitespace, controls, DEL, bytes over 0x7f, `"`, `#` and
 *                          `\` as %XX; a value that is just `-` is %2D. A `%` stays: uris are
 *                          encoded already
 *     date, time           UTC; microseconds
 *     time-taken           seconds, microseconds as decimals
 *     addresses            IPv4 in IPv6 as IPv4
 *
 * The IIS conventions differ: spaces between the fields instead of tabs, whole seconds in time,
 * whole milliseconds in time-taken, headers as other text, `+` for a space.
 *
 * Threads: none shared; dates belong to the caller.
 * Failure: none as long as the buffer's limit leaves fields->line_max; otherwise the line is left out
 * and the buffer's error set.
 * Source: W3C WD-logfile-960323; IIS's log file format.
 */
#ifndef TEL_ACCESS_LOG_LINE_H
#define TEL_ACCESS_LOG_LINE_H

#include "access_log/fields.h"
#include "telemetry/buffer.h"

/* The text of the last second that was printed. Starts zeroed. */
struct tel__dates {
    uint64_t second; /* since the epoch, plus one; 0: nothing printed yet */
    char date[sizeof("YYYY-MM-DD")];
    char time[sizeof("HH:MM:SS")];
};

/* Makes the texts those of that moment. */
void tel__dates_set(struct tel__dates *dates, uint64_t wall_ns);

/* Appends the line and its newline. The buffer must have, or be able to grow by, fields->line_max. */
void tel__line_append(struct tel_buffer *out, const struct tel__fields *fields,
                      struct tel__dates *dates, const char *packed);

#endif
