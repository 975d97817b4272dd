/*
 * GET /demo/hello[?delay=MS]: a greeting, now or after that many milliseconds. The wait is a child
 * span, so a trace shows where the time went.
 */
#include "exchange.h"
#include "handlers/handlers.h"
#include "handlers/parameter.h"
#include "options.h"
#include "service.h"

static void greet(struct exchange *exchange)
{
    static const char body[] = "hello, world!\n";
    exchange_reply(exchange, 200, "text/plain; charset=utf-8", body, sizeof(body) - 1);
}

static void on_delay_over(struct exchange *exchange)
{
    exchange_end_child(exchange);
    greet(exchange);
}

void handle_hello(struct exchange *exchange)
{
    uint64_t delay_ms = 0;
    if (!parameter_number(exchange, "delay", "milliseconds", 0,
                          exchange->site->service->options->max_delay_ms, &delay_ms)) {
        return;
    }
    if (delay_ms == 0) {
        greet(exchange);
        return;
    }
    exchange_begin_child(exchange, "delay");
    tel_span_set_int(&exchange->child, "glassbox.delay_ms", (int64_t)delay_ms);
    exchange_wait(exchange, delay_ms * 1000, on_delay_over);
}
