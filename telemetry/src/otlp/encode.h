/*
 * Spans and log records as OTLP bytes.
 *
 * How it works: an encoder holds what every request says alike (resource, scope, schema), encoded
 * once, and a memory of the attribute keys it met. Records are appended one by one
 * to a buffer as fields `ScopeSpans.spans`; the lengths of the messages around them are known only
 * when the last is in, so the head is made at the end, apart, and a request is head, then records:
 *
 *     head:     ResourceSpans{ resource, schema_url, ScopeSpans{ scope, schema_url,
 *     records:                                                  span, span, span … }}
 *
 * ResourceLogs and ScopeLogs have the same field numbers, so the head is the same for log records.
 *
 * Threads: an encoder has one owner. Memory: bounded by what is fixed at creation.
 * Failure: a record is appended whole or not at all.
 * Source: opentelemetry-proto trace/v1, logs/v1, common/v1, resource/v1.
 */
#ifndef TEL_OTLP_ENCODE_H
#define TEL_OTLP_ENCODE_H

#include "telemetry/buffer.h"
#include "telemetry/resource.h"
#include "telemetry/trace.h"

#define TEL__SCHEMA_URL      "https://opentelemetry.io/schemas/1.44.0"
#define TEL__ENCODE_RECORD   2   /* the field of ScopeSpans and ScopeLogs that holds one */
#define TEL__ENCODE_KEYS     256 /* attribute keys that are remembered; a power of two */
#define TEL__ENCODE_KEY_MAX  61  /* bytes of one, for which its encoding is remembered as well */
#define TEL__ENCODE_HEAD_MAX (128u * 1024) /* bytes of a head: 64 attributes of 1 KiB and change */

struct tel__encoder {
    struct tel_buffer resource; /* ResourceSpans: resource and schema_url, as fields */
    struct tel_buffer scope;    /* ScopeSpans: scope and schema_url, as fields */
    struct tel__encode_key {
        const char *text; /* static: the same address is the same key */
        size_t length;
        uint8_t head_length; /* 0: too long a key */
        char
            head[TEL__ENCODE_KEY_MAX + 3]; /* the key as a field of KeyValue, and the value's tag */
    } keys[TEL__ENCODE_KEYS];
};

/* Encodes what is alike. Names may be NULL. Returns 0, -ENOMEM or -EMSGSIZE. */
int tel__encoder_init(struct tel__encoder *encoder, const struct tel_resource *resource,
                      const char *scope_name, const char *scope_version);
void tel__encoder_fini(struct tel__encoder *encoder);

/* Appends one record, as it came out of its queue. Returns 0, or -EMSGSIZE or -ENOMEM: then *out is
 * as it was before, without an error. */
typedef int tel__encode_fn(struct tel__encoder *encoder, const void *record,
                           struct tel_buffer *out);
tel__encode_fn tel__encode_span; /* a struct tel__span_record */
tel__encode_fn tel__encode_log;  /* a struct tel__log_record */

/* Writes the head that goes before `records_length` bytes of records, replacing what is in *head.
 * Returns 0 or the buffer's error. */
int tel__encode_head(const struct tel__encoder *encoder, size_t records_length,
                     struct tel_buffer *head);

/* ---- for the encodings of records ---------------------------------------------------------- */

void tel__encode_fill_key(struct tel__encode_key *key, const char *text);

/* What is remembered of a static string; valid until the next call. */
static inline const struct tel__encode_key *tel__encode_key(struct tel__encoder *encoder,
                                                            const char *text)
{
    size_t slot = ((uintptr_t)text ^ (uintptr_t)text >> 8) % TEL__ENCODE_KEYS;
    struct tel__encode_key *key = &encoder->keys[slot];
    if (__builtin_expect(key->text != text, 0)) {
        tel__encode_fill_key(key, text);
    }
    return key;
}
/* Appends a KeyValue as `field`, which is below 16. */
void tel__encode_attribute(struct tel__encoder *encoder, struct tel_buffer *out, unsigned field,
                           const struct tel_attribute *attribute);
/* Bytes of the fields of a string as AnyValue; puts them. What is not UTF-8 goes as bytes: as a
 * string it would make the receiver refuse the whole request. */
size_t tel__encode_string_size(size_t length);
uint8_t *tel__encode_put_string(uint8_t *at, const char *data, size_t length);
/* Ends the appending of a record that began at `before`: takes it back if it failed, and returns
 * why. */
int tel__encode_settle(struct tel_buffer *out, size_t before);

#endif
