/*
 * Fault plans from arbitrary bytes: what is refused changes nothing and says why in words that can be
 * shown; what is taken is within its bounds, the same when it is read again, and in force exactly from
 * its starts to its ends.
 */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "faults/draw.h"
#include "faults/plan.h"
#include "telemetry/clock.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_NS  (UINT64_C(1795680000) * TEL_NS_PER_SECOND) /* 2026-11-26T08:00:00Z */
#define WEEK_NS (UINT64_C(604800) * TEL_NS_PER_SECOND)

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* ---- what is refused ----------------------------------------------------------------------- */

static void check_reason(const char *reason)
{
    const size_t length = strnlen(reason, FAULT_REASON_BYTES);
    check(length > 0 && length < FAULT_REASON_BYTES);
    for (size_t i = 0; i < length; i++) {
        check((unsigned char)reason[i] >= 0x20 && reason[i] != 0x7f);
    }
    json_t *utf8 = json_stringn(reason, length); /* NULL: it is not UTF-8 */
    check(utf8 != NULL);
    json_decref(utf8);
}

static bool is_json(const char *text, size_t length)
{
    json_t *json = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_decref(json);
    return json != NULL;
}

/* What jansson takes as it is, is not called malformed; what is taken was JSON. */
static void check_verdict(const char *text, size_t length, int result)
{
    check(result == 0 || result == -EBADMSG || result == -EINVAL);
    if (length > 0 && length <= FAULT_PLAN_BYTES_MAX && memchr(text, '\0', length) == NULL) {
        check(result == 0 ? is_json(text, length) : result == -EINVAL || !is_json(text, length));
    }
}

/* ---- what is taken ------------------------------------------------------------------------- */

static void check_value(const struct fault *fault)
{
    const struct fault_value *value = &fault->value;
    const bool has_ratio =
        fault->kind == FAULT_ERROR || fault->kind == FAULT_RESET || fault->kind == FAULT_TRUNCATE;
    check(value->ratio >= 0 && value->ratio <= (has_ratio ? 1 : 0));
    check(fault->kind == FAULT_ERROR ? value->status >= 400 && value->status <= 599
                                     : value->status == 0);
    check(value->p50_ns <= value->p90_ns && value->p90_ns <= value->p99_ns);
    check(value->p99_ns <= (fault->kind == FAULT_LATENCY ? 60 * TEL_NS_PER_SECOND : 0));
    check((value->cpu_ns > 0) == (fault->kind == FAULT_CPU));
    check(value->cpu_ns <= 60 * TEL_NS_PER_SECOND);
    check((value->ready_ns > 0) == (fault->kind == FAULT_SLOW_START));
    check(value->ready_ns <= WEEK_NS);
    check((value->bytes >= 1024) == (fault->kind == FAULT_MEMORY));
    check(value->bytes <= UINT64_C(1) << 40);
    check((value->cpus > 0) == (fault->kind == FAULT_BACKGROUND_CPU) && value->cpus <= 64);
}

static void check_fault(const struct fault_plan *plan, const struct fault *fault)
{
    const struct route *table = router_table();
    check(fault->kind < FAULT_KINDS && fault->seed <= FAULT_SEED_MAX);
    check(fault->start_wall_ns >= plan->begin_wall_ns);
    check(fault->start_wall_ns <= plan->begin_wall_ns + 2 * WEEK_NS);
    check(fault->end_wall_ns > fault->start_wall_ns);
    check(fault->end_wall_ns - fault->start_wall_ns <= WEEK_NS);
    check((fault->routes != 0) == (fault_kind_scope(fault->kind) == FAULT_SCOPE_ROUTE));
    check((fault->pattern[0] != '\0') == (fault->routes != 0));
    for (size_t route = 0; route < 32; route++) {
        check((fault->routes >> route & 1) == 0 ||
              (route < ROUTES && fault_may_touch(&table[route])));
    }
    check_value(fault);
}

/* ---- what is in force ---------------------------------------------------------------------- */

/* The last fault of the list that is in force of a kind, on a route or (ROUTE_NONE) the process. */
static const struct fault *in_force(const struct fault_plan *plan, uint64_t wall_ns, size_t kind,
                                    size_t route)
{
    const struct fault *last = NULL;
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct fault *fault = &plan->faults[i];
        const bool is_here =
            route == ROUTE_NONE ? fault->routes == 0 : (fault->routes >> route & 1) != 0;
        if (fault->kind == kind && is_here && fault->start_wall_ns <= wall_ns &&
            wall_ns < fault->end_wall_ns) {
            last = fault;
        }
    }
    return last;
}

