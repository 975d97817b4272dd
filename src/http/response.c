/*
 * A response head as bytes.
 *
 * The size is known before a byte is written, so room is made once and the writing itself looks at
 * nothing: no append can fail half way. The order is fixed: status line, Date, Content-Type,
 * Content-Length or Transfer-Encoding, the service's fields, Connection.
 *
 * Source: RFC 9110, 6.6.1 (Date), 8.6 (Content-Length), 9.3.2 (HEAD), 15.3.5, 15.4.5 (no content);
 * RFC 9112, 4 (the status line), 6.1 (Transfer-Encoding), 9.3 (persistence, HTTP/1.0).
 */
#include <assert.h>
#include <string.h>

#include "http/internal.h"

#define STATUS_MIN 100u
#define STATUS_MAX 600u

#define LINE(status, reason)                                        \
    [(status)-STATUS_MIN] = {"HTTP/1.1 " #status " " reason "\r\n", \
                             sizeof("HTTP/1.1 " #status " " reason "\r\n") - 1}

static const struct http_slice status_lines[STATUS_MAX - STATUS_MIN] = {
    LINE(200, "OK"),
    LINE(201, "Created"),
    LINE(202, "Accepted"),
    LINE(203, "Non-Authoritative Information"),
    LINE(204, "No Content"),
    LINE(205, "Reset Content"),
    LINE(206, "Partial Content"),
    LINE(300, "Multiple Choices"),
    LINE(301, "Moved Permanently"),
    LINE(302, "Found"),
    LINE(303, "See Other"),
    LINE(304, "Not Modified"),
    LINE(307, "Temporary Redirect"),
    LINE(308, "Permanent Redirect"),
    LINE(400, "Bad Request"),
    LINE(401, "Unauthorized"),
    LINE(402, "Payment Required"),
    LINE(403, "Forbidden"),
    LINE(404, "Not Found"),
    LINE(405, "Method Not Allowed"),
    LINE(406, "Not Acceptable"),
    LINE(407, "Proxy Authentication Required"),
    LINE(408, "Request Timeout"),
    LINE(409, "Conflict"),
    LINE(410, "Gone"),
    LINE(411, "Length Required"),
    LINE(412, "Precondition Failed"),
    LINE(413, "Content Too Large"),
    LINE(414, "URI Too Long"),
    LINE(415, "Unsupported Media Type"),
    LINE(416, "Range Not Satisfiable"),
    LINE(417, "Expectation Failed"),
    LINE(418, "I'm a teapot"),
    LINE(421, "Misdirected Request"),
    LINE(422, "Unprocessable Content"),
    LINE(425, "Too Early"),
    LINE(426, "Upgrade Required"),
    LINE(428, "Precondition Required"),
    LINE(429, "Too Many Requests"),
    LINE(431, "Request Header Fields Too Large"),
    LINE(451, "Unavailable For Legal Reasons"),
    LINE(500, "Internal Server Error"),
    LINE(501, "Not Implemented"),
    LINE(502, "Bad Gateway"),
    LINE(503, "Service Unavailable"),
    LINE(504, "Gateway Timeout"),
    LINE(505, "HTTP Version Not Supported"),
    LINE(507, "Insufficient Storage"),
    LINE(511, "Network Authentication Required"),
};

#define REASON_AT 13u  /* after "HTTP/1.1 200 " */
#define FIXED_MAX 256u /* all of a head that is not the service's */

static const struct http_slice *status_line(uint16_t status)
{
    static const struct http_slice none = {NULL, 0};
    const unsigned index = status - STATUS_MIN; /* below the range it wraps to above it */
    return index < STATUS_MAX - STATUS_MIN ? &status_lines[index] : &none;
}

struct http_slice http_reason(uint16_t status)
{
    const struct http_slice *line = status_line(status);
    if (line->data == NULL) {
        return *line;
    }
    return (struct http_slice){line->data + REASON_AT, line->length - REASON_AT - 2};
}

void http_response_add(struct http_response *response, const char *name, const char *value,
                       size_t length)
{
    const bool fits = response->field_count < HTTP_RESPONSE_HEADERS_MAX;
    assert(fits);
    /* A line end in a value would let whoever supplied it write headers, or a response. */
    if (!fits || memchr(value, '\n', length) != NULL || memchr(value, '\r', length) != NULL ||
        memchr(value, '\0', length) != NULL) {
        return;
    }
    response->fields[response->field_count++] =
        (struct http_field){.name = {name, strlen(name)}, .value = {value, length}};
}

static bool may_have_content(uint16_t status)
{
    return status >= 200 && status != 204 && status != 205 && status != 304;
}

void response_check_status(struct http_response *response)
{
    if (response->status < 200 || response->status > 999) {
        response->status = 500;
    }
}

bool response_may_have_content(const struct http_exchange *exchange)
{
    return exchange->request.method != HTTP_METHOD_HEAD &&
           may_have_content(exchange->response.status);
}

bool response_has_body(const struct http_exchange *exchange)
{
    return response_may_have_content(exchange) && exchange->response.body.length > 0;
}

/* ---- writing: each takes where to write and returns where to go on --------------------------- */

static char *put(char *at, const char *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static char *put_slice(char *at, struct http_slice slice)
{
    return slice.length > 0 ? put(at, slice.data, slice.length) : at;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(at, digits + first, sizeof digits - first);
}

static char *put_status_line(char *at, uint16_t status)
{
    const struct http_slice *line = status_line(status);
    if (line->data != NULL) {
        return put_slice(at, *line);
    }
    at = PUT(at, "HTTP/1.1 ");
    at = put_number(at, status);
    return PUT(at, " \r\n"); /* the space stays when there is no reason */
}

static char *put_field(char *at, struct http_slice name, struct http_slice value)
{
    at = put_slice(at, name);
    at = PUT(at, ": ");
    at = put_slice(at, value);
    return PUT(at, "\r\n");
}

/* A stream's end is a chunk of its own, or, to HTTP/1.0, the connection's. */
static char *put_content(char *at, const struct http_exchange *exchange)
{
    const struct http_response *response = &exchange->response;
    if (response->content_type.data != NULL) {
        at = put_field(at, (struct http_slice){"Content-Type", 12}, response->content_type);
    }
    if (exchange->streamed) {
        return exchange->request.minor_version != 0 && may_have_content(response->status)
                   ? PUT(at, "Transfer-Encoding: chunked\r\n")
                   : at;
    }
    if (may_have_content(response->status) || response->status == 205) {
        at = PUT(at, "Content-Length: ");
        at = put_number(at, response->status == 205 ? 0 : response->body.length);
        at = PUT(at, "\r\n");
    }
    return at;
}

static size_t head_bound(const struct http_response *response)
{
    size_t bound = FIXED_MAX + response->content_type.length;
    for (size_t i = 0; i < response->field_count; i++) {
        bound += response->fields[i].name.length + response->fields[i].value.length + 4;
    }
    return bound;
}

int response_append_head(struct tel_buffer *out, const struct http_exchange *exchange,
                         const char *date)
{
    const struct http_response *response = &exchange->response;
    if (tel_buffer_reserve(out, head_bound(response)) != 0) {
        return out->error;
    }
    char *at = out->data + out->length;
    at = put_status_line(at, response->status);
    at = put(at, date, HTTP_DATE_LENGTH);
    at = put_content(at, exchange);
    for (size_t i = 0; i < response->field_count; i++) {
        at = put_field(at, response->fields[i].name, response->fields[i].value);
    }
    if (exchange->last) {
        at = PUT(at, "Connection: close\r\n");
    } else if (exchange->request.minor_version == 0) {
        at = PUT(at, "Connection: keep-alive\r\n");
    }
    at = PUT(at, "\r\n");
    out->length = (size_t)(at - out->data);
    return 0;
}
