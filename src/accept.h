/*
 * Content negotiation by q-values (RFC 9110 12.4.2, 12.5.1).
 *
 * Pure functions on header bytes; any thread. Qualities are in thousandths. What cannot be parsed
 * counts as not said.
 */
#ifndef GLASSBOX_ACCEPT_H
#define GLASSBOX_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"

/* How much an Accept header wants `type`/`subtype` (lower case): the quality of its most specific
 * matching range; 0 when none matches, 1000 for an absent or empty header. */
unsigned accept_media_quality(struct http_slice accept, const char *type, const char *subtype);

/* The same of all Accept lines of a request: several are one list (RFC 9110, 5.3). */
unsigned accept_request_quality(const struct http_request *request, const char *type,
                                const char *subtype);

/* Whether a Content-Type is `type`, "application/json" say, whatever its parameters are. */
bool accept_media_is(struct http_slice content_type, const char *type);

#endif
