/*
 * GET /readyz: 200 while traffic is welcome, else 503 with the state: starting, draining.
 */
#include "exchange.h"
#include "handlers/handlers.h"
#include "service.h"

void handle_readyz(struct exchange *exchange)
{
    static const char ready[] = "ready\n";
    const struct lifecycle *lifecycle = &exchange->site->service->lifecycle;
    if (!lifecycle_is_ready(lifecycle)) {
        exchange_problem(exchange, 503, "the service is %s",
                         lifecycle_state_name(lifecycle_get_state(lifecycle)));
        return;
    }
    exchange_reply(exchange, 200, "text/plain; charset=utf-8", ready, sizeof(ready) - 1);
}
