/*
 * Bytes -> request, through llhttp.
 *
 * A head is copied into the exchange's storage as it comes, up to the line where it ends (lines.h),
 * and parsed there, in place: names and values are slices of that copy, whole even when they came
 * in pieces, and stay valid until close. The parser is stopped at the end of the head and set up
 * anew for each request, so what it would do after a message (Upgrade, CONNECT, keep-alive) never
 * happens.
 *
 *     first line | header lines | empty line
 *     ^ policy_judge_line         ^ policy_judge_head
 *
 * Invariant: the verdict depends on the bytes only, not on how they were cut. Of several things
 * wrong the first byte decides; where two readers object to the same bytes the order is: llhttp
 * within the request line, the judge of that line, llhttp after it, lines_scan, limits.
 */
#include <string.h>

#include "http/internal.h"
#include "http/target.h"

/* ---- llhttp's callbacks -------------------------------------------------------------------- */

/* A name or value may come in several calls; the pieces lie next to each other. */
static void extend(struct http_slice *slice, const char *at, size_t length)
{
    if (slice->data == NULL) {
        slice->data = at;
    }
    slice->length += length;
}

static struct http_field *current_field(struct exchange *exchange)
{
    return &exchange->fields[exchange->shared.request.field_count];
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    struct exchange *exchange = parser->data;
    if (!body_in_trailers(exchange)) {
        extend(&current_field(exchange)->name, at, length);
    }
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct exchange *exchange = parser->data;
    if (!body_in_trailers(exchange)) {
        extend(&current_field(exchange)->value, at, length);
    }
    return 0;
}

int parse_raise(struct exchange *exchange, enum http_error error)
{
    exchange->raised = error;
    return -1;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct exchange *exchange = parser->data;
    struct http_request *request = &exchange->shared.request;
    const size_t limit = exchange->shared.engine->limits->header_count;
    size_t *count = body_in_trailers(exchange) ? &exchange->trailer_count : &request->field_count;
    if (*count == limit) {
        return parse_raise(exchange, HTTP_ERROR_HEAD_TOO_LARGE);
    }
    ++*count;
    if (!body_in_trailers(exchange)) {
        *current_field(exchange) = (struct http_field){{NULL, 0}, {NULL, 0}};
    }
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = body_on_chunk_header,
    .on_chunk_complete = body_on_chunk_complete,
    .on_body = body_on_data,
};

/* ---- the head -------------------------------------------------------------------------------- */

void parse_begin(struct exchange *exchange)
{
    struct http_request *request = &exchange->shared.request;
    llhttp_init(&exchange->parser, HTTP_REQUEST, &callbacks);
    exchange->parser.data = exchange;
    request->fields = exchange->fields;
    *current_field(exchange) = (struct http_field){{NULL, 0}, {NULL, 0}};
    lines_init_head(&exchange->lines, exchange->shared.engine->limits->request_line_bytes + 2);
}

static enum http_error error_of(const struct exchange *exchange, llhttp_errno_t code)
{
    switch (code) {
    case HPE_INVALID_URL:
        return HTTP_ERROR_BAD_TARGET;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
        return HTTP_ERROR_BAD_FRAMING;
    default:
        return exchange->raised != HTTP_OK ? exchange->raised : HTTP_ERROR_BAD_REQUEST;
    }
}

/* llhttp stops at the first byte that fits none of its methods and protocols, but whether that is
 * an unknown method, another version or neither takes the whole line. */
static bool needs_whole_line(llhttp_errno_t code)
{
    return code == HPE_INVALID_METHOD || code == HPE_INVALID_CONSTANT ||
           code == HPE_INVALID_VERSION;
}

/* Whether a carriage return in the request line is followed by something else than its line feed. */
static bool has_bare_return(const struct exchange *exchange)
{
    const size_t first = exchange->lines.first;
    const size_t length = first != 0 ? first : exchange->head_length;
    const char *bare = memchr(exchange->head, '\r', length);
    return bare != NULL && bare + 1 < exchange->head + length && bare[1] != '\n';
}

/* A line that does not start with a token needs not be waited for (TLS on this port, for one), nor
 * one with a carriage return within: its end may never come. */
static bool may_be_request_line(const struct exchange *exchange)
{
    const size_t length = token_span(exchange->head, exchange->head_length);
    return (length == exchange->head_length || (length > 0 && exchange->head[length] == ' ')) &&
           !has_bare_return(exchange);
}

/* Whether llhttp stopped within the request line. */
static bool stopped_in_line(const struct exchange *exchange)
{
    return exchange->lines.first == 0 ||
           llhttp_get_error_pos(&exchange->parser) < exchange->head + exchange->lines.first;
}

