/*
 * traceparent: whatever comes in, what is taken can be written and read again unchanged, and what
 * is refused changes nothing.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zero[16];
    struct tel_context context = {.flags = 0xee};
    if (tel_traceparent_parse((const char *)data, size, &context) != 0) {
        check(context.flags == 0xee && memcmp(context.trace_id, zero, 16) == 0);
        return 0;
    }
    check(memcmp(context.trace_id, zero, 16) != 0 && memcmp(context.span_id, zero, 8) != 0);
    check((context.flags & ~(TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM)) == 0);

    char out[TEL_TRACEPARENT_LENGTH + 1];
    struct tel_context again = {0};
    tel_traceparent_format(context.trace_id, context.span_id, context.flags, out);
    check(strlen(out) == TEL_TRACEPARENT_LENGTH);
    check(memcmp(out + 2, data + 2, TEL_TRACEPARENT_LENGTH - 4) == 0); /* ids, byte for byte */
    check(tel_traceparent_parse(out, TEL_TRACEPARENT_LENGTH, &again) == 0);
    check(memcmp(&context, &again, offsetof(struct tel_context, valid)) == 0);
    return 0;
}
