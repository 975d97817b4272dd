/*
 * GET /page/events: what the live page shows, as server-sent events for as long as somebody looks.
 */
#include "exchange.h"
#include "handlers/handlers.h"
#include "page/page.h"

void handle_page_events(struct exchange *exchange)
{
    page_open_stream(exchange);
}
