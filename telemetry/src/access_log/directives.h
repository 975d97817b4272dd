/*
 * The directives that open a log: written once, and read again to see whether a file that is there
 * already is ours to go on with.
 *
 *     #Version: 1.0
 *     #Software: example/1.0
 *     #Start-Date: 2026-11-21 10:20:30
 *     #Remark: IIS conventions, …          (only with these)
 *     #Fields: date time …
 *
 * Readers take the first #Fields of a file for all of it, so a file is gone on with only when its
 * first #Fields has our names in our order, and its conventions are ours.
 *
 * Threads: pure functions. Failure: none.
 */
#ifndef TEL_ACCESS_LOG_DIRECTIVES_H
#define TEL_ACCESS_LOG_DIRECTIVES_H

#include "access_log/fields.h"
#include "telemetry/buffer.h"

#define TEL__SOFTWARE_MAX 256 /* bytes of #Software's value; the rest is left out */
/* Bytes that the directives fit into, those of any list of fields. */
#define TEL__DIRECTIVES_MAX \
    (TEL__SOFTWARE_MAX + TEL_ACCESS_FIELDS_MAX * (TEL__FIELD_NAME_MAX + 1) + 256)

void tel__directives_append(struct tel_buffer *out, const struct tel__fields *fields,
                            const char *software, uint64_t wall_ns);

/* Whether `head`, the first bytes of a file, opens it as our directives would. */
bool tel__directives_match(const struct tel__fields *fields, const char *head, size_t length);

#endif