static void check_at(const struct fault_plan *plan, uint64_t wall_ns)
{
    struct fault_state state;
    bool any = false;
    fault_plan_at(plan, wall_ns, &state);
    for (size_t kind = 0; kind < FAULT_KINDS; kind++) {
        const struct fault *fault = in_force(plan, wall_ns, kind, ROUTE_NONE);
        check(state.process[kind].is_on == (fault != NULL));
        any |= fault != NULL;
        for (size_t route = 1; kind < FAULT_ROUTE_KINDS && route < ROUTES; route++) {
            fault = in_force(plan, wall_ns, kind, route);
            check(state.routes[route][kind].is_on == (fault != NULL));
            check(fault == NULL || (state.routes[route][kind].seed == fault->seed &&
                                    memcmp(&state.routes[route][kind].value, &fault->value,
                                           sizeof(fault->value)) == 0));
            any |= fault != NULL;
        }
    }
    check(state.is_on == any);
    const bool lasts = wall_ns >= plan->begin_wall_ns && wall_ns < fault_plan_end(plan);
    check(lasts || (!any && state.counted == 0));
}

static void check_draws(const struct fault_plan *plan, uint64_t wall_ns)
{
    const uint32_t answers = 1u << FAULT_ERROR | 1u << FAULT_RESET | 1u << FAULT_TRUNCATE;
    struct fault_state state;
    fault_plan_at(plan, wall_ns, &state);
    for (size_t route = 1; route < ROUTES; route++) {
        for (uint64_t n = 0; n < 3; n++) {
            const struct fault_outcome outcome = fault_draw(&state, (enum route_id)route, n);
            check(__builtin_popcount(outcome.kinds & answers) <= 1);
            check((outcome.status != 0) == ((outcome.kinds & 1u << FAULT_ERROR) != 0));
            check(outcome.delay_ns <= state.routes[route][FAULT_LATENCY].value.p99_ns);
            check(outcome.cpu_ns == state.routes[route][FAULT_CPU].value.cpu_ns);
            check(state.is_on || outcome.kinds == 0);
        }
    }
}

/* From change to change: each is after the one before, and between two nothing changes. */
static void walk(const struct fault_plan *plan)
{
    uint64_t at_ns = 0;
    size_t changes = 0;
    check_at(plan, 0);
    while (fault_plan_next_change(plan, at_ns) != UINT64_MAX) {
        struct fault_state first;
        struct fault_state last;
        const uint64_t next_ns = fault_plan_next_change(plan, at_ns);
        check(next_ns > at_ns && ++changes <= 1 + 2 * FAULT_PLAN_FAULTS_MAX);
        fault_plan_at(plan, at_ns, &first);
        fault_plan_at(plan, next_ns - 1, &last);
        check(memcmp(&first, &last, sizeof(first)) == 0);
        check_at(plan, next_ns - 1);
        check_at(plan, next_ns);
        check_draws(plan, next_ns);
        at_ns = next_ns;
    }
    check(at_ns == fault_plan_end(plan) || plan->begin_wall_ns == 0);
}

/* ---- both ---------------------------------------------------------------------------------- */

static int parse(const char *text, size_t length, bool must_begin, struct fault_plan *plan)
{
    static struct fault_plan untouched;
    char reason[FAULT_REASON_BYTES];
    memset(reason, 0x55, sizeof(reason));
    memset(&untouched, 0x5a, sizeof(untouched));
    memset(plan, 0x5a, sizeof(*plan));
    const int result = fault_plan_parse(text, length, must_begin, NOW_NS, plan, reason);
    if (result != 0) {
        check(memcmp(plan, &untouched, sizeof(*plan)) == 0);
        check_reason(reason);
    } else {
        check(reason[0] == 0x55);
    }
    return result;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_object_seed(1); /* the same input, the same way */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fault_plan plan;
    static struct fault_plan again;
    /* In memory of its own, so that a read past the end is found. */
    char *text = malloc(size > 0 ? size : 1);
    check(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    const int result = parse(text, size, false, &plan);
    check_verdict(text, size, result);
    const int with_begin = parse(text, size, true, &again);
    check(with_begin == result || (result == 0 && with_begin == -EINVAL));
    if (result == 0) {
        check(with_begin != 0 || memcmp(&plan, &again, sizeof(plan)) == 0);
        check(with_begin == 0 || plan.begin_wall_ns == NOW_NS);
        check(plan.fault_count <= FAULT_PLAN_FAULTS_MAX && plan.seed <= FAULT_SEED_MAX);
        for (size_t i = 0; i < plan.fault_count; i++) {
            check_fault(&plan, &plan.faults[i]);
        }
        walk(&plan);
    }
    free(text);
    return 0;
}
