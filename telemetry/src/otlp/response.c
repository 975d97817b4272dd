/*
 * An answer is decoded as protobuf decodes: unknown fields are skipped, the last of a repeated
 * scalar wins, a repeated message is merged. A known field of the wrong wire type means that the
 * bytes were never this message: a proxy's text that happens to parse is not taken for a success.
 */
#include "otlp/response.h"

#include <errno.h>

#include "base/wire.h"

enum { PARTIAL_SUCCESS = 1 };                   /* ExportTraceServiceResponse */
enum { REJECTED_SPANS = 1, ERROR_MESSAGE = 2 }; /* ExportTracePartialSuccess */
enum { STATUS_MESSAGE = 2 };                    /* google.rpc.Status */

static int parse_partial_success(const struct tel__wire_field *message,
                                 struct tel__response *response)
{
    struct tel__wire_reader reader = tel__wire_read(message->bytes, message->length);
    struct tel__wire_field field;
    while (tel__wire_next(&reader, &field)) {
        if (field.number == REJECTED_SPANS) {
            if (field.type != TEL__WIRE_VARINT) {
                return -EBADMSG;
            }
            response->rejected = (int64_t)field.value;
        } else if (field.number == ERROR_MESSAGE) {
            if (field.type != TEL__WIRE_BYTES) {
                return -EBADMSG;
            }
            response->message = field.length > 0 ? (const char *)field.bytes : NULL;
            response->message_length = field.length;
        }
    }
    return reader.bad ? -EBADMSG : 0;
}

int tel__response_parse(const void *bytes, size_t length, struct tel__response *response)
{
    struct tel__wire_reader reader = tel__wire_read(bytes, length);
    struct tel__wire_field field;
    *response = (struct tel__response){0};
    while (tel__wire_next(&reader, &field)) {
        if (field.number != PARTIAL_SUCCESS) {
            continue;
        }
        if (field.type != TEL__WIRE_BYTES || parse_partial_success(&field, response) != 0) {
            return -EBADMSG;
        }
    }
    return reader.bad ? -EBADMSG : 0;
}

const char *tel__response_status_message(const void *bytes, size_t length, size_t *message_length)
{
    struct tel__wire_reader reader = tel__wire_read(bytes, length);
    struct tel__wire_field field;
    const char *message = NULL;
    while (tel__wire_next(&reader, &field)) {
        if (field.number == STATUS_MESSAGE && field.type == TEL__WIRE_BYTES && field.length > 0) {
            message = (const char *)field.bytes;
            *message_length = field.length;
        }
    }
    return reader.bad ? NULL : message;
}
