/*
 * GET /demo/work[?cpu_ms=MS]: burns that much CPU time of the worker, for autoscaling demos. The
 * burner does it in slices, so that a worker that burns still answers everything else.
 */
#include <inttypes.h>
#include <stdio.h>

#include "exchange.h"
#include "handlers/handlers.h"
#include "handlers/parameter.h"
#include "options.h"
#include "service.h"
#include "telemetry/clock.h"

#define DEFAULT_CPU_MS 10

static void on_burnt(struct burn *burn)
{
    struct exchange *exchange = (struct exchange *)((char *)burn - offsetof(struct exchange, burn));
    int length = snprintf(exchange->text, sizeof(exchange->text),
                          "burnt %" PRIu64 ".%03" PRIu64 " ms of CPU time\n",
                          burn->done_ns / TEL_NS_PER_MS, burn->done_ns / TEL_NS_PER_US % 1000);
    tel_span_set_int(&exchange->child, "glassbox.cpu_ns", (int64_t)burn->done_ns);
    exchange_end_child(exchange);
    exchange_reply(exchange, 200, "text/plain; charset=utf-8", exchange->text, (size_t)length);
}

void handle_work(struct exchange *exchange)
{
    uint64_t cpu_ms = DEFAULT_CPU_MS;
    if (!parameter_number(exchange, "cpu_ms", "milliseconds", 0,
                          exchange->site->service->options->max_cpu_ms, &cpu_ms)) {
        return;
    }
    exchange_begin_child(exchange, "work");
    tel_span_set_int(&exchange->child, "glassbox.cpu_ms", (int64_t)cpu_ms);
    exchange->burn.wanted_ns = cpu_ms * TEL_NS_PER_MS;
    exchange->burn.done = on_burnt;
    burner_add(&exchange->site->burner, &exchange->burn);
}
