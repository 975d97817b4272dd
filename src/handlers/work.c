/*
 * GET /demo/work[?cpu_ms=MS]: burns that much CPU time of the worker, for autoscaling demos.
 *
 * The work is done in slices of about a millisecond, measured on the thread's own CPU clock, and the
 * loop turns between two slices: a worker that burns still answers everything else. The total is what
 * the clock measured, so a preempted thread neither burns less nor more.
 */
#include <inttypes.h>
#include <stdio.h>

#include "exchange.h"
#include "handlers/handlers.h"
#include "handlers/parameter.h"
#include "options.h"
#include "service.h"
#include "telemetry/clock.h"

#define SLICE_NS            TEL_NS_PER_MS
#define STEPS_BETWEEN_LOOKS 4096 /* some 10 µs: a look at the clock costs next to nothing then */
#define DEFAULT_CPU_MS      10

/* A chain of multiplications that a compiler cannot shorten. */
static void burn_steps(void)
{
    volatile uint64_t sink = 1;
    uint64_t value = sink;
    for (int i = 0; i < STEPS_BETWEEN_LOOKS; i++) {
        value = value * 6364136223846793005ull + 1442695040888963407ull;
    }
    sink = value;
}

/* Burns up to `budget_ns` of this thread's CPU time; returns what it took. */
static uint64_t burn(uint64_t budget_ns)
{
    uint64_t start_ns = tel_clock_thread_cpu_ns();
    uint64_t spent_ns = 0;
    while (spent_ns < budget_ns) {
        burn_steps();
        spent_ns = tel_clock_thread_cpu_ns() - start_ns;
    }
    return spent_ns;
}

static void finish(struct exchange *exchange)
{
    exchange->text_length = (size_t)snprintf(
        exchange->text, sizeof(exchange->text), "burnt %" PRIu64 ".%03" PRIu64 " ms of CPU time\n",
        exchange->work_done_ns / TEL_NS_PER_MS, exchange->work_done_ns / TEL_NS_PER_US % 1000);
    tel_span_set_int(&exchange->child, "glassbox.cpu_ns", (int64_t)exchange->work_done_ns);
    exchange_end_child(exchange);
    exchange_reply(exchange, 200, "text/plain; charset=utf-8", exchange->text,
                   exchange->text_length);
}

static void on_slice(struct exchange *exchange)
{
    uint64_t left_ns = exchange->work_wanted_ns - exchange->work_done_ns;
    exchange->work_done_ns += burn(left_ns < SLICE_NS ? left_ns : SLICE_NS);
    if (exchange->work_done_ns < exchange->work_wanted_ns) {
        exchange_wait(exchange, 0, on_slice);
    } else {
        finish(exchange);
    }
}

void handle_work(struct exchange *exchange)
{
    uint64_t cpu_ms = DEFAULT_CPU_MS;
    if (!parameter_number(exchange, "cpu_ms", "milliseconds", 0,
                          exchange->site->service->options->max_cpu_ms, &cpu_ms)) {
        return;
    }
    exchange->work_wanted_ns = cpu_ms * TEL_NS_PER_MS;
    exchange->work_done_ns = 0;
    exchange_begin_child(exchange, "work");
    tel_span_set_int(&exchange->child, "glassbox.cpu_ms", (int64_t)cpu_ms);
    on_slice(exchange);
}
