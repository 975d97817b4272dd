/*
 * Head sampling: the decision that is made once, at the start of a span.
 *
 * A parent-based sampler repeats the caller's decision, so a trace is whole or absent; only where
 * there is no parent the root sampler decides. The ratio sampler compares the low 56 bits of the
 * trace id with a threshold, so all who use the same ratio agree about a trace.
 *
 * Threads: pure functions. Memory: none. Failure: none.
 * Source: W3C Trace Context level 2, 3.2.2.3 (trace id randomness); OpenTelemetry trace/sdk.
 */
#ifndef TEL_TRACE_SAMPLER_H
#define TEL_TRACE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "telemetry/trace.h"

/* Whether a new span of trace `trace_id` is sampled. `has_parent`: it has a valid parent, whose
 * sampled flag is `parent_sampled`. */
bool tel__sampler_decide(const struct tel_sampler *sampler, const uint8_t trace_id[16],
                         bool has_parent, bool parent_sampled);

#endif
