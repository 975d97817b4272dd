/*
 * Who puts what: a line an attribute, in the order request, ends of the connection, outcome, faults.
 */
#include "attributes.h"

#include <assert.h>
#include <string.h>

#include "authority.h"

#define HTTP_PORT 80 /* of the scheme */

/* Inlined into the two entries, where it is a constant which of them it is: the request path pays
 * for no choice. */
#define FOLDED static inline __attribute__((always_inline))

/* ---- where they go ----------------------------------------------------------------------------- */

/* A span, or a list. */
struct target {
    struct tel_span *span;
    struct attributes *list;
};

static void append(struct attributes *list, struct tel_attribute attribute)
{
    assert(list != NULL); /* a target is a span or a list */
    if (list->count < ATTRIBUTES_MAX) {
        list->items[list->count++] = attribute;
    }
}

void attributes_add_int(struct attributes *list, const char *key, int64_t value)
{
    append(list, (struct tel_attribute){.key = key, .type = TEL_VALUE_INT, .value.integer = value});
}

void attributes_add_double(struct attributes *list, const char *key, double value)
{
    append(list, (struct tel_attribute){.key = key, .type = TEL_VALUE_DOUBLE, .value.real = value});
}

FOLDED void put_int(struct target to, const char *key, int64_t value)
{
    if (to.span != NULL) {
        tel_span_set_int(to.span, key, value);
    } else {
        attributes_add_int(to.list, key, value);
    }
}

FOLDED void put_double(struct target to, const char *key, double value)
{
    if (to.span != NULL) {
        tel_span_set_double(to.span, key, value);
    } else {
        attributes_add_double(to.list, key, value);
    }
}

FOLDED void put_bytes(struct target to, const char *key, const char *value, size_t length)
{
    if (to.span != NULL) {
        tel_span_set_string(to.span, key, value, length);
    } else {
        append(to.list, (struct tel_attribute){
                            .key = key, .type = TEL_VALUE_STRING, .value.string = {value, length}});
    }
}

/* One that is not there is left out. */
FOLDED void put_slice(struct target to, const char *key, struct http_slice slice)
{
    if (slice.data != NULL) {
        put_bytes(to, key, slice.data, slice.length);
    }
}

FOLDED void put_text(struct target to, const char *key, const char *text)
{
    put_bytes(to, key, text, strlen(text));
}

/* ---- what they are ----------------------------------------------------------------------------- */

/* The name of a known method is what the client sent. */
FOLDED void put_method(struct target to, const struct http_request *request)
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

FOLDED void put_request(struct target to, const struct http_request *request,
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
FOLDED void put_server(struct target to, struct http_exchange *http, char text[PEER_HOST_BYTES])
{
    uint16_t port;
    struct http_slice host = authority_split(http->request.authority, &port);
    if (host.length > 0) {
        port = port != 0 ? port : HTTP_PORT;
    } else {
        const struct sockaddr *local = http_exchange_local(http);
        host = (struct http_slice){text, peer_format_host(local, text)};
        port = peer_port(local);
    }
    put_slice(to, "server.address", host);
    put_int(to, "server.port", port);
}

FOLDED void put_peer(struct target to, const struct sockaddr *peer, char text[PEER_HOST_BYTES])
{
    size_t length = peer_format_host(peer, text);
    put_bytes(to, "client.address", text, length);
    put_bytes(to, "network.peer.address", text, length);
    put_int(to, "network.peer.port", peer_port(peer));
}

FOLDED void put_outcome(struct target to, const struct exchange *exchange, uint16_t status)
{
    if (exchange->route->path != NULL) {
        put_bytes(to, "http.route", exchange->route->path, exchange->route->path_length);
    }
    if (status != 0) {
        put_int(to, "http.response.status_code", status);
    }
    if (exchange->error_type != NULL) {
        put_text(to, "error.type", exchange->error_type);
    }
}

/* What a fault plan did to it: out of line, and out of the way of all others. */
static __attribute__((noinline, cold)) void put_fault(struct target to,
                                                      const struct fault_mark *fault)
{
    put_text(to, "glassbox.fault.kinds", fault->text);
    put_int(to, "glassbox.fault.n", (int64_t)fault->n);
    if (fault->plan[0] != '\0') {
        put_text(to, "glassbox.fault.plan", fault->plan);
    }
    if ((fault->kinds & 1u << FAULT_LATENCY) != 0) {
        put_double(to, "glassbox.fault.delay_ms", (double)fault->delay_ns / 1e6);
    }
    if ((fault->kinds & 1u << FAULT_CPU) != 0) {
        put_double(to, "glassbox.fault.cpu_ms", (double)fault->cpu_ns / 1e6);
    }
    if ((fault->kinds & 1u << FAULT_ERROR) != 0) {
        put_int(to, "glassbox.fault.status", fault->status);
    }
}

void attributes_set(struct tel_span *span, const struct exchange *exchange, uint16_t status,
                    struct http_slice query)
{
    const struct target to = {.span = span};
    char server[PEER_HOST_BYTES];
    char peer[PEER_HOST_BYTES];
    put_request(to, &exchange->http->request, query);
    put_server(to, exchange->http, server);
    put_peer(to, http_exchange_peer(exchange->http), peer);
    put_outcome(to, exchange, status);
    if (__builtin_expect(exchange->fault.kinds != 0, 0)) {
        put_fault(to, &exchange->fault);
    }
}

void attributes_list(struct attributes *list, const struct exchange *exchange, uint16_t status,
                     struct http_slice query)
{
    const struct target to = {.list = list};
    list->count = 0;
    put_request(to, &exchange->http->request, query);
    put_server(to, exchange->http, list->server);
    put_peer(to, http_exchange_peer(exchange->http), list->peer);
    put_outcome(to, exchange, status);
    if (__builtin_expect(exchange->fault.kinds != 0, 0)) {
        put_fault(to, &exchange->fault);
    }
}
