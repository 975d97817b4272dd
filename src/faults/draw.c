/*
 * A number of its own for each kind, route and n, without a state that threads would have to share:
 * the generator SplitMix64 (Steele, Lea, Flood 2014) can be asked for its n-th number at once.
 *
 *     mix(z)   z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9
 *              z = (z ^ z >> 27) * 0x94d049bb133111eb
 *              z ^ z >> 31                              modulo 2^64
 *     stream   mix(seed) ^ fnv1a("error /demo/hello")   the kind's name, a space, the route's path
 *     number   mix(stream + (n + 1) * 0x9e3779b97f4a7c15)
 *     u        the upper 53 bits of it, over 2^53
 *
 * fnv1a is FNV-1a of 64 bits. The names are hashed, not their numbers in our tables: those change.
 * Latency is computed with integers, so that it is the same to the nanosecond on every machine; a
 * compiler may round products of doubles in two ways.
 */
#include "faults/draw.h"

#include "router.h"

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define GAMMA     UINT64_C(0x9e3779b97f4a7c15)
#define UNIT      (UINT64_C(1) << 53) /* of u */

__extension__ typedef unsigned __int128 wide; /* strict conversions see a type of its own */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    }
    return hash;
}

double fault_uniform(uint64_t seed, enum fault_kind kind, enum route_id route, uint64_t n)
{
    uint64_t name = fnv1a(FNV_BASIS, fault_kind_name(kind));
    name = fnv1a(fnv1a(name, " "), router_table()[route].path);
    return (double)(mix((mix(seed) ^ name) + (n + 1) * GAMMA) >> 11) / (double)UNIT;
}

uint64_t fault_quantile(const struct fault_value *value, double u)
{
    const struct {
        uint64_t percent;
        uint64_t ns;
    } knots[] = {{0, 0}, {50, value->p50_ns}, {90, value->p90_ns}, {99, value->p99_ns}};
    const uint64_t hundredths = (uint64_t)(u * (double)UNIT) * 100;
    for (size_t i = 1; i < sizeof(knots) / sizeof(knots[0]); i++) {
        if (hundredths < knots[i].percent * UNIT) {
            const uint64_t into = hundredths - knots[i - 1].percent * UNIT;
            const uint64_t width = (knots[i].percent - knots[i - 1].percent) * UNIT;
            const uint64_t rise = knots[i].ns - knots[i - 1].ns;
            return knots[i - 1].ns + (uint64_t)((wide)rise * into / width);
        }
    }
    return value->p99_ns;
}

/* Whether a kind with a ratio strikes; the value of one that does not use it is 0. */
static bool strikes(const struct fault_state *state, enum route_id route, enum fault_kind kind,
                    uint64_t n)
{
    return state->routes[route][kind].is_on &&
           fault_uniform(state->routes[route][kind].seed, kind, route, n) <
               state->routes[route][kind].value.ratio;
}

/* How the answer is spoilt, if it is: one kind at most. */
static enum fault_kind draw_answer(const struct fault_state *state, enum route_id route, uint64_t n)
{
    static const enum fault_kind order[] = {FAULT_RESET, FAULT_ERROR, FAULT_TRUNCATE};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (strikes(state, route, order[i], n)) {
            return order[i];
        }
    }
    return FAULT_KINDS;
}

struct fault_outcome fault_draw(const struct fault_state *state, enum route_id route, uint64_t n)
{
    struct fault_outcome outcome = {0};
    if (state->routes[route][FAULT_LATENCY].is_on) {
        const double u =
            fault_uniform(state->routes[route][FAULT_LATENCY].seed, FAULT_LATENCY, route, n);
        outcome.kinds |= 1u << FAULT_LATENCY;
        outcome.delay_ns = fault_quantile(&state->routes[route][FAULT_LATENCY].value, u);
    }
    if (state->routes[route][FAULT_CPU].is_on) {
        outcome.kinds |= 1u << FAULT_CPU;
        outcome.cpu_ns = state->routes[route][FAULT_CPU].value.cpu_ns;
    }
    const enum fault_kind answer = draw_answer(state, route, n);
    if (answer != FAULT_KINDS) {
        outcome.kinds |= 1u << answer;
    }
    if (answer == FAULT_ERROR) {
        outcome.status = state->routes[route][FAULT_ERROR].value.status;
    }
    return outcome;
}
