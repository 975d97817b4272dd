/*
 * GET /livez: 200 while every loop turns; 503 when one has not for SERVER_STUCK_NS, and which.
 */
#include "exchange.h"
#include "handlers/handlers.h"
#include "server.h"
#include "service.h"

void handle_livez(struct exchange *exchange)
{
    static const char alive[] = "alive\n";
    const char *stuck = server_stuck_thread(exchange->site->service->server);
    if (stuck != NULL) {
        exchange_problem(exchange, 503, "the event loop of worker %s has not turned for 10 s",
                         stuck);
        return;
    }
    exchange_reply(exchange, 200, "text/plain; charset=utf-8", alive, sizeof(alive) - 1);
}
