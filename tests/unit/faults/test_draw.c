/*
 * Draws: numbers that must never change, the quantile function at its knots and between, outcomes
 * counted exactly, and the same outcomes whichever thread draws them. Expected figures were computed by
 * the Python of docs/faults.md, not by this code.
 */
#include "faults/draw.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/clock.h"

#define MS       TEL_NS_PER_MS
#define UNIT     9007199254740992.0 /* 2^53 */
#define OUTCOMES 100000

static enum fault_kind kind_of(const char *name)
{
    size_t kind = 0;
    while (strcmp(fault_kind_name(kind), name) != 0) {
        kind++;
        assert_true(kind < FAULT_KINDS);
    }
    return kind;
}

static void numbers_never_change(void **state)
{
    static const struct {
        uint64_t seed;
        const char *kind;
        const char *path;
        uint64_t n;
        uint64_t number;
    } rows[] = {
#define VECTOR(seed, kind, path, n, number) {UINT64_C(seed), kind, path, UINT64_C(n), number},
#include "vectors.def"
#undef VECTOR
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct route *route = router_find(SIDE_BOTH, rows[i].path, strlen(rows[i].path));
        const double u = fault_uniform(rows[i].seed, kind_of(rows[i].kind), route->id, rows[i].n);
        assert_true(u >= 0 && u < 1);
        assert_int_equal((uint64_t)(u * UNIT), rows[i].number);
    }
}

/* ---- the quantile function ----------------------------------------------------------------- */

static const struct fault_value latency = {
    .p50_ns = 20 * MS, .p90_ns = 100 * MS, .p99_ns = 1000 * MS};

static void latency_is_linear_between_its_knots(void **state)
{
    static const struct {
        double u;
        uint64_t ns;
    } rows[] = {
        {0, 0},
        {0.25, 10 * MS},
        {0.5 - 1 / UNIT, 20 * MS - 1}, /* floored */
        {0.5, 20 * MS},
        {0.75, 70 * MS},
        {0.875, 95 * MS},
        {0.9375, 475 * MS},
        {0.984375, 943750000},
        {0.9921875, 1000 * MS}, /* above 0.99 it is flat */
        {1 - 1 / UNIT, 1000 * MS},
        {1, 1000 * MS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(fault_quantile(&latency, rows[i].u), rows[i].ns);
    }
}

/* 0.9 and 0.99 are no doubles: at the nearest one below, the value is just below the knot's. */
static void latency_at_the_knots_is_theirs(void **state)
{
    static const struct fault_value steep = {.p50_ns = 0, .p90_ns = 0, .p99_ns = 60000 * MS};
    (void)state;
    assert_in_range(fault_quantile(&latency, 0.9), 100 * MS - 1, 100 * MS + 1);
    assert_in_range(fault_quantile(&latency, 0.99), 1000 * MS - 1, 1000 * MS);
    assert_int_equal(fault_quantile(&steep, 0.5), 0);
    assert_int_equal(fault_quantile(&steep, 0.875), 0);
    assert_true(fault_quantile(&steep, 0.9375) > 0);
}

static void latency_never_falls(void **state)
{
    uint64_t before = 0;
    (void)state;
    for (double u = 0; u < 1; u += 1.0 / 4096) {
        const uint64_t ns = fault_quantile(&latency, u);
        assert_true(ns >= before);
        before = ns;
    }
    assert_int_equal(before, 1000 * MS);
}

/* ---- outcomes ------------------------------------------------------------------------------ */

static void put(struct fault_state *faults, enum fault_kind kind, uint64_t seed, double ratio)
{
    faults->is_on = true;
    faults->routes[ROUTE_HELLO][kind].is_on = true;
    faults->routes[ROUTE_HELLO][kind].seed = seed;
    faults->routes[ROUTE_HELLO][kind].value.ratio = ratio;
}

/* Everything at once on /demo/hello. */
static void put_all(struct fault_state *faults)
{
    memset(faults, 0, sizeof(*faults));
    put(faults, FAULT_RESET, 42, 0.1);
    put(faults, FAULT_ERROR, 42, 0.25);
    put(faults, FAULT_TRUNCATE, 42, 0.2);
    put(faults, FAULT_LATENCY, 42, 0);
    put(faults, FAULT_CPU, 42, 0);
    faults->routes[ROUTE_HELLO][FAULT_ERROR].value.status = 503;
    faults->routes[ROUTE_HELLO][FAULT_LATENCY].value = latency;
    faults->routes[ROUTE_HELLO][FAULT_CPU].value.cpu_ns = 5 * MS;
}

static void a_ratio_strikes_so_many_of_the_first(void **state)
{
    static const struct {
        uint64_t n;
        uint64_t struck;
    } rows[] = {{10, 1}, {1000, 310}, {100000, 30062}};
    struct fault_state faults = {.is_on = false};
    (void)state;
    put(&faults, FAULT_ERROR, 7, 0.3);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t struck = 0;
        for (uint64_t n = 0; n < rows[i].n; n++) {
            struck += fault_draw(&faults, ROUTE_HELLO, n).kinds == 1u << FAULT_ERROR ? 1 : 0;
        }
        assert_int_equal(struck, rows[i].struck);
    }
}

