/*
 * GET /readyz: 200 while traffic is welcome, else 503 with why: starting, draining, or the fault that is in
 * force.
 */
#include "exchange.h"
#include "faults/faults.h"
#include "handlers/handlers.h"
#include "service.h"

void handle_readyz(struct exchange *exchange)
{
    static const char ready[] = "ready\n";
    const struct lifecycle *lifecycle = &exchange->site->service->lifecycle;
    const enum lifecycle_state life = lifecycle_get_state(lifecycle);
    const enum fault_kind fault = faults_not_ready(exchange->site->service->faults);
    if (life != LIFE_READY) {
        exchange_problem(exchange, 503, "the service is %s", lifecycle_state_name(life));
        return;
    }
    if (fault != FAULT_KINDS) {
        exchange_problem(exchange, 503, "a fault is in force: %s", fault_kind_name(fault));
        return;
    }
    exchange_reply(exchange, 200, "text/plain; charset=utf-8", ready, sizeof(ready) - 1);
}
