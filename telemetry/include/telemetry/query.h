/*
 * Secrets of a URL's query, taken out before it goes into a span or a log.
 *
 * Threads: pure. Memory: the caller's.
 * Source: OpenTelemetry semantic conventions 1.44, url.query: the values of AWSAccessKeyId,
 * Signature, sig and X-Goog-Signature, which sign links to stored objects, become REDACTED.
 */
#ifndef TELEMETRY_QUERY_H
#define TELEMETRY_QUERY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TEL_QUERY_REDACTED_MAX 1024 /* bytes of a query that was changed; what is over is cut */

/* Returns the query (without `?`) itself where there is nothing to hide, else a changed copy in
 * `out`, not NUL-terminated; *length is that of the result. NULL stays NULL. */
const char *tel_query_redact(const char *query, size_t *length, char out[TEL_QUERY_REDACTED_MAX]);

#ifdef __cplusplus
}
#endif

#endif
