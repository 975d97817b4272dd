/*
 * What the tests of this folder share: cmocka and its headers, tables, spans to export, and a
 * reader of protobuf that finds a field by its path.
 */
#ifndef TEL_TESTS_OTLP_SUPPORT_H
#define TEL_TESTS_OTLP_SUPPORT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../trace/queued.h"
#include "base/wire.h"
#include "telemetry/clock.h"
#include "telemetry/otlp.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define TEXT_OF(bytes) (bytes), (sizeof(bytes) - 1)

static inline void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- spans --------------------------------------------------------------------------------- */

static inline struct tel_tracer *make_tracer(size_t queue_size)
{
    struct tel_tracer *tracer = tel_tracer_create(&(struct tel_tracer_options){
        .shard_count = 1,
        .sampler = {.root = TEL_SAMPLER_ALWAYS_ON, .ratio = 1, .parent_based = true},
        .queue_size = queue_size,
        .trace_context = true});
    assert_non_null(tracer);
    return tracer;
}

/* Ends `count` spans with an attribute each. */
static inline void end_spans(struct tel_tracer *tracer, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tel_span span;
        tel_span_begin(&span, tracer, 0,
                       &(struct tel_span_start){.name = "GET /x", .kind = TEL_SPAN_SERVER});
        tel_span_set_int(&span, "number", (int64_t)i);
        tel_span_end(&span, 0);
    }
}

static inline struct tel_resource *make_resource(void)
{
    struct tel_resource *resource = tel_resource_create();
    assert_non_null(resource);
    assert_int_equal(tel_resource_add(resource, "service.name", "shop"), 0);
    return resource;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* The index-th field `number` of a message; fails when there is none. */
static inline struct tel__wire_field field_at(const void *bytes, size_t length, unsigned number,
                                              size_t index)
{
    struct tel__wire_reader reader = tel__wire_read(bytes, length);
    struct tel__wire_field field;
    while (tel__wire_next(&reader, &field)) {
        if (field.number == number && index-- == 0) {
            return field;
        }
    }
    fail_msg("no field %u", number);
    return (struct tel__wire_field){0};
}

/* The same within a message that is a field. */
static inline struct tel__wire_field field_in(const struct tel__wire_field *message,
                                              unsigned number, size_t index)
{
    assert_int_equal(message->type, TEL__WIRE_BYTES);
    return field_at(message->bytes, message->length, number, index);
}

static inline size_t count_fields(const void *bytes, size_t length, unsigned number)
{
    struct tel__wire_reader reader = tel__wire_read(bytes, length);
    struct tel__wire_field field;
    size_t count = 0;
    while (tel__wire_next(&reader, &field)) {
        count += field.number == number;
    }
    assert_false(reader.bad);
    return count;
}

static inline void assert_text(const struct tel__wire_field *field, const char *text)
{
    assert_int_equal(field->type, TEL__WIRE_BYTES);
    assert_int_equal(field->length, strlen(text));
    assert_memory_equal(field->bytes, text, field->length);
}

/* Spans of an ExportTraceServiceRequest. */
static inline size_t count_spans(const void *bytes, size_t length)
{
    struct tel__wire_field resource_spans = field_at(bytes, length, 1, 0);
    struct tel__wire_field scope_spans = field_in(&resource_spans, 2, 0);
    return count_fields(scope_spans.bytes, scope_spans.length, 2);
}

/* ---- diagnostics --------------------------------------------------------------------------- */

struct messages {
    size_t count;
    char last[1024];
    char first[1024];
};

static inline void keep_message(enum tel_severity severity, const char *component,
                                const char *message, void *argument)
{
    struct messages *messages = argument;
    (void)severity;
    assert_string_equal(component, "otlp");
    snprintf(messages->last, sizeof(messages->last), "%s", message);
    if (messages->count++ == 0) {
        snprintf(messages->first, sizeof(messages->first), "%s", message);
    }
}

#endif
