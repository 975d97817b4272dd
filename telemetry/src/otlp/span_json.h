/*
 * A span as one line of JSON, for people.
 *
 *     {"name":"GET /cart","kind":"SERVER","trace_id":"4bf9…","span_id":"00f0…","parent_span_id":"",
 *      "start":"2025-01-02T03:04:05.678901Z","end":"…","duration_ms":1.250000,"status":"UNSET",
 *      "attributes":{"http.route":"/cart"},"events":[{"name":"…","time":"…","attributes":{}}],
 *      "links":[…],"resource":{"service.name":"shop"}}
 *
 * Threads: pure, on the buffer given. Failure: the buffer's error.
 */
#ifndef TEL_OTLP_SPAN_JSON_H
#define TEL_OTLP_SPAN_JSON_H

#include "telemetry/buffer.h"
#include "trace/record.h"

/* Appends the line and its newline. */
void tel__span_json_append(struct tel_buffer *out, const struct tel__span_record *record,
                           const char *service_name);

#endif
