/*
 * Extraction and injection: headers to a context, a span to headers.
 *
 * Extraction never fails; it leaves out. A traceparent that is missing, bad or there twice makes
 * the context invalid and hides the tracestate, which means nothing without it. A bad tracestate
 * loses only itself. Baggage stands on its own. The carrier is asked for at most HEADERS_MAX values
 * of a name, which bounds the work whatever a client sends.
 */
#include "trace/propagation.h"

#include <errno.h>
#include <string.h>

#include "trace/tracer.h"

#define HEADERS_MAX 64

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The index-th value of a header, without the white space around it; NULL when there is none. */
static const char *get_trimmed(tel_header_get_fn *get, void *carrier, const char *name,
                               size_t index, size_t *length)
{
    const char *value = get(carrier, name, index, length);
    if (value == NULL) {
        return NULL;
    }
    while (*length > 0 && is_blank(value[0])) {
        value++;
        (*length)--;
    }
    while (*length > 0 && is_blank(value[*length - 1])) {
        (*length)--;
    }
    return value;
}

static bool extract_traceparent(tel_header_get_fn *get, void *carrier, struct tel_context *context)
{
    size_t length;
    size_t second_length;
    const char *value = get_trimmed(get, carrier, "traceparent", 0, &length);
    return value != NULL && get(carrier, "traceparent", 1, &second_length) == NULL &&
           tel_traceparent_parse(value, length, context) == 0;
}

static void extract_tracestate(tel_header_get_fn *get, void *carrier, struct tel_context *context)
{
    for (size_t i = 0; i < HEADERS_MAX; i++) {
        size_t length;
        const char *value = get_trimmed(get, carrier, "tracestate", i, &length);
        if (value == NULL || tel_tracestate_parse(value, length, context) != 0) {
            return;
        }
    }
    context->tracestate_length = 0; /* more headers than anyone reads: a part is not the whole */
}

static bool is_field_text(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((value[i] < 0x20 && value[i] != '\t') || value[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

int tel__baggage_append(const char *value, size_t length, struct tel_context *context)
{
    if (!is_field_text(value, length)) {
        return -EINVAL;
    }
    if (length == 0) {
        return 0;
    }
    size_t at = context->baggage_length;
    size_t comma = at > 0 ? 1 : 0;
    if (length > TEL_BAGGAGE_MAX || at + comma + length > TEL_BAGGAGE_MAX) {
        context->baggage_length = 0;
        return -EMSGSIZE;
    }
    if (comma > 0) {
        context->baggage[at++] = ',';
    }
    memcpy(context->baggage + at, value, length);
    context->baggage_length = (uint16_t)(at + length);
    return 0;
}

static void extract_baggage(tel_header_get_fn *get, void *carrier, struct tel_context *context)
{
    for (size_t i = 0; i < HEADERS_MAX; i++) {
        size_t length;
        const char *value = get_trimmed(get, carrier, "baggage", i, &length);
        if (value == NULL || tel__baggage_append(value, length, context) == -EMSGSIZE) {
            return;
        }
    }
    context->baggage_length = 0;
}

void tel_context_extract(const struct tel_tracer *tracer, tel_header_get_fn *get, void *carrier,
                         struct tel_context *context)
{
    /* Ten kilobytes of text lie behind these; they are not touched for a request that has none. */
    memset(context, 0, offsetof(struct tel_context, tracestate));
    if (tracer->options.trace_context) {
        context->valid = extract_traceparent(get, carrier, context);
        context->remote = context->valid;
        if (context->valid) {
            extract_tracestate(get, carrier, context);
        }
    }
    if (tracer->options.baggage) {
        extract_baggage(get, carrier, context);
    }
}

/* Header setters want a NUL, which a context's text has not. */
static void set_header(tel_header_set_fn *set, void *carrier, const char *name, const char *text,
                       size_t length)
{
    char value[(TEL_BAGGAGE_MAX > TEL_TRACESTATE_MAX ? TEL_BAGGAGE_MAX : TEL_TRACESTATE_MAX) + 1];
    memcpy(value, text, length);
    value[length] = '\0';
    set(carrier, name, value, length);
}

void tel_span_inject(const struct tel_span *span, tel_header_set_fn *set, void *carrier)
{
    const struct tel_tracer_options *options = &span->tracer->options;
    const struct tel_context *context = span->context;
    if (options->trace_context) {
        char traceparent[TEL_TRACEPARENT_LENGTH + 1];
        tel_traceparent_format(span->trace_id, span->span_id, span->flags, traceparent);
        set(carrier, "traceparent", traceparent, TEL_TRACEPARENT_LENGTH);
        if (context != NULL && context->valid && context->tracestate_length > 0) {
            set_header(set, carrier, "tracestate", context->tracestate, context->tracestate_length);
        }
    }
    if (options->baggage && context != NULL && context->baggage_length > 0) {
        set_header(set, carrier, "baggage", context->baggage, context->baggage_length);
    }
}
