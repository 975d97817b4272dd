/*
 * GET /demo/random-error: fails by design, for a share of the requests. Ratio, status and seed are
 * options; with a seed each worker draws the same sequence every time.
 */
#include "exchange.h"
#include "handlers/handlers.h"
#include "options.h"
#include "service.h"

/* splitmix64: one multiply-mix a draw, and every seed is a good one. */
static double draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53; /* 0 <= draw < 1 */
}

void handle_random_error(struct exchange *exchange)
{
    static const char good[] = "Everything is still OK\n";
    static const char bad[] = "ERROR: Something, somewhere, went wrong!\n";
    const struct options *options = exchange->site->service->options;
    bool fails = draw(&exchange->site->random_state) < options->random_error_ratio;
    exchange_reply(exchange, fails ? (uint16_t)options->random_error_status : 200,
                   "text/plain; charset=utf-8", fails ? bad : good,
                   fails ? sizeof(bad) - 1 : sizeof(good) - 1);
}
