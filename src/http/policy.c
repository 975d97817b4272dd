/*
 * What RFC 9112 asks of a server and llhttp leaves to it.
 *
 * Two judges, each called once: one for the request line, one for the complete head. They fill in
 * the request as they go, so that what is refused is still logged with what was understood of it.
 * The line's judge reads the bytes itself: llhttp takes RTSP and ICE, HTTP/0.9, several spaces, and
 * says the same of an unknown method and of a malformed one. An unknown method and CONNECT are
 * errors that can wait for the end of the head: then they are told with the caller's trace context
 * and in the form it accepts.
 *
 * Invariant: the verdict depends on the bytes only, never on how they were cut into pieces.
 *
 * To add a rule: a function that returns an enum http_error, and its place in `head_rules`; the
 * first that objects decides.
 */
#include <string.h>

#include "http/internal.h"
#include "http/target.h"

/* ---- the request line ------------------------------------------------------------------------ */

/* 0 or 1 for HTTP/1.0 and HTTP/1.1; *error otherwise. HTTP/1.10 is a version too, but not ours. */
static int judge_version(struct http_slice text, enum http_error *error)
{
    *error = HTTP_ERROR_BAD_REQUEST;
    if (text.length < 8 || memcmp(text.data, "HTTP/", 5) != 0) {
        return -1;
    }
    if (text.length == 8 && memcmp(text.data + 5, "1.", 2) == 0 &&
        (text.data[7] == '0' || text.data[7] == '1')) {
        *error = HTTP_OK;
        return text.data[7] - '0';
    }
    size_t digits[2] = {0, 0};
    size_t part = 0;
    for (size_t at = 5; at < text.length; at++) {
        if (text.data[at] == '.' && part == 0) {
            part = 1;
        } else if (text.data[at] >= '0' && text.data[at] <= '9') {
            digits[part]++;
        } else {
            return -1;
        }
    }
    *error = digits[0] > 0 && digits[1] > 0 ? HTTP_ERROR_BAD_VERSION : HTTP_ERROR_BAD_REQUEST;
    return -1;
}

/* Whether every byte may stand in a target; asked only where llhttp has not looked. */
static bool is_visible(struct http_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return text.length > 0;
}

static enum http_error judge_target(struct exchange *exchange)
{
    struct http_request *request = &exchange->shared.request;
    struct target target;
    if (!target_parse(request->target, request->method, &target)) {
        /* What target form an unknown method takes is unknown too. */
        const bool unknown = request->method == HTTP_METHOD_OTHER && is_visible(request->target);
        return unknown ? HTTP_OK : HTTP_ERROR_BAD_TARGET;
    }
    request->path = target.path;
    request->query = target.query;
    request->authority = target.authority;
    return HTTP_OK;
}

static enum http_error judge_method(const struct http_request *request)
{
    return request->method == HTTP_METHOD_OTHER     ? HTTP_ERROR_UNKNOWN_METHOD
           : request->method == HTTP_METHOD_CONNECT ? HTTP_ERROR_METHOD_REFUSED
                                                    : HTTP_OK;
}

static void take_method(struct http_request *request, const char *bytes, size_t length)
{
    request->method_text = (struct http_slice){bytes, length};
    request->method = request_method(request->method_text);
}

void policy_salvage_line(struct exchange *exchange)
{
    struct http_request *request = &exchange->shared.request;
    if (!exchange->head_judged) {
        request->field_count = 0; /* how many were seen depends on the pieces they came in */
    }
    const size_t length = token_span(exchange->head, exchange->head_length);
    if (request->method == HTTP_METHOD_NONE && length > 0 && length < exchange->head_length &&
        exchange->head[length] == ' ') {
        take_method(request, exchange->head, length);
    }
}

/* method SP target SP version, no more and no less. */
enum http_error policy_judge_line(struct exchange *exchange)
{
    struct http_request *request = &exchange->shared.request;
    const char *line = exchange->head;
    const char *end = line + exchange->lines.first - 2;
    const char *target = memchr(line, ' ', (size_t)(end - line));
    if (target == NULL || token_span(line, (size_t)(target - line)) != (size_t)(target - line) ||
        target == line) {
        return HTTP_ERROR_BAD_REQUEST;
    }
    take_method(request, line, (size_t)(target - line));
    target++;
    const char *version = memchr(target, ' ', (size_t)(end - target));
    if (version == NULL || version == target) {
        return HTTP_ERROR_BAD_REQUEST;
    }
    request->target = (struct http_slice){target, (size_t)(version - target)};
    version++;
    enum http_error error;
    request->minor_version =
        judge_version((struct http_slice){version, (size_t)(end - version)}, &error);
    if (error == HTTP_OK) {
        error = judge_target(exchange);
    }
    exchange->deferred = judge_method(request);
    return error;
}

/* ---- the head -------------------------------------------------------------------------------- */

/* What the rules look at, gathered in one pass over the headers. */
struct head {
    bool has_transfer_encoding;
    size_t codings; /* transfer codings named */
    bool last_is_chunked;
    size_t chunked; /* of these, `chunked` */
    bool close;     /* connection options */
    bool keep_alive;
    bool other_expectation;
    bool empty_name;
};

static void note_connection(struct head *head, struct http_slice value)
{
    struct http_slice option;
    while (request_list_next(&value, &option)) {
        head->close |= slice_is(option, "close");
        head->keep_alive |= slice_is(option, "keep-alive");
    }
}

