/*
 * Bytes -> content.
 *
 * A body of known length is counted here; a chunked one goes through llhttp, which is stopped at
 * the end of each chunk's first line and of its data, so that both can be measured:
 *
 *     (CHUNK_LINE  CHUNK_DATA)*  CHUNK_LINE  CHUNK_TRAILERS  CHUNK_DONE
 *
 * Content is bounded by limits.body_bytes, what surrounds it by HTTP_CHUNK_EXCESS, and trailers by
 * the limits of a head. Content is kept only if the service wants it, and then bounded by what it
 * wants at most; trailers never are.
 *
 * Source: RFC 9112, 6 and 7.1.
 */
#include <errno.h>

#include "http/internal.h"

/* ---- llhttp's callbacks ---------------------------------------------------------------------- */

int body_on_chunk_header(llhttp_t *parser)
{
    struct exchange *exchange = parser->data;
    const uint64_t left = exchange->shared.engine->limits->body_bytes - exchange->content_bytes;
    if (parser->content_length > left) {
        return parse_raise(exchange, HTTP_ERROR_BODY_TOO_LARGE);
    }
    exchange->phase = parser->content_length > 0 ? CHUNK_DATA : CHUNK_TRAILERS;
    if (body_in_trailers(exchange)) {
        lines_init_trailers(&exchange->lines);
    }
    return HPE_PAUSED;
}

/* After the data of a chunk, and once more after the trailers. */
int body_on_chunk_complete(llhttp_t *parser)
{
    struct exchange *exchange = parser->data;
    exchange->phase = body_in_trailers(exchange) ? CHUNK_DONE : CHUNK_LINE;
    exchange->chunk_line = 0;
    return HPE_PAUSED;
}

static int take_content(struct exchange *exchange, const char *bytes, size_t length)
{
    struct tel_buffer *body = &exchange->shared.request.body;
    exchange->content_bytes += length;
    if (exchange->shared.want_body) {
        tel_buffer_append(body, bytes, length);
        if (body->error != 0) {
            return parse_raise(exchange, body->error == -EMSGSIZE ? HTTP_ERROR_BODY_TOO_LARGE
                                                                  : HTTP_ERROR_OVERLOADED);
        }
    }
    return 0;
}

int body_on_data(llhttp_t *parser, const char *at, size_t length)
{
    return take_content(parser->data, at, length);
}

/* ---- known length and chunks ----------------------------------------------------------------- */

static size_t parse_length(struct exchange *exchange, const char *bytes, size_t length,
                           enum parse_status *status)
{
    const size_t taken = length < exchange->remaining ? length : (size_t)exchange->remaining;
    exchange->remaining -= taken;
    if (take_content(exchange, bytes, taken) != 0) {
        *status = PARSE_REFUSED;
    } else {
        *status = exchange->remaining == 0 ? PARSE_DONE : PARSE_MORE;
    }
    return taken;
}

/* Sixteen hex digits and a CRLF are all that a chunk's first line needs. What goes beyond is
 * summed over the body: neither extensions nor leading zeros are a way to send without end. */
static bool chunk_line_is_long(struct exchange *exchange, size_t taken, bool complete)
{
    exchange->chunk_line += taken;
    const size_t excess = exchange->chunk_line > 18 ? exchange->chunk_line - 18 : 0;
    const bool is_long = exchange->chunk_excess + excess > HTTP_CHUNK_EXCESS;
    if (complete) {
        exchange->chunk_excess += excess;
    }
    return is_long;
}

/* One run of the parser over a chunk line or data: up to the end of either, or of the bytes. */
static size_t parse_chunk(struct exchange *exchange, const char *bytes, size_t length,
                          enum http_error *error)
{
    const bool in_line = exchange->phase == CHUNK_LINE;
    const llhttp_errno_t code = llhttp_execute(&exchange->parser, bytes, length);
    const size_t taken =
        code == HPE_OK ? length : (size_t)(llhttp_get_error_pos(&exchange->parser) - bytes);
    if (in_line && chunk_line_is_long(exchange, taken, exchange->phase != CHUNK_LINE)) {
        *error = HTTP_ERROR_BAD_FRAMING;
    } else if (code == HPE_PAUSED) {
        llhttp_resume(&exchange->parser);
    } else if (code != HPE_OK) {
        *error = exchange->raised != HTTP_OK ? exchange->raised : HTTP_ERROR_BAD_FRAMING;
    }
    return taken;
}

/* Trailers have the limits of a head, and are forgotten. */
static size_t parse_trailers(struct exchange *exchange, const char *bytes, size_t length,
                             enum http_error *error)
{
    const size_t room = exchange->shared.engine->limits->head_bytes - exchange->trailer_bytes;
    enum lines_verdict verdict;
    const size_t taken =
        lines_scan(&exchange->lines, bytes, length < room ? length : room, &verdict);
    const llhttp_errno_t code = llhttp_execute(&exchange->parser, bytes, taken);
    const bool done = exchange->phase == CHUNK_DONE;
    exchange->trailer_bytes += taken;
    if (code != HPE_OK && code != HPE_PAUSED) {
        *error = exchange->raised != HTTP_OK ? exchange->raised : HTTP_ERROR_BAD_FRAMING;
    } else if (verdict == LINES_MALFORMED || done != (verdict == LINES_END)) {
        *error = HTTP_ERROR_BAD_FRAMING;
    } else if (length > room && taken == room && !done) {
        *error = HTTP_ERROR_HEAD_TOO_LARGE;
    }
    return taken;
}

static size_t parse_chunks(struct exchange *exchange, const char *bytes, size_t length,
                           enum parse_status *status)
{
    size_t at = 0;
    enum http_error error = HTTP_OK;
    while (at < length && exchange->phase != CHUNK_DONE && error == HTTP_OK) {
        at += body_in_trailers(exchange) ? parse_trailers(exchange, bytes + at, length - at, &error)
                                         : parse_chunk(exchange, bytes + at, length - at, &error);
    }
    if (error != HTTP_OK) {
        exchange->raised = error;
        *status = PARSE_REFUSED;
    } else {
        *status = exchange->phase == CHUNK_DONE ? PARSE_DONE : PARSE_MORE;
    }
    return at;
}

size_t parse_body(struct exchange *exchange, const char *bytes, size_t length,
                  enum parse_status *status)
{
    const size_t taken = exchange->framing == FRAMING_CHUNKED
                             ? parse_chunks(exchange, bytes, length, status)
                             : parse_length(exchange, bytes, length, status);
    exchange->shared.request.body_bytes += taken;
    return taken;
}
