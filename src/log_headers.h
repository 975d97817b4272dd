/*
 * The headers that the access log's field list names, resolved once and filled in a record.
 *
 * Threads: made before workers start, read-only afterwards.
 */
#ifndef GLASSBOX_LOG_HEADERS_H
#define GLASSBOX_LOG_HEADERS_H

#include "telemetry/access_log.h"

#define LOG_HEADERS_NUMBER_BYTES 24

struct http_exchange;
struct log_headers;

/* Reads the field list of a log. NULL with errno ENOMEM. */
struct log_headers *log_headers_create(const struct tel_access_log *log);
void log_headers_destroy(struct log_headers *headers);

/* Sets request_headers and response_headers of a record; borrowed from the exchange and from
 * `content_length`, which both must outlive the record. The engine's own Date is not kept: the line
 * has its date. */
void log_headers_fill(const struct log_headers *headers, const struct http_exchange *http,
                      char content_length[LOG_HEADERS_NUMBER_BYTES],
                      struct tel_access_record *record);

/* Puts REDACTED in place of what lets its holder in: Authorization, Proxy-Authorization and Cookie of
 * the request, Set-Cookie of the response. For a copy of the line that others see than those who may
 * read the file. */
void log_headers_redact(const struct log_headers *headers, struct tel_access_record *record);

#endif
