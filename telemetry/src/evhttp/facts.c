/*
 * What evhttp knows of a request, in the terms that the signals share. Read twice, at the opening
 * and at the end: strings belong to the request, and the program between may have changed headers.
 *
 * The version and the callbacks are read from the request's struct (event2/http_struct.h): libevent
 * 2.1 has no function that tells them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "evhttp/internal.h"

/* Semantic conventions' word for a method that is none of theirs. */
#define METHOD_OTHER "_OTHER"

const char *tel__evhttp_method(const struct evhttp_request *request)
{
    static const struct {
        enum evhttp_cmd_type type;
        const char *name;
    } methods[] = {{EVHTTP_REQ_GET, "GET"},       {EVHTTP_REQ_HEAD, "HEAD"},
                   {EVHTTP_REQ_POST, "POST"},     {EVHTTP_REQ_PUT, "PUT"},
                   {EVHTTP_REQ_DELETE, "DELETE"}, {EVHTTP_REQ_OPTIONS, "OPTIONS"},
                   {EVHTTP_REQ_TRACE, "TRACE"},   {EVHTTP_REQ_CONNECT, "CONNECT"},
                   {EVHTTP_REQ_PATCH, "PATCH"}};
    enum evhttp_cmd_type type = evhttp_request_get_command(request);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (methods[i].type == type) {
            return methods[i].name;
        }
    }
    return METHOD_OTHER;
}

const char *tel__evhttp_scheme(const struct tel__evhttp_exchange *exchange)
{
    struct bufferevent *bufferevent = evhttp_connection_get_bufferevent(exchange->connection);
    return bufferevent_openssl_get_ssl(bufferevent) != NULL ? "https" : "http";
}

/* Others would be labels without bound. */
static const char *version_of(const struct evhttp_request *request)
{
    if (request->major != 1 || request->minor < 0 || request->minor > 1) {
        return NULL;
    }
    return request->minor == 1 ? "1.1" : "1.0";
}

static struct tel_text text_of(const char *string)
{
    return (struct tel_text){string, string != NULL ? strlen(string) : 0};
}

/* A port behind the colon that follows the host in a Host header; 0: none, or none that can be. */
static uint16_t said_port(const char *header, size_t host_length)
{
    if (header == NULL || strlen(header) <= host_length || header[host_length] != ':') {
        return 0;
    }
    char *end;
    unsigned long port = strtoul(header + host_length + 1, &end, 10);
    return *end == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* What the client called us: by an absolute target, or by Host. */
static void read_host(struct tel__facts *facts, const struct tel__evhttp_exchange *exchange)
{
    struct evhttp_request *request = exchange->request;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *header = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
    bool is_absolute = evhttp_uri_get_host(uri) != NULL;
    struct tel_text host = text_of(evhttp_request_get_host(request));
    facts->host = is_absolute ? host : text_of(header);
    if (host.length == 0) {
        facts->server_port = tel__port_of((const struct sockaddr *)&exchange->local);
        return;
    }
    int port = is_absolute ? evhttp_uri_get_port(uri) : said_port(header, host.length);
    int usual = strcmp(facts->scheme, "https") == 0 ? 443 : 80;
    facts->server_port = (uint16_t)(port > 0 ? port : usual);
    bool bracketed = host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']';
    facts->server_address =
        (struct tel_text){host.data + bracketed, host.length - 2 * (size_t)bracketed};
}

void tel__facts_read(struct tel__facts *facts, const struct tel__evhttp_exchange *exchange)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(exchange->request);
    facts->method = tel__evhttp_method(exchange->request);
    facts->scheme = tel__evhttp_scheme(exchange);
    facts->version = version_of(exchange->request);
    facts->path = text_of(evhttp_uri_get_path(uri));
    facts->query = text_of(evhttp_uri_get_query(uri));
    facts->query.data = tel_query_redact(facts->query.data, &facts->query.length, facts->redacted);
    facts->server_address = (struct tel_text){NULL, 0};
    read_host(facts, exchange);
    facts->peer = evhttp_connection_get_addr(exchange->connection);
}

uint64_t tel__evhttp_request_bytes(struct evhttp_request *request)
{
    static const char rest_of_line[] = "  HTTP/1.1\r\n";
    uint64_t bytes = strlen(tel__evhttp_method(request)) + strlen(evhttp_request_get_uri(request)) +
                     strlen(rest_of_line);
    const struct evkeyval *header = evhttp_request_get_input_headers(request)->tqh_first;
    for (; header != NULL; header = header->next.tqe_next) {
        bytes += strlen(header->key) + strlen(": ") + strlen(header->value) + strlen("\r\n");
    }
    return bytes + strlen("\r\n") + evbuffer_get_length(evhttp_request_get_input_buffer(request));
}

size_t tel__host_format(const struct sockaddr *address, char out[TEL__HOST_MAX])
{
    const void *bytes = NULL;
    int family = address != NULL ? address->sa_family : AF_UNSPEC;
    out[0] = '\0';
    if (family == AF_INET) {
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *in6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(in6);
        family = mapped ? AF_INET : AF_INET6;
        bytes = mapped ? in6->s6_addr + 12 : in6->s6_addr;
    }
    return bytes != NULL && inet_ntop(family, bytes, out, TEL__HOST_MAX) != NULL ? strlen(out) : 0;
}

uint16_t tel__port_of(const struct sockaddr *address)
{
    int family = address != NULL ? address->sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    }
    if (family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    }
    return 0;
}