static void note_transfer_encoding(struct head *head, struct http_slice value)
{
    struct http_slice coding;
    head->has_transfer_encoding = true;
    while (request_list_next(&value, &coding)) {
        head->last_is_chunked = slice_is(coding, "chunked");
        head->codings++;
        head->chunked += head->last_is_chunked;
    }
}

static void note_expect(struct exchange *exchange, struct head *head, struct http_slice value)
{
    struct http_slice expectation;
    while (request_list_next(&value, &expectation)) {
        const bool is_continue = slice_is(expectation, "100-continue");
        exchange->expects_continue |= is_continue;
        head->other_expectation |= !is_continue;
    }
}

static void trim_end(struct http_slice *value)
{
    while (value->length > 0 &&
           (value->data[value->length - 1] == ' ' || value->data[value->length - 1] == '\t')) {
        value->length--;
    }
}

static void note_field(struct exchange *exchange, struct head *head, struct http_field *field)
{
    struct http_request *request = &exchange->shared.request;
    trim_end(&field->value);
    head->empty_name |= field->name.length == 0;
    const int number = request_header_number(field->name);
    if (number < HTTP_KNOWNS) {
        if (request->known_count[number]++ == 0) {
            request->known[number] = field;
        }
        if (number == HTTP_KNOWN_EXPECT) {
            note_expect(exchange, head, field->value);
        }
    } else if (number == HEADER_CONNECTION) {
        note_connection(head, field->value);
    } else if (number == HEADER_TRANSFER_ENCODING) {
        note_transfer_encoding(head, field->value);
    }
}

static enum http_error rule_names(struct exchange *exchange, const struct head *head)
{
    (void)exchange;
    return head->empty_name ? HTTP_ERROR_BAD_REQUEST : HTTP_OK;
}

/* RFC 9112, 3.2: exactly one from HTTP/1.1 on; an empty one is what a target without an authority
 * has. An absolute target's authority has been judged with it, and wins. */
static enum http_error rule_host(struct exchange *exchange, const struct head *head)
{
    (void)head;
    struct http_request *request = &exchange->shared.request;
    const unsigned count = request->known_count[HTTP_KNOWN_HOST];
    if (count == 0) {
        return request->minor_version == 0 ? HTTP_OK : HTTP_ERROR_BAD_HOST;
    }
    const struct http_slice host = request->known[HTTP_KNOWN_HOST]->value;
    if (count > 1 || (host.length > 0 && !host_is_valid(host))) {
        return HTTP_ERROR_BAD_HOST;
    }
    if (request->authority.data == NULL) {
        request->authority = host;
    }
    return HTTP_OK;
}

/* RFC 9112, 6.1 and 6.3. llhttp must have come to the same view of the framing: where two readers
 * of the same bytes differ, a request can be smuggled past one of them. */
static enum http_error rule_transfer_encoding(struct exchange *exchange, const struct head *head)
{
    const unsigned flags = exchange->parser.flags;
    if (!head->has_transfer_encoding) {
        return (flags & (F_CHUNKED | F_TRANSFER_ENCODING)) != 0 ? HTTP_ERROR_BAD_FRAMING : HTTP_OK;
    }
    if (exchange->shared.request.minor_version == 0 || !head->last_is_chunked ||
        head->chunked != 1 || (flags & F_CONTENT_LENGTH) != 0 || (flags & F_CHUNKED) == 0) {
        return HTTP_ERROR_BAD_FRAMING;
    }
    if (head->codings != 1) {
        return HTTP_ERROR_UNKNOWN_CODING;
    }
    exchange->framing = FRAMING_CHUNKED;
    return HTTP_OK;
}

static enum http_error rule_content_length(struct exchange *exchange, const struct head *head)
{
    (void)head;
    const uint64_t length = exchange->parser.content_length;
    if ((exchange->parser.flags & F_CONTENT_LENGTH) == 0 || length == 0) {
        return HTTP_OK;
    }
    exchange->framing = FRAMING_LENGTH;
    exchange->remaining = length;
    const uint64_t limit = exchange->shared.engine->limits->body_bytes;
    return length > limit ? HTTP_ERROR_BODY_TOO_LARGE : HTTP_OK;
}

/* RFC 9110, 10.1.1: an HTTP/1.0 client's expectation must be ignored. */
static enum http_error rule_expect(struct exchange *exchange, const struct head *head)
{
    if (exchange->shared.request.minor_version == 0) {
        exchange->expects_continue = false;
        return HTTP_OK;
    }
    return head->other_expectation ? HTTP_ERROR_EXPECTATION_FAILED : HTTP_OK;
}

typedef enum http_error rule_fn(struct exchange *exchange, const struct head *head);
static rule_fn *const head_rules[] = {
    rule_names, rule_host, rule_transfer_encoding, rule_content_length, rule_expect,
};

enum http_error policy_judge_head(struct exchange *exchange)
{
    struct http_request *request = &exchange->shared.request;
    struct head head = {0};
    exchange->head_judged = true;
    for (size_t i = 0; i < request->field_count; i++) {
        note_field(exchange, &head, &request->fields[i]);
    }
    exchange->keep_alive = !head.close && (request->minor_version == 1 || head.keep_alive);
    enum http_error error = HTTP_OK;
    for (size_t i = 0; i < sizeof head_rules / sizeof head_rules[0] && error == HTTP_OK; i++) {
        error = head_rules[i](exchange, &head);
    }
    return exchange->deferred != HTTP_OK ? exchange->deferred : error;
}
