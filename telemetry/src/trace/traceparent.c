/*
 * traceparent: `version-traceid-parentid-flags`, in lowercase hex (W3C Trace Context level 2, 3.2).
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *     0  3                                36               53
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "telemetry/trace.h"

enum { TRACE_ID_AT = 3, SPAN_ID_AT = 36, FLAGS_AT = 53 };

/* Decodes `count` bytes; false at the first digit that is not lowercase hex. */
static bool decode_hex(const char *digits, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int high = tel__hex_digit(digits[2 * i], false);
        int low = tel__hex_digit(digits[2 * i + 1], false);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t any = 0;
    for (size_t i = 0; i < count; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

/* Version 00 ends after the flags. A later one may go on, behind another dash, with what only that
 * version understands; ff is not a version. */
static bool has_good_frame(const char *value, size_t length)
{
    uint8_t version;
    if (length < TEL_TRACEPARENT_LENGTH || !decode_hex(value, &version, 1) || version == 0xff) {
        return false;
    }
    if (length > TEL_TRACEPARENT_LENGTH && (version == 0 || value[TEL_TRACEPARENT_LENGTH] != '-')) {
        return false;
    }
    return value[TRACE_ID_AT - 1] == '-' && value[SPAN_ID_AT - 1] == '-' &&
           value[FLAGS_AT - 1] == '-';
}

int tel_traceparent_parse(const char *value, size_t length, struct tel_context *context)
{
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t flags;
    if (!has_good_frame(value, length) ||
        !decode_hex(value + TRACE_ID_AT, trace_id, sizeof(trace_id)) ||
        !decode_hex(value + SPAN_ID_AT, span_id, sizeof(span_id)) ||
        !decode_hex(value + FLAGS_AT, &flags, 1) || is_zero(trace_id, sizeof(trace_id)) ||
        is_zero(span_id, sizeof(span_id))) {
        return -EINVAL;
    }
    memcpy(context->trace_id, trace_id, sizeof(trace_id));
    memcpy(context->span_id, span_id, sizeof(span_id));
    context->flags = flags & (TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM);
    return 0;
}

void tel_traceparent_format(const uint8_t trace_id[16], const uint8_t span_id[8], uint8_t flags,
                            char out[TEL_TRACEPARENT_LENGTH + 1])
{
    const uint8_t known = flags & (TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM);
    memcpy(out, "00-", TRACE_ID_AT);
    tel__hex_encode(out + TRACE_ID_AT, trace_id, 16);
    out[SPAN_ID_AT - 1] = '-';
    tel__hex_encode(out + SPAN_ID_AT, span_id, 8);
    out[FLAGS_AT - 1] = '-';
    tel__hex_encode(out + FLAGS_AT, &known, 1);
    out[TEL_TRACEPARENT_LENGTH] = '\0';
}
