/*
 * The parts of extraction that stand alone.
 *
 * Threads: pure functions. Memory: the caller's context. Failure: a return value.
 * Source: W3C Baggage 3.3.
 */
#ifndef TEL_TRACE_PROPAGATION_H
#define TEL_TRACE_PROPAGATION_H

#include <stddef.h>

#include "telemetry/trace.h"

/* Appends one baggage header, as it came, to what *context has. What no field value may hold
 * (control characters, bytes beyond ASCII) makes it -EINVAL and leaves *context alone; over
 * TEL_BAGGAGE_MAX it is -EMSGSIZE, and the baggage of *context is then empty: half a baggage may
 * mean something else than the whole. */
int tel__baggage_append(const char *value, size_t length, struct tel_context *context);

#endif
