/*
 * A cs(…) or sc(…) field names a header; which one is found out once, here. Those that the engine
 * indexes anyway cost nothing a request, others a search through the request's headers.
 */
#include "log_headers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http.h"

struct wanted_header {
    char name[128]; /* lower case; empty ends the list */
    int known;      /* enum http_known, or -1 */
    bool secret;    /* who has its value can do what its owner may */
};

struct log_headers {
    struct wanted_header request[TEL_ACCESS_HEADERS_MAX + 1];
    struct wanted_header response[TEL_ACCESS_HEADERS_MAX + 1];
};

static const char *const known_names[HTTP_KNOWNS] = {
    [HTTP_KNOWN_HOST] = "host",
    [HTTP_KNOWN_ACCEPT] = "accept",
    [HTTP_KNOWN_ACCEPT_ENCODING] = "accept-encoding",
    [HTTP_KNOWN_USER_AGENT] = "user-agent",
    [HTTP_KNOWN_TRACEPARENT] = "traceparent",
    [HTTP_KNOWN_TRACESTATE] = "tracestate",
    [HTTP_KNOWN_BAGGAGE] = "baggage",
    [HTTP_KNOWN_AUTHORIZATION] = "authorization",
    [HTTP_KNOWN_CONTENT_TYPE] = "content-type",
    [HTTP_KNOWN_EXPECT] = "expect",
    [HTTP_KNOWN_REFERER] = "referer",
};

static bool is_secret(enum tel_access_direction direction, const char *name)
{
    static const struct {
        enum tel_access_direction direction;
        const char *name;
    } secrets[] = {
        {TEL_ACCESS_REQUEST, "authorization"},
        {TEL_ACCESS_REQUEST, "proxy-authorization"},
        {TEL_ACCESS_REQUEST, "cookie"},
        {TEL_ACCESS_RESPONSE, "set-cookie"},
    };
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (secrets[i].direction == direction && strcmp(secrets[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void resolve(const struct tel_access_log *log, enum tel_access_direction direction,
                    struct wanted_header *wanted)
{
    const char *name;
    for (size_t i = 0; (name = tel_access_log_header(log, direction, i)) != NULL; i++) {
        for (size_t k = 0; k < sizeof(wanted[i].name) - 1 && name[k] != '\0'; k++) {
            wanted[i].name[k] = (char)tolower((unsigned char)name[k]);
        }
        wanted[i].secret = is_secret(direction, wanted[i].name);
        wanted[i].known = -1;
        for (int k = 0; k < HTTP_KNOWNS; k++) {
            if (strcmp(known_names[k], wanted[i].name) == 0) {
                wanted[i].known = k;
            }
        }
    }
}

struct log_headers *log_headers_create(const struct tel_access_log *log)
{
    struct log_headers *headers = calloc(1, sizeof(*headers));
    if (headers != NULL) {
        resolve(log, TEL_ACCESS_REQUEST, headers->request);
        resolve(log, TEL_ACCESS_RESPONSE, headers->response);
    }
    return headers;
}

void log_headers_destroy(struct log_headers *headers)
{
    free(headers);
}

static struct tel_text text_of(struct http_slice slice)
{
    return (struct tel_text){slice.data, slice.length};
}

static struct tel_text request_header(const struct http_request *request,
                                      const struct wanted_header *wanted)
{
    if (wanted->known >= 0) {
        const struct http_field *field = request->known[wanted->known];
        return field != NULL ? text_of(field->value) : (struct tel_text){NULL, 0};
    }
    return text_of(http_request_header(request, wanted->name));
}

static struct tel_text added_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->field_count; i++) {
        const struct http_field *field = &response->fields[i];
        if (field->name.length == strlen(name) &&
            strncasecmp(field->name.data, name, field->name.length) == 0) {
            return text_of(field->value);
        }
    }
    return (struct tel_text){NULL, 0};
}

/* Whether a status has content, and so its length or coding (RFC 9110, 15.3.5 and 15.4.5). */
static bool has_content(uint16_t status)
{
    return status != 204 && status != 304;
}

/* What the service added, Content-Type, and of the engine's own headers those that can be told
 * afterwards. Nothing was sent: nothing is told. */
static struct tel_text response_header(const struct http_exchange *http,
                                       const struct wanted_header *wanted,
                                       char content_length[LOG_HEADERS_NUMBER_BYTES])
{
    const struct http_response *response = &http->response;
    if (http->bytes_sent == 0) {
        return (struct tel_text){NULL, 0};
    }
    if (wanted->known == HTTP_KNOWN_CONTENT_TYPE) {
        return text_of(response->content_type);
    }
    if (strcmp(wanted->name, "transfer-encoding") == 0 && http->streamed &&
        http->request.minor_version > 0 && has_content(response->status)) {
        return (struct tel_text){"chunked", 7};
    }
    if (strcmp(wanted->name, "content-length") == 0 && !http->streamed &&
        has_content(response->status)) {
        int length =
            snprintf(content_length, LOG_HEADERS_NUMBER_BYTES, "%zu", response->body.length);
        return (struct tel_text){content_length, (size_t)length};
    }
    if (strcmp(wanted->name, "connection") == 0 && http->last) {
        return (struct tel_text){"close", 5};
    }
    return added_header(response, wanted->name);
}

void log_headers_fill(const struct log_headers *headers, const struct http_exchange *http,
                      char content_length[LOG_HEADERS_NUMBER_BYTES],
                      struct tel_access_record *record)
{
    for (size_t i = 0; headers->request[i].name[0] != '\0'; i++) {
        record->request_headers[i] = request_header(&http->request, &headers->request[i]);
    }
    for (size_t i = 0; headers->response[i].name[0] != '\0'; i++) {
        record->response_headers[i] = response_header(http, &headers->response[i], content_length);
    }
}

static void hide(const struct wanted_header *wanted, struct tel_text *values)
{
    for (size_t i = 0; wanted[i].name[0] != '\0'; i++) {
        if (wanted[i].secret && values[i].data != NULL) {
            values[i] = (struct tel_text){"REDACTED", sizeof("REDACTED") - 1};
        }
    }
}

void log_headers_redact(const struct log_headers *headers, struct tel_access_record *record)
{
    hide(headers->request, record->request_headers);
    hide(headers->response, record->response_headers);
}
