/*
 * Label values: what may be exposed as it is, what must be mended first.
 */
#include "metrics/labels.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "base/wire.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */
#define REPLACEMENT_LENGTH (sizeof(replacement) - 1)

enum { METRIC_LABEL = 1 };                /* io.prometheus.client.Metric */
enum { LABEL_NAME = 1, LABEL_VALUE = 2 }; /* LabelPair */

/* Copies what is well-formed, replaces the other bytes, stops before the character that would not
 * fit. The output never runs behind the input, so input beyond the room is never needed. */
static size_t mend(char out[TEL_LABEL_VALUE_MAX], const char *value, size_t length)
{
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t step = tel__utf8_character(value + at, length - at);
        const char *from = value + at;
        size_t take = step;
        if (step == 0) {
            from = replacement;
            take = REPLACEMENT_LENGTH;
            step = 1;
        }
        if (take > TEL_LABEL_VALUE_MAX - used) {
            break;
        }
        memcpy(out + used, from, take);
        used += take;
        at += step;
    }
    return used;
}

/* FNV's idea (xor, multiply), eight bytes a step, with the high bits folded back. */
static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t length)
{
    const uint64_t prime = 0x9E3779B97F4A7C15ull;
    hash = (hash ^ length) * prime;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32;
    }
    uint64_t word = 0;
    memcpy(&word, bytes, length);
    hash = (hash ^ word) * prime;
    return hash ^ hash >> 29;
}

void tel__labels_init(struct tel__labels *labels, const char *const *values, size_t count)
{
    assert(count <= TEL_LABELS_MAX);
    labels->count = count;
    labels->hash = 0;
    for (size_t i = 0; i < count; i++) {
        const char *value = values[i] != NULL ? values[i] : "";
        /* Three bytes more than are kept: the rest of a character that begins within. */
        size_t length = strnlen(value, TEL_LABEL_VALUE_MAX + 3);
        if (length > TEL_LABEL_VALUE_MAX || !tel__utf8_is_valid(value, length)) {
            length = mend(labels->scratch[i], value, length);
            value = labels->scratch[i];
        }
        labels->values[i] = value;
        labels->lengths[i] = (uint16_t)length;
        labels->hash = hash_bytes(labels->hash, value, length);
    }
}

void tel__escape_append(struct tel_buffer *out, const char *bytes, size_t length, bool quotes)
{
    size_t done = 0;
    for (size_t at = 0; at < length; at++) {
        char byte = bytes[at];
        if (byte != '\\' && byte != '\n' && !(quotes && byte == '"')) {
            continue;
        }
        tel_buffer_append(out, bytes + done, at - done);
        tel_buffer_append_char(out, '\\');
        tel_buffer_append_char(out, byte == '\n' ? 'n' : byte);
        done = at + 1;
    }
    tel_buffer_append(out, bytes + done, length - done);
}

void tel__labels_append_text(struct tel_buffer *out, const char *const *names,
                             const struct tel__labels *labels)
{
    bool first = true;
    for (size_t i = 0; i < labels->count; i++) {
        if (labels->lengths[i] == 0) {
            continue;
        }
        if (!first) {
            tel_buffer_append_char(out, ',');
        }
        first = false;
        tel_buffer_append_string(out, names[i]);
        tel_buffer_append(out, "=\"", 2);
        tel__escape_append(out, labels->values[i], labels->lengths[i], true);
        tel_buffer_append_char(out, '"');
    }
}

void tel__labels_append_protobuf(struct tel_buffer *out, const char *const *names,
                                 const struct tel__labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (labels->lengths[i] == 0) {
            continue;
        }
        size_t pair = tel__wire_open(out, METRIC_LABEL);
        tel__wire_append_bytes(out, LABEL_NAME, names[i], strlen(names[i]));
        tel__wire_append_bytes(out, LABEL_VALUE, labels->values[i], labels->lengths[i]);
        tel__wire_close(out, pair);
    }
}
