/*
 * Times as people write them: RFC 3339, `2026-11-26T08:00:00Z`, `2026-11-26T09:30:00.25+01:30`.
 *
 * How it works: a date, `T`, a time of day, a fraction of up to nine digits if there is one, and the
 * zone, which must be there: `Z`, or the hours and minutes that the clock was ahead. `t` and `z` are
 * the same as `T` and `Z`; `-00:00`, where the zone is not known but UTC is, counts as `Z`.
 * A second 60 is refused: the wall clock of this system, to which the time will be compared, has
 * none. tel_buffer_append_time() is the other direction.
 *
 * Threads: any; pure.
 * Failure: the result is untouched.
 */
#ifndef GLASSBOX_FAULTS_TIMESTAMP_H
#define GLASSBOX_FAULTS_TIMESTAMP_H

#include <stdint.h>

/* Reads a time between 1970 and 2499, UTC, so that what is added to it stays within 64 bits. Returns
 * 0, -EINVAL (not of that form, no such day or hour) or -ERANGE (another year). */
int timestamp_parse(const char *text, uint64_t *wall_ns);

#endif
