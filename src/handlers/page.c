/*
 * GET /: the live page for a browser; the message, as on the public side, for all others.
 */
#include "page/page.h"
#include "exchange.h"
#include "handlers/handlers.h"

void handle_page(struct exchange *exchange)
{
    if (page_is_wanted(exchange)) {
        page_answer(exchange);
    } else {
        handle_root(exchange);
    }
}
