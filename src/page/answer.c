/*
 * The page as an answer, and who gets it.
 *
 * A browser says text/html at full quality and the rest with less, curl says that all is the same: the
 * page is for who prefers it, so nobody who read JSON here before gets something else.
 */
#include <string.h>

#include "accept.h"
#include "exchange.h"
#include "page/document.h"
#include "page/page.h"
#include "service.h"
#include "telemetry/metrics.h"

static struct http_slice header(const struct http_request *request, enum http_known known)
{
    return request->known[known] != NULL ? request->known[known]->value
                                         : (struct http_slice){NULL, 0};
}

bool page_is_wanted(const struct exchange *exchange)
{
    const struct http_request *request = &exchange->http->request;
    return accept_request_quality(request, "text", "html") >
           accept_request_quality(request, "application", "json");
}

const struct route *page_choose_route(const struct exchange *exchange, const struct route *found)
{
    const bool shared = found->id == ROUTE_ROOT && (exchange->site->side & SIDE_OPERATORS) != 0;
    return shared && page_is_wanted(exchange) ? &router_table()[ROUTE_PAGE] : found;
}

static void add(struct http_response *response, const char *name, const char *value)
{
    http_response_add(response, name, value, strlen(value));
}

void page_answer(struct exchange *exchange)
{
    const struct page_document *document = page_get_document(exchange->site->service->page);
    struct http_response *response = &exchange->http->response;
    const struct http_slice codings = header(&exchange->http->request, HTTP_KNOWN_ACCEPT_ENCODING);
    add(response, "Vary", "Accept, Accept-Encoding");
    add(response, "Cache-Control", "no-store");
    if (document == NULL) {
        exchange_problem(exchange, 503, "no memory for the page");
        return;
    }
    add(response, "Content-Security-Policy", document->policy);
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Referrer-Policy", "no-referrer");
    const struct tel_buffer *body = &document->html;
    if (tel_exposition_accepts_gzip(codings.data, codings.length)) {
        add(response, "Content-Encoding", "gzip");
        body = &document->packed;
    }
    exchange_reply(exchange, 200, "text/html; charset=utf-8", body->data, body->length);
}