/* The method is a token of no known meaning. To get at the headers the parser is given a line it
 * knows in place of the client's. */
static llhttp_errno_t parse_after_line(struct exchange *exchange)
{
    static const char line[] = "GET / HTTP/1.1\r\n";
    const size_t first = exchange->lines.first;
    llhttp_init(&exchange->parser, HTTP_REQUEST, &callbacks);
    exchange->parser.data = exchange;
    exchange->unparsed = false;
    llhttp_execute(&exchange->parser, line, sizeof line - 1);
    return llhttp_execute(&exchange->parser, exchange->head + first, exchange->head_length - first);
}

static enum http_error judge_line(struct exchange *exchange, llhttp_errno_t *code)
{
    exchange->line_judged = true;
    const enum http_error error = policy_judge_line(exchange);
    if (error != HTTP_OK || !exchange->unparsed) {
        return error;
    }
    if (exchange->deferred == HTTP_OK) {
        return HTTP_ERROR_BAD_REQUEST; /* llhttp objected to what the judge takes: believe it */
    }
    *code = parse_after_line(exchange);
    return HTTP_OK;
}

/* Parses the last `length` bytes of what is in `head`. *code is HPE_OK or HPE_PAUSED, or the return
 * value tells what is wrong. */
static enum http_error parse_piece(struct exchange *exchange, size_t length, llhttp_errno_t *code)
{
    const char *piece = exchange->head + exchange->head_length - length;
    *code = exchange->unparsed ? HPE_OK : llhttp_execute(&exchange->parser, piece, length);
    if (*code != HPE_OK && *code != HPE_PAUSED && stopped_in_line(exchange)) {
        if (!needs_whole_line(*code)) {
            return error_of(exchange, *code);
        }
        exchange->unparsed = true;
        *code = HPE_OK;
    }
    if (exchange->unparsed && !may_be_request_line(exchange)) {
        return HTTP_ERROR_BAD_REQUEST;
    }
    if (exchange->lines.first != 0 && !exchange->line_judged) {
        const enum http_error error = judge_line(exchange, code);
        if (error != HTTP_OK) {
            exchange->deferred = HTTP_OK;
            return error;
        }
    }
    return *code == HPE_OK || *code == HPE_PAUSED ? HTTP_OK : error_of(exchange, *code);
}

/* What the end of the lines says once the parser has no objection. */
static enum http_error judge_lines(const struct exchange *exchange, enum lines_verdict verdict,
                                   llhttp_errno_t code, bool full)
{
    const char *end = exchange->head + exchange->head_length;
    switch (verdict) {
    case LINES_END:
        /* Both must see the end at the same byte. */
        return code == HPE_PAUSED && llhttp_get_error_pos(&exchange->parser) == end
                   ? HTTP_OK
                   : HTTP_ERROR_BAD_REQUEST;
    case LINES_LONG:
        return HTTP_ERROR_TARGET_TOO_LONG;
    case LINES_MALFORMED:
        return HTTP_ERROR_BAD_REQUEST;
    default:
        break;
    }
    if (code == HPE_PAUSED) {
        return HTTP_ERROR_BAD_REQUEST;
    }
    if (full) {
        return exchange->lines.first == 0 ? HTTP_ERROR_TARGET_TOO_LONG : HTTP_ERROR_HEAD_TOO_LARGE;
    }
    return HTTP_OK;
}

size_t parse_head(struct exchange *exchange, const char *bytes, size_t length,
                  enum parse_status *status)
{
    struct http_request *request = &exchange->shared.request;
    const size_t room = exchange->shared.engine->limits->head_bytes - request->head_bytes;
    enum lines_verdict verdict;
    llhttp_errno_t code;
    const size_t taken =
        lines_scan(&exchange->lines, bytes, length < room ? length : room, &verdict);
    memcpy(exchange->head + exchange->head_length, bytes, taken);
    exchange->head_length += taken;
    request->head_bytes += taken;
    enum http_error error = parse_piece(exchange, taken, &code);
    if (error == HTTP_OK) {
        error = judge_lines(exchange, verdict, code, length > room && taken == room);
    }
    if (error != HTTP_OK) {
        exchange->raised = exchange->deferred != HTTP_OK ? exchange->deferred : error;
        *status = PARSE_REFUSED;
    } else if (verdict == LINES_END) {
        llhttp_resume(&exchange->parser);
        *status = PARSE_DONE;
    } else {
        *status = PARSE_MORE;
    }
    return taken;
}
