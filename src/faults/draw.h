/*
 * What happens to the n-th request of a route: a pure function of seed, route and n.
 *
 * How it works: each kind draws a number of its own, 0 <= u < 1, mixed from the fault's seed, the
 * kind, the route's path and n. A ratio r strikes where u < r. Latency is the quantile function at u,
 * piecewise linear through (0, 0), (0.5, p50), (0.9, p90), (0.99, p99), (1, p99). So the first N
 * outcomes are the same, whichever worker drew them.
 *
 * Threads: any; nothing is shared.
 */
#ifndef GLASSBOX_FAULTS_DRAW_H
#define GLASSBOX_FAULTS_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "faults/plan.h"

struct fault_outcome {
    uint32_t kinds;    /* bit 1 << kind for each that strikes; 0: none */
    uint16_t status;   /* of an error */
    uint64_t delay_ns; /* of latency */
    uint64_t cpu_ns;
};

/* 0 <= u < 1, the same for the same arguments for ever: plans are kept and compared. */
double fault_uniform(uint64_t seed, enum fault_kind kind, enum route_id route, uint64_t n);

/* The latency at u. */
uint64_t fault_quantile(const struct fault_value *value, double u);

/* The outcome of request n (0 is the first since the plan began). A request that is reset is neither
 * answered with an error nor truncated, one that is answered with an error is not truncated. */
struct fault_outcome fault_draw(const struct fault_state *state, enum route_id route, uint64_t n);

#endif
