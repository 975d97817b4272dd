/*
 * What a collector answers: ExportTraceServiceResponse with its partial success, and the
 * google.rpc.Status that goes with an error.
 *
 * Threads: pure functions. Memory: messages are borrowed from the bytes given.
 * Source: opentelemetry-proto, collector/trace/v1 and docs/specification.md ("Partial Success",
 * "Failures").
 */
#ifndef TEL_OTLP_RESPONSE_H
#define TEL_OTLP_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

struct tel__response {
    int64_t rejected; /* spans the collector refused; as it says, so perhaps negative or absurd */
    const char *message; /* not NUL-terminated, perhaps not UTF-8; NULL: none */
    size_t message_length;
};

/* Reads an ExportTraceServiceResponse. Empty bytes are one, a full success. Returns 0, or -EBADMSG
 * when the bytes are something else. */
int tel__response_parse(const void *bytes, size_t length, struct tel__response *response);

/* The message of a google.rpc.Status and its length, or NULL when the bytes are none. */
const char *tel__response_status_message(const void *bytes, size_t length, size_t *message_length);

#endif
