/*
 * Spans as OTLP bytes.
 *
 * How it works: an encoder holds what every request says alike (resource, scope, schema), encoded
 * once, and a memory of the lengths of the attribute keys it met. Spans are appended one by one to
 * a buffer as fields `ScopeSpans.spans`; the lengths of the messages around them are known only
 * when the last is in, so the head is made at the end, apart, and a request is head, then spans:
 *
 *     head:  ResourceSpans{ resource, schema_url, ScopeSpans{ scope, schema_url,
 *     spans:                                                  span, span, span … }}
 *
 * Threads: an encoder has one owner. Memory: bounded by what is fixed at creation.
 * Failure: a span is appended whole or not at all.
 * Source: opentelemetry-proto trace/v1, common/v1, resource/v1.
 */
#ifndef TEL_OTLP_ENCODE_H
#define TEL_OTLP_ENCODE_H

#include "telemetry/buffer.h"
#include "telemetry/resource.h"
#include "trace/record.h"

#define TEL__SCHEMA_URL      "https://opentelemetry.io/schemas/1.44.0"
#define TEL__ENCODE_KEYS     256 /* attribute keys whose length is remembered; a power of two */
#define TEL__ENCODE_HEAD_MAX (128u * 1024) /* bytes of a head: 64 attributes of 1 KiB and change */

struct tel__encoder {
    struct tel_buffer resource; /* ResourceSpans: resource and schema_url, as fields */
    struct tel_buffer scope;    /* ScopeSpans: scope and schema_url, as fields */
    struct {
        const char *key;
        size_t length;
    } keys[TEL__ENCODE_KEYS];
};

/* Encodes what is alike. Names may be NULL. Returns 0, -ENOMEM or -EMSGSIZE. */
int tel__encoder_init(struct tel__encoder *encoder, const struct tel_resource *resource,
                      const char *scope_name, const char *scope_version);
void tel__encoder_fini(struct tel__encoder *encoder);

/* Appends one span. Returns 0, or -EMSGSIZE or -ENOMEM: then *spans is as it was before, without
 * an error. */
int tel__encode_span(struct tel__encoder *encoder, const struct tel__span_record *record,
                     struct tel_buffer *spans);

/* Writes the head that goes before `spans_length` bytes of spans, replacing what is in *head.
 * Returns 0 or the buffer's error. */
int tel__encode_head(const struct tel__encoder *encoder, size_t spans_length,
                     struct tel_buffer *head);

#endif
