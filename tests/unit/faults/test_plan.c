/*
 * What a plan has in force at each of its boundaries, just before and just after; and that walking
 * from change to change misses none.
 */
#include "faults/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "documents.h"

/* In minutes after eight:
 *
 *     begin 1 · 2 error /demo/hello 0.1 ······ 6
 *                    4 error, all demos, 0.2 · 5
 *                                             6 not ready · 7
 *                                                                9 cpu / · 10 */
static const char document[] =
    "{'begin':'2026-11-26T08:01:00Z','seed':5,'faults':["
    "{'route':'/demo/hello','start':'1m','duration':'4m','error':{'ratio':0.1,'status':500}},"
    "{'route':'/demo/*','start':'3m','end':'2026-11-26T08:05:00Z','seed':6,"
    "'error':{'ratio':0.2,'status':503}},"
    "{'start':'5m','duration':'1m','not_ready':true},"
    "{'route':'/','start':'8m','duration':'1m','cpu':{'per_request':'3ms'}}]}";

static void read_plan(const char *text, struct fault_plan *plan)
{
    char reason[FAULT_REASON_BYTES] = "";
    assert_int_equal(documents_parse(text, false, plan, reason), 0);
}

/* The ratio of errors on a route in hundredths; 0: none in force. */
static int errors(const struct fault_state *state, enum route_id route)
{
    return state->routes[route][FAULT_ERROR].is_on
               ? (int)(state->routes[route][FAULT_ERROR].value.ratio * 100 + 0.5)
               : 0;
}

static void each_boundary_has_two_sides(void **state)
{
    static const struct {
        uint64_t at_ns; /* after eight */
        bool is_on;
        bool is_counted;
        int hello; /* errors, in hundredths */
        int work;
        bool not_ready;
        bool cpu;
    } rows[] = {
        {0, false, false, 0, 0, false, false},
        {MINUTE_NS - 1, false, false, 0, 0, false, false},
        {MINUTE_NS, false, true, 0, 0, false, false}, /* the plan begins: it counts */
        {2 * MINUTE_NS - 1, false, true, 0, 0, false, false},
        {2 * MINUTE_NS, true, true, 10, 0, false, false},
        {4 * MINUTE_NS - 1, true, true, 10, 0, false, false},
        {4 * MINUTE_NS, true, true, 20, 20, false, false}, /* the later one wins */
        {5 * MINUTE_NS - 1, true, true, 20, 20, false, false},
        {5 * MINUTE_NS, true, true, 10, 0, false, false}, /* and gives back what it covered */
        {6 * MINUTE_NS - 1, true, true, 10, 0, false, false},
        {6 * MINUTE_NS, true, true, 0, 0, true, false}, /* one ends as the next starts */
        {7 * MINUTE_NS - 1, true, true, 0, 0, true, false},
        {7 * MINUTE_NS, false, true, 0, 0, false, false},
        {9 * MINUTE_NS - 1, false, true, 0, 0, false, false},
        {9 * MINUTE_NS, true, true, 0, 0, false, true},
        {10 * MINUTE_NS - 1, true, true, 0, 0, false, true},
        {10 * MINUTE_NS, false, false, 0, 0, false, false}, /* over */
        {UINT64_MAX - EIGHT_NS, false, false, 0, 0, false, false},
    };
    struct fault_plan plan;
    (void)state;
    read_plan(document, &plan);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fault_state faults;
        memset(&faults, 0xff, sizeof(faults));
        fault_plan_at(&plan, EIGHT_NS + rows[i].at_ns, &faults);
        assert_int_equal(faults.is_on, rows[i].is_on);
        assert_int_equal(faults.counted, rows[i].is_counted
                                             ? 1u << ROUTE_ROOT | 1u << ROUTE_HELLO |
                                                   1u << ROUTE_RANDOM_ERROR | 1u << ROUTE_WORK
                                             : 0);
        assert_int_equal(errors(&faults, ROUTE_HELLO), rows[i].hello);
        assert_int_equal(errors(&faults, ROUTE_WORK), rows[i].work);
        assert_int_equal(errors(&faults, ROUTE_ROOT), 0);
        assert_int_equal(faults.process[FAULT_NOT_READY].is_on, rows[i].not_ready);
        assert_int_equal(faults.routes[ROUTE_ROOT][FAULT_CPU].is_on, rows[i].cpu);
        for (size_t kind = 0; kind < FAULT_ROUTE_KINDS; kind++) {
            assert_false(faults.process[kind].is_on);
            assert_false(faults.routes[ROUTE_METRICS][kind].is_on);
        }
    }
}

