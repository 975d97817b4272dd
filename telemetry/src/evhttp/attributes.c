/*
 * The attributes of a request by the names of the semantic conventions: its span has them, and so has
 * its log record. An attribute is a line here.
 *
 * Source: OpenTelemetry semantic conventions 1.44, http/http-spans (server).
 */
#include <event2/http.h>
#include <string.h>

#include "evhttp/internal.h"

static void add(struct tel__attributes *list, struct tel_attribute attribute)
{
    if (list->count < TEL__ATTRIBUTES_MAX) {
        list->items[list->count++] = attribute;
    }
}

/* One that is not there is left out. */
static void add_text(struct tel__attributes *list, const char *key, struct tel_text text)
{
    if (text.length > 0) {
        add(list, (struct tel_attribute){.key = key,
                                         .type = TEL_VALUE_STRING,
                                         .value.string = {text.data, text.length}});
    }
}

static void add_string(struct tel__attributes *list, const char *key, const char *string)
{
    add_text(list, key, (struct tel_text){string, string != NULL ? strlen(string) : 0});
}

void tel__attributes_add_int(struct tel__attributes *list, const char *key, int64_t value)
{
    add(list, (struct tel_attribute){.key = key, .type = TEL_VALUE_INT, .value.integer = value});
}

void tel__attributes_add_double(struct tel__attributes *list, const char *key, double value)
{
    add(list, (struct tel_attribute){.key = key, .type = TEL_VALUE_DOUBLE, .value.real = value});
}

/* What the client called us, else where it came to. */
static void add_server(struct tel__attributes *list, const struct tel__evhttp_exchange *exchange,
                       const struct tel__facts *facts)
{
    struct tel_text address = facts->server_address;
    if (address.length == 0) {
        address.data = list->server;
        address.length = tel__host_format((const struct sockaddr *)&exchange->local, list->server);
    }
    add_text(list, "server.address", address);
    if (facts->server_port != 0) {
        tel__attributes_add_int(list, "server.port", facts->server_port);
    }
}

void tel__attributes_add_request(struct tel__attributes *list,
                                 const struct tel__evhttp_exchange *exchange,
                                 const struct tel__facts *facts)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(exchange->request);
    add_string(list, "http.request.method", facts->method);
    add_string(list, "url.scheme", facts->scheme);
    add_text(list, "url.path", facts->path);
    add_text(list, "url.query", facts->query);
    add_string(list, "network.protocol.version", facts->version);
    add_string(list, "user_agent.original", evhttp_find_header(headers, "User-Agent"));
    add_server(list, exchange, facts);
    struct tel_text peer = {list->peer, tel__host_format(facts->peer, list->peer)};
    add_text(list, "client.address", peer);
    add_text(list, "network.peer.address", peer);
    if (peer.length > 0) {
        tel__attributes_add_int(list, "network.peer.port", tel__port_of(facts->peer));
    }
}

void tel__attributes_add_outcome(struct tel__attributes *list,
                                 const struct tel__evhttp_exchange *exchange,
                                 const struct tel__ending *ending)
{
    add_string(list, "http.route", exchange->route);
    if (ending->status != 0) {
        tel__attributes_add_int(list, "http.response.status_code", ending->status);
    }
    add_string(list, "error.type", ending->error_type);
}

void tel__attributes_set(const struct tel__attributes *list, struct tel_span *span)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct tel_attribute *item = &list->items[i];
        if (item->type == TEL_VALUE_INT) {
            tel_span_set_int(span, item->key, item->value.integer);
        } else {
            tel_span_set_string(span, item->key, item->value.string.data,
                                item->value.string.length);
        }
    }
}