static void zero_never_strikes_and_one_always_does(void **state)
{
    struct fault_state faults = {.is_on = false};
    (void)state;
    for (uint64_t n = 0; n < 10000; n++) {
        put(&faults, FAULT_ERROR, n, 0);
        assert_int_equal(fault_draw(&faults, ROUTE_HELLO, n).kinds, 0);
        put(&faults, FAULT_ERROR, n, 1);
        assert_int_equal(fault_draw(&faults, ROUTE_HELLO, n).kinds, 1u << FAULT_ERROR);
    }
}

static void an_answer_is_spoilt_in_one_way(void **state)
{
    struct fault_state faults;
    uint64_t counts[FAULT_KINDS] = {0};
    uint64_t delay_ns = 0;
    (void)state;
    put_all(&faults);
    for (uint64_t n = 0; n < OUTCOMES; n++) {
        const struct fault_outcome outcome = fault_draw(&faults, ROUTE_HELLO, n);
        for (size_t kind = 0; kind < FAULT_KINDS; kind++) {
            counts[kind] += outcome.kinds >> kind & 1;
        }
        assert_int_equal(outcome.status, outcome.kinds & 1u << FAULT_ERROR ? 503 : 0);
        assert_int_equal(outcome.cpu_ns, 5 * MS);
        delay_ns += outcome.delay_ns;
    }
    assert_int_equal(counts[FAULT_RESET], 9942);
    assert_int_equal(counts[FAULT_ERROR], 22421);
    assert_int_equal(counts[FAULT_TRUNCATE], 13511); /* these three leave 54126 of 100000 */
    assert_int_equal(counts[FAULT_LATENCY], OUTCOMES);
    assert_int_equal(counts[FAULT_CPU], OUTCOMES);
    assert_int_equal(delay_ns, UINT64_C(8882091847985));
}

static void delays_are_spread_as_the_quantiles_say(void **state)
{
    struct fault_state faults;
    uint64_t counts[4] = {0};
    (void)state;
    put_all(&faults);
    for (uint64_t n = 0; n < OUTCOMES; n++) {
        const uint64_t ns = fault_draw(&faults, ROUTE_HELLO, n).delay_ns;
        counts[ns < 20 * MS ? 0 : ns < 100 * MS ? 1 : ns < 1000 * MS ? 2 : 3]++;
    }
    assert_int_equal(counts[0], 49936);
    assert_int_equal(counts[1], 39987);
    assert_int_equal(counts[2], 9098);
    assert_int_equal(counts[3], 979);
}

static void a_route_without_faults_is_not_struck(void **state)
{
    struct fault_state faults;
    (void)state;
    put_all(&faults);
    for (size_t route = 0; route < ROUTES; route++) {
        const struct fault_outcome outcome = fault_draw(&faults, route, 3);
        assert_int_equal(outcome.kinds != 0, route == ROUTE_HELLO);
        assert_int_equal(outcome.delay_ns != 0, route == ROUTE_HELLO);
    }
}

/* ---- threads ------------------------------------------------------------------------------- */

struct drawing {
    struct fault_state faults;
    atomic_uint_fast64_t next;
    struct fault_outcome outcomes[OUTCOMES];
};

static void *draw_some(void *argument)
{
    struct drawing *drawing = argument;
    for (;;) {
        const uint64_t n = atomic_fetch_add_explicit(&drawing->next, 1, memory_order_relaxed);
        if (n >= OUTCOMES) {
            return NULL;
        }
        drawing->outcomes[n] = fault_draw(&drawing->faults, ROUTE_HELLO, n);
    }
}

static void draw_all(struct drawing *drawing, size_t count)
{
    pthread_t threads[4];
    put_all(&drawing->faults);
    atomic_init(&drawing->next, 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, draw_some, drawing), 0);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void outcomes_are_the_same_with_any_number_of_threads(void **state)
{
    static struct drawing one;
    static struct drawing several;
    (void)state;
    draw_all(&one, 1);
    for (size_t threads = 2; threads <= 4; threads += 2) {
        memset(several.outcomes, 0, sizeof(several.outcomes));
        draw_all(&several, threads);
        for (size_t n = 0; n < OUTCOMES; n++) {
            assert_int_equal(one.outcomes[n].kinds, several.outcomes[n].kinds);
            assert_int_equal(one.outcomes[n].status, several.outcomes[n].status);
            assert_int_equal(one.outcomes[n].delay_ns, several.outcomes[n].delay_ns);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_never_change),
        cmocka_unit_test(latency_is_linear_between_its_knots),
        cmocka_unit_test(latency_at_the_knots_is_theirs),
        cmocka_unit_test(latency_never_falls),
        cmocka_unit_test(a_ratio_strikes_so_many_of_the_first),
        cmocka_unit_test(zero_never_strikes_and_one_always_does),
        cmocka_unit_test(an_answer_is_spoilt_in_one_way),
        cmocka_unit_test(delays_are_spread_as_the_quantiles_say),
        cmocka_unit_test(a_route_without_faults_is_not_struck),
        cmocka_unit_test(outcomes_are_the_same_with_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
