/*
 * What is in a tracer's queue, as the exporter finds it.
 */
#ifndef TEL_TESTS_TRACE_QUEUED_H
#define TEL_TESTS_TRACE_QUEUED_H

#include "trace/record.h"
#include "trace/tracer.h"

/* The next span, which stays until pop_span(), or NULL. */
static inline const struct tel__span_record *peek_span(struct tel_tracer *tracer)
{
    size_t length;
    return tel__queue_peek(&tracer->queue, &length);
}

static inline void pop_span(struct tel_tracer *tracer)
{
    tel__queue_pop(&tracer->queue);
}

static inline uint64_t queued_spans(const struct tel_tracer *tracer)
{
    return tel__queue_count(&tracer->queue);
}

#endif
