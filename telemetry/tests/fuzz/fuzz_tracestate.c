/*
 * tracestate: the input's lines are headers. What is kept is canonical (read again it gives the
 * same), within bounds, and empty as soon as one header is bad.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static size_t count_members(const struct tel_context *context)
{
    size_t count = context->tracestate_length > 0 ? 1 : 0;
    for (size_t i = 0; i < context->tracestate_length; i++) {
        count += context->tracestate[i] == ',' ? 1 : 0;
    }
    return count;
}

static void check_canonical(const struct tel_context *context)
{
    static struct tel_context again;
    again.tracestate_length = 0;
    check(context->tracestate_length <= TEL_TRACESTATE_MAX);
    check(count_members(context) <= TEL_TRACESTATE_MEMBERS_MAX);
    check(tel_tracestate_parse(context->tracestate, context->tracestate_length, &again) == 0);
    check(again.tracestate_length == context->tracestate_length);
    check(memcmp(again.tracestate, context->tracestate, again.tracestate_length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tel_context context;
    const char *at = (const char *)data;
    const char *end = at + size;
    context.tracestate_length = 0;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end != NULL ? line_end : end;
        if (tel_tracestate_parse(at, (size_t)(line_end - at), &context) != 0) {
            check(context.tracestate_length == 0);
            return 0;
        }
        check_canonical(&context);
        at = line_end + 1;
    }
    return 0;
}
