/*
 * Extraction and injection through the tracer: the input's lines are `traceparent`, `tracestate`
 * or `baggage` headers, told apart by their first byte (p, s, b). What comes out of inject must
 * extract to the same again, and hold no byte that could end a header.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADERS_MAX 80

struct headers {
    size_t count;
    struct {
        char kind;
        const char *value;
        size_t length;
    } items[HEADERS_MAX];
    char copies[TEL_BAGGAGE_MAX + TEL_TRACESTATE_MAX + 128]; /* of what was injected */
    size_t copied;
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static char kind_of(const char *name)
{
    return name[0] == 'b' ? 'b' : strcmp(name, "traceparent") == 0 ? 'p' : 's';
}

static const char *get(void *carrier, const char *name, size_t index, size_t *length)
{
    const struct headers *headers = carrier;
    for (size_t i = 0; i < headers->count; i++) {
        if (headers->items[i].kind == kind_of(name) && index-- == 0) {
            *length = headers->items[i].length;
            return headers->items[i].value;
        }
    }
    return NULL;
}

static void set(void *carrier, const char *name, const char *value, size_t length)
{
    struct headers *headers = carrier;
    check(strlen(value) == length && strpbrk(value, "\r\n") == NULL);
    char *copy = headers->copies + headers->copied;
    memcpy(copy, value, length);
    headers->copied += length;
    headers->items[headers->count].kind = kind_of(name);
    headers->items[headers->count].value = copy;
    headers->items[headers->count].length = length;
    headers->count++;
}

static void read_headers(struct headers *headers, const char *at, const char *end)
{
    headers->count = 0;
    headers->copied = 0;
    while (at < end && headers->count < HEADERS_MAX) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end != NULL ? line_end : end;
        if (line_end > at) {
            headers->items[headers->count].kind = *at;
            headers->items[headers->count].value = at + 1;
            headers->items[headers->count].length = (size_t)(line_end - at - 1);
            headers->count++;
        }
        at = line_end + 1;
    }
}

static struct tel_tracer *get_tracer(void)
{
    static struct tel_tracer *tracer;
    if (tracer == NULL) {
        tracer = tel_tracer_create(
            &(struct tel_tracer_options){.shard_count = 1,
                                         .sampler = {TEL_SAMPLER_ALWAYS_ON, 1, true},
                                         .trace_context = true,
                                         .baggage = true});
        check(tracer != NULL);
    }
    return tracer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct headers headers;
    static struct tel_context context;
    static struct tel_context again;
    static struct tel_span span;
    read_headers(&headers, (const char *)data, (const char *)data + size);
    tel_context_extract(get_tracer(), get, &headers, &context);
    check(context.valid || context.tracestate_length == 0);
    check(context.baggage_length <= TEL_BAGGAGE_MAX);

    tel_span_begin(&span, get_tracer(), 0, &(struct tel_span_start){.parent = &context});
    check(span.has_parent == context.valid);
    headers.count = 0;
    tel_span_inject(&span, set, &headers);
    tel_context_extract(get_tracer(), get, &headers, &again);
    check(again.valid && memcmp(again.span_id, span.span_id, 8) == 0);
    check(!context.valid || memcmp(again.trace_id, context.trace_id, 16) == 0);
    check(again.tracestate_length == context.tracestate_length &&
          memcmp(again.tracestate, context.tracestate, again.tracestate_length) == 0);
    check(again.baggage_length == context.baggage_length &&
          memcmp(again.baggage, context.baggage, again.baggage_length) == 0);
    tel_span_end(&span, 0);
    return 0;
}
