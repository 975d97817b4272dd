/*
 * Each step ends by calling the next, at once or from a callback of the loop: wait, burn, answer. A
 * client that goes away meanwhile takes the exchange down (exchange.c), and no step follows.
 */
#include "faults/inject.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "exchange.h"
#include "faults/draw.h"
#include "instruments.h"
#include "service.h"
#include "telemetry/clock.h"

#define BIT(KIND) (1u << FAULT_##KIND)

/* Instead of an answer, or what the answer is to be. */
#define ANSWERS (BIT(RESET) | BIT(ERROR) | BIT(TRUNCATE))

/* What no answer with its status may be without (RFC 9110, 15.5). */
static void add_headers(struct exchange *exchange, uint16_t status)
{
    static const char bearer[] = "Bearer";
    if (status == 401) {
        http_response_add(&exchange->http->response, "WWW-Authenticate", bearer,
                          sizeof(bearer) - 1);
    } else if (status == 405) {
        exchange_add_allow(exchange);
    }
}

static void answer(struct exchange *exchange)
{
    struct fault_mark *mark = &exchange->fault;
    exchange_end_child(exchange);
    mark->kinds |= mark->drawn & ANSWERS;
    if ((mark->drawn & BIT(RESET)) != 0) {
        http_exchange_reset(exchange->http);
    } else if ((mark->drawn & BIT(ERROR)) != 0) {
        add_headers(exchange, mark->status);
        exchange_problem(exchange, mark->status, "this error was injected by a fault plan");
    } else {
        exchange->http->response.truncated = (mark->drawn & BIT(TRUNCATE)) != 0;
        exchange->route->handle(exchange);
    }
}

static void on_burnt(struct burn *burn)
{
    struct exchange *exchange = (struct exchange *)((char *)burn - offsetof(struct exchange, burn));
    exchange->fault.burning = false;
    exchange->fault.cpu_ns = burn->done_ns;
    answer(exchange);
}

static void burn_cpu(struct exchange *exchange)
{
    struct fault_mark *mark = &exchange->fault;
    if ((mark->drawn & BIT(CPU)) == 0) {
        answer(exchange);
        return;
    }
    mark->kinds |= BIT(CPU);
    mark->burning = true;
    exchange->burn.wanted_ns = mark->cpu_ns;
    exchange->burn.done = on_burnt;
    burner_add(&exchange->site->burner, &exchange->burn);
}

static void strike(struct exchange *exchange, const struct fault_outcome *outcome)
{
    struct fault_mark *mark = &exchange->fault;
    mark->kinds = 0;
    mark->status = outcome->status;
    mark->burning = false;
    mark->struck_ns = tel_clock_monotonic_ns();
    mark->delay_ns = outcome->delay_ns;
    mark->cpu_ns = outcome->cpu_ns;
    memcpy(mark->plan, exchange->site->faults.plan, sizeof(mark->plan));
    exchange_begin_child(exchange, "fault");
    if ((mark->drawn & BIT(LATENCY)) == 0) {
        burn_cpu(exchange);
        return;
    }
    mark->kinds |= BIT(LATENCY);
    exchange_wait(exchange, (mark->delay_ns + TEL_NS_PER_US - 1) / TEL_NS_PER_US, burn_cpu);
}

/* Out of line: where nothing is counted nobody keeps registers for it. */
__attribute__((noinline)) void inject_handle(struct exchange *exchange)
{
    struct fault_view *view = &exchange->site->faults;
    const enum route_id route = exchange->route->id;
    if (!fault_view_counts(view, route)) {
        exchange->route->handle(exchange);
        return;
    }
    const uint64_t n =
        atomic_fetch_add_explicit(&view->counts->routes[route].requests, 1, memory_order_relaxed);
    struct fault_outcome outcome = fault_draw(&view->state, route, n);
    if (exchange->http->request.method == HTTP_METHOD_HEAD) {
        outcome.kinds &= ~BIT(TRUNCATE); /* there is no body to cut */
    }
    if (outcome.kinds == 0) {
        exchange->route->handle(exchange);
        return;
    }
    exchange->fault.drawn = outcome.kinds;
    exchange->fault.n = n;
    strike(exchange, &outcome);
}

/* ---- the end ----------------------------------------------------------------------------------- */

static void format_kinds(struct fault_mark *mark)
{
    char *at = mark->text;
    for (size_t kind = 0; kind < FAULT_ROUTE_KINDS; kind++) {
        if ((mark->kinds >> kind & 1) != 0) {
            const char *name = fault_kind_name((enum fault_kind)kind);
            if (at > mark->text) {
                *at++ = ',';
            }
            at = stpcpy(at, name);
        }
    }
    *at = '\0';
}

__attribute__((noinline, cold)) void inject_settle(struct exchange *exchange)
{
    struct fault_mark *mark = &exchange->fault;
    struct instruments *instruments = exchange->site->service->instruments;
    const size_t shard = exchange->site->shard;
    const uint64_t lasted_ns = exchange->http->end_ns - mark->struck_ns;
    if (mark->burning) {
        mark->cpu_ns = exchange->burn.done_ns;
    }
    mark->delay_ns =
        lasted_ns < mark->delay_ns ? lasted_ns : mark->delay_ns; /* 0 without latency */
    for (size_t kind = 0; kind < FAULT_ROUTE_KINDS; kind++) {
        if ((mark->kinds >> kind & 1) != 0) {
            instruments_fault_injected(instruments, shard, (enum fault_kind)kind,
                                       exchange->route->id);
        }
    }
    instruments_fault_ended(instruments, shard, exchange->route->id, mark->delay_ns,
                            exchange->error_type != NULL && (mark->kinds & ANSWERS) != 0);
    format_kinds(mark);
}
