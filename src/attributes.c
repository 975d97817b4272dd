/*
 * Who puts what: a line an attribute, in the order request, ends of the connection, outcome.
 */
#include "attributes.h"

#include <string.h>

#include "authority.h"

#define HTTP_PORT 80 /* of the scheme */

/* ---- where they go ----------------------------------------------------------------------------- */

static void list(struct attributes *attributes, struct tel_attribute attribute)
{
    if (attributes->count < ATTRIBUTES_MAX) {
        attributes->list[attributes->count++] = attribute;
    }
}

void attributes_put_text(struct attributes *attributes, const char *key, const char *value,
                         size_t length)
{
    if (attributes->span != NULL) {
        tel_span_set_string(attributes->span, key, value, length);
        return;
    }
    list(attributes, (struct tel_attribute){
                         .key = key, .type = TEL_VALUE_STRING, .value.string = {value, length}});
}

void attributes_put_int(struct attributes *attributes, const char *key, int64_t value)
{
    if (attributes->span != NULL) {
        tel_span_set_int(attributes->span, key, value);
        return;
    }
    list(attributes,
         (struct tel_attribute){.key = key, .type = TEL_VALUE_INT, .value.integer = value});
}

void attributes_put_double(struct attributes *attributes, const char *key, double value)
{
    if (attributes->span != NULL) {
        tel_span_set_double(attributes->span, key, value);
        return;
    }
    list(attributes,
         (struct tel_attribute){.key = key, .type = TEL_VALUE_DOUBLE, .value.real = value});
}

/* One that is not there is left out. */
static void put_slice(struct attributes *to, const char *key, struct http_slice slice)
{
    if (slice.data != NULL) {
        attributes_put_text(to, key, slice.data, slice.length);
    }
}

static void put_text(struct attributes *to, const char *key, const char *text)
{
    attributes_put_text(to, key, text, strlen(text));
}

/* ---- what they are ----------------------------------------------------------------------------- */

/* The name of a known method is what the client sent. */
static void put_method(struct attributes *to, const struct http_request *request)
{
    if (request->method > HTTP_METHOD_OTHER) {
        put_slice(to, "http.request.method", request->method_text);
        return;
    }
    put_text(to, "http.request.method", http_method_name(request->method));
    if (request->method == HTTP_METHOD_OTHER) {
        put_slice(to, "http.request.method_original", request->method_text);
    }
}

static void put_request(struct attributes *to, const struct http_request *request,
                        struct http_slice query)
{
    put_method(to, request);
    put_text(to, "url.scheme", "http");
    put_slice(to, "url.path", request->path);
    put_slice(to, "url.query", query);
    if (request->minor_version >= 0) {
        put_text(to, "network.protocol.version", request->minor_version == 0 ? "1.0" : "1.1");
    }
    if (request->known[HTTP_KNOWN_USER_AGENT] != NULL) {
        put_slice(to, "user_agent.original", request->known[HTTP_KNOWN_USER_AGENT]->value);
    }
}

/* server.address and server.port: what the client called us (without a port it means the scheme's),
 * else the local address. */
static void put_server(struct attributes *to, struct http_exchange *http)
{
    uint16_t port;
    struct http_slice host = authority_split(http->request.authority, &port);
    if (host.length > 0) {
        port = port != 0 ? port : HTTP_PORT;
    } else {
        const struct sockaddr *local = http_exchange_local(http);
        host = (struct http_slice){to->server, peer_format_host(local, to->server)};
        port = peer_port(local);
    }
    put_slice(to, "server.address", host);
    attributes_put_int(to, "server.port", port);
}

static void put_peer(struct attributes *to, const struct sockaddr *peer)
{
    size_t length = peer_format_host(peer, to->peer);
    attributes_put_text(to, "client.address", to->peer, length);
    attributes_put_text(to, "network.peer.address", to->peer, length);
    attributes_put_int(to, "network.peer.port", peer_port(peer));
}

void attributes_put_exchange(struct attributes *attributes, const struct exchange *exchange,
                             uint16_t status, struct http_slice query)
{
    struct http_exchange *http = exchange->http;
    put_request(attributes, &http->request, query);
    put_server(attributes, http);
    put_peer(attributes, http_exchange_peer(http));
    if (exchange->route->path != NULL) {
        attributes_put_text(attributes, "http.route", exchange->route->path,
                            exchange->route->path_length);
    }
    if (status != 0) {
        attributes_put_int(attributes, "http.response.status_code", status);
    }
    if (exchange->error_type != NULL) {
        put_text(attributes, "error.type", exchange->error_type);
    }
}
