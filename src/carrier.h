/*
 * A request as the carrier of what tel_context_extract() reads: traceparent, tracestate, baggage.
 *
 * Pure; any thread.
 */
#ifndef GLASSBOX_CARRIER_H
#define GLASSBOX_CARRIER_H

#include <stddef.h>

/* A tel_header_get_fn; `carrier` is a struct http_request. */
const char *carrier_get(void *carrier, const char *name, size_t index, size_t *length);

#endif
