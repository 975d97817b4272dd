/*
 * Secrets of a query string, taken out before it goes into a span or a log.
 *
 * Source: OpenTelemetry semantic conventions, url.query: the values of AWSAccessKeyId, Signature,
 * sig and X-Goog-Signature, which sign links to stored objects, are replaced by REDACTED.
 *
 * Pure; any thread.
 */
#ifndef GLASSBOX_REDACT_H
#define GLASSBOX_REDACT_H

#include "http/http.h"

#define REDACT_BYTES 1024 /* of a query that was changed; what does not fit is cut off */

/* Returns the query itself where there is nothing to hide, else a changed copy in `out`. */
struct http_slice redact_query(struct http_slice query, char out[REDACT_BYTES]);

#endif