static void values_and_seeds_are_those_of_the_fault_in_force(void **state)
{
    struct fault_plan plan;
    struct fault_state faults;
    (void)state;
    read_plan(document, &plan);
    fault_plan_at(&plan, EIGHT_NS + 3 * MINUTE_NS, &faults);
    assert_int_equal(faults.routes[ROUTE_HELLO][FAULT_ERROR].seed, 5);
    assert_int_equal(faults.routes[ROUTE_HELLO][FAULT_ERROR].value.status, 500);
    fault_plan_at(&plan, EIGHT_NS + 4 * MINUTE_NS, &faults);
    assert_int_equal(faults.routes[ROUTE_HELLO][FAULT_ERROR].seed, 6);
    assert_int_equal(faults.routes[ROUTE_HELLO][FAULT_ERROR].value.status, 503);
    fault_plan_at(&plan, EIGHT_NS + 9 * MINUTE_NS, &faults);
    assert_int_equal(faults.routes[ROUTE_ROOT][FAULT_CPU].value.cpu_ns, 3000000);
}

static void the_way_from_change_to_change_misses_none(void **state)
{
    static const unsigned minutes[] = {1, 2, 4, 5, 6, 7, 9, 10};
    struct fault_plan plan;
    uint64_t at_ns = 0;
    (void)state;
    read_plan(document, &plan);
    for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
        const uint64_t next_ns = fault_plan_next_change(&plan, at_ns);
        assert_int_equal(next_ns, EIGHT_NS + minutes[i] * MINUTE_NS);
        assert_int_equal(fault_plan_next_change(&plan, next_ns - 1), next_ns);
        at_ns = next_ns;
    }
    assert_int_equal(fault_plan_next_change(&plan, at_ns), UINT64_MAX);
    assert_int_equal(fault_plan_next_change(&plan, UINT64_MAX), UINT64_MAX);
    assert_int_equal(fault_plan_end(&plan), at_ns);
}

/* Of two that cover the same time it is the later in the list, whichever started later. */
static void the_later_in_the_list_wins(void **state)
{
    struct fault_plan plan;
    struct fault_state faults;
    (void)state;
    read_plan("{'faults':["
              "{'route':'/','start':'1m','duration':'1m','error':{'ratio':0.9}},"
              "{'route':'/*','duration':'10m','error':{'ratio':0.3}},"
              "{'route':'/demo/work','duration':'10m','error':{'ratio':0}}]}",
              &plan);
    fault_plan_at(&plan, EIGHT_NS + MINUTE_NS, &faults);
    assert_int_equal(errors(&faults, ROUTE_ROOT), 30);
    assert_int_equal(errors(&faults, ROUTE_HELLO), 30);
    assert_true(faults.routes[ROUTE_WORK][FAULT_ERROR].is_on); /* an exception from the rule */
    assert_int_equal(errors(&faults, ROUTE_WORK), 0);
}

static void kinds_do_not_cover_each_other(void **state)
{
    struct fault_plan plan;
    struct fault_state faults;
    (void)state;
    read_plan("{'faults':[{'route':'/','duration':'1m','error':{'ratio':1}},"
              "{'route':'/','duration':'1m','reset':{'ratio':1}}]}",
              &plan);
    fault_plan_at(&plan, EIGHT_NS, &faults);
    assert_true(faults.routes[ROUTE_ROOT][FAULT_ERROR].is_on);
    assert_true(faults.routes[ROUTE_ROOT][FAULT_RESET].is_on);
}

static void faults_of_the_process_count_no_requests(void **state)
{
    struct fault_plan plan;
    struct fault_state faults;
    (void)state;
    read_plan("{'faults':[{'duration':'1m','not_ready':true,'memory':{'bytes':'1m'}}]}", &plan);
    fault_plan_at(&plan, EIGHT_NS, &faults);
    assert_true(faults.is_on);
    assert_int_equal(faults.counted, 0);
    assert_int_equal(faults.process[FAULT_MEMORY].value.bytes, 1 << 20);
}

static void without_a_plan_nothing_is_in_force(void **state)
{
    static const struct fault_state nothing;
    struct fault_state faults;
    (void)state;
    memset(&faults, 0xff, sizeof(faults));
    fault_plan_at(NULL, EIGHT_NS, &faults);
    assert_memory_equal(&faults, &nothing, sizeof(faults));
    assert_int_equal(fault_plan_next_change(NULL, 0), UINT64_MAX);
    assert_int_equal(fault_plan_end(NULL), 0);
}

static void users_routes_may_be_touched(void **state)
{
    const struct route *table = router_table();
    (void)state;
    for (size_t route = 0; route < ROUTES; route++) {
        assert_int_equal(fault_may_touch(&table[route]), table[route].user);
    }
    assert_false(fault_may_touch(&table[ROUTE_METRICS]));
    assert_false(fault_may_touch(&table[ROUTE_READYZ]));
    assert_false(fault_may_touch(&table[ROUTE_NONE]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_boundary_has_two_sides),
        cmocka_unit_test(values_and_seeds_are_those_of_the_fault_in_force),
        cmocka_unit_test(the_way_from_change_to_change_misses_none),
        cmocka_unit_test(the_later_in_the_list_wins),
        cmocka_unit_test(kinds_do_not_cover_each_other),
        cmocka_unit_test(faults_of_the_process_count_no_requests),
        cmocka_unit_test(without_a_plan_nothing_is_in_force),
        cmocka_unit_test(users_routes_may_be_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
