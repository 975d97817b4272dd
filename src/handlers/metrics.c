/*
 * GET /metrics: the exposition in the format and coding that the scraper asked for. Both buffers are
 * the site's and keep their memory, so a scrape allocates nothing once warm.
 */
#include "telemetry/metrics.h"
#include "exchange.h"
#include "handlers/handlers.h"
#include "service.h"
#include "telemetry/gzip.h"

static struct http_slice header(const struct http_request *request, enum http_known known)
{
    return request->known[known] != NULL ? request->known[known]->value
                                         : (struct http_slice){NULL, 0};
}

void handle_metrics(struct exchange *exchange)
{
    struct http_exchange *http = exchange->http;
    struct site *site = exchange->site;
    struct http_slice accept = header(&http->request, HTTP_KNOWN_ACCEPT);
    enum tel_exposition_format format = tel_exposition_negotiate(accept.data, accept.length);
    const struct tel_buffer *body = &site->body;
    tel_buffer_clear(&site->body);
    if (tel_registry_expose(site->service->registry, format, &site->body) != 0) {
        exchange_problem(exchange, 503, "no memory for the exposition");
        return;
    }
    const struct iovec plain = {site->body.data, site->body.length};
    http_response_add(&http->response, "Vary", "Accept, Accept-Encoding", 23);
    struct http_slice codings = header(&http->request, HTTP_KNOWN_ACCEPT_ENCODING);
    if (tel_exposition_accepts_gzip(codings.data, codings.length) &&
        tel_gzip(&plain, 1, &site->packed) == 0) {
        http_response_add(&http->response, "Content-Encoding", "gzip", 4);
        body = &site->packed;
    }
    exchange_reply(exchange, 200, tel_exposition_content_type(format), body->data, body->length);
}
