/* Whose plan is in force, and that requests are counted by the arming they belong to. */
#include "faults/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define BEGIN  (UINT64_C(1000) * SECOND)

static struct fault_layers layers;

/* A plan of one fault, from `from` to `to` seconds after BEGIN. */
static struct fault_plan plan_of(const char *name, uint64_t from, uint64_t to)
{
    struct fault_plan plan = {.begin_wall_ns = BEGIN, .fault_count = 1};
    plan.faults[0] = (struct fault){.kind = FAULT_ERROR,
                                    .routes = 1u << ROUTE_HELLO,
                                    .start_wall_ns = BEGIN + from * SECOND,
                                    .end_wall_ns = BEGIN + to * SECOND};
    strcpy(plan.name, name);
    return plan;
}

static void arm(enum fault_source source, const char *name, uint64_t from, uint64_t to)
{
    const struct fault_plan plan = plan_of(name, from, to);
    fault_layers_arm(&layers, source, &plan);
}

static const char *name_at(uint64_t second)
{
    const struct fault_layer *layer = fault_layers_at(&layers, BEGIN + second * SECOND);
    return layer->source == FAULT_SOURCE_NONE ? "none" : layer->plan.name;
}

static int setup(void **state)
{
    (void)state;
    fault_layers_init(&layers);
    return 0;
}

static void test_nothing_is_armed(void **state)
{
    (void)state;
    assert_string_equal(name_at(0), "none");
    assert_true(fault_layers_next_change(&layers, BEGIN) == UINT64_MAX);
    fault_layers_take_off(&layers); /* nothing is fine */
    assert_int_equal(layers.armings, 0);
}

static void test_an_override_hides_the_file_from_arming_to_end(void **state)
{
    (void)state;
    arm(FAULT_SOURCE_FILE, "file", 0, 100);
    assert_string_equal(name_at(1), "file");
    arm(FAULT_SOURCE_API, "api", 10, 20);
    assert_string_equal(name_at(1), "api"); /* also before its fault begins */
    assert_true(fault_layers_next_change(&layers, BEGIN + SECOND) == BEGIN + 10 * SECOND);
    assert_string_equal(name_at(19), "api");
    assert_string_equal(name_at(20), "file");
    assert_string_equal(name_at(15), "file"); /* it was over once: that is for good */
    assert_true(fault_layers_next_change(&layers, BEGIN + 20 * SECOND) == BEGIN + 100 * SECOND);
    assert_string_equal(name_at(200), "file"); /* over, and still what is armed */
}

static void test_taken_off_and_replaced(void **state)
{
    (void)state;
    arm(FAULT_SOURCE_API, "first", 0, 50);
    arm(FAULT_SOURCE_INCIDENT, "second", 0, 60);
    assert_string_equal(name_at(1), "second");
    assert_int_equal(fault_layers_at(&layers, BEGIN)->source, FAULT_SOURCE_INCIDENT);
    arm(FAULT_SOURCE_FILE, "file", 0, 70); /* below it: it stays */
    assert_string_equal(name_at(1), "second");
    fault_layers_take_off(&layers);
    assert_string_equal(name_at(1), "file");
}

static uint64_t count(struct fault_counts *counts)
{
    return atomic_fetch_add(&counts->routes[ROUTE_HELLO].requests, 1);
}

static void test_an_arming_counts_anew_and_the_other_layer_goes_on(void **state)
{
    (void)state;
    arm(FAULT_SOURCE_FILE, "file", 0, 1000);
    struct fault_counts *file = layers.file.counts;
    assert_int_equal(count(file), 0);
    assert_int_equal(count(file), 1);
    for (uint64_t i = 0; i < 3 * FAULT_COUNT_SETS; i++) {
        struct fault_counts *before = layers.override.counts;
        arm(FAULT_SOURCE_API, "api", 0, 1000);
        assert_ptr_not_equal(layers.override.counts, file);
        assert_ptr_not_equal(layers.override.counts, before);
        assert_int_equal(count(layers.override.counts), 0);
    }
    fault_layers_take_off(&layers);
    assert_int_equal(count(fault_layers_at(&layers, BEGIN)->counts), 2);
}

/* A thread that saw what was armed before counts there, not in what began since. */
static void test_a_late_count_goes_where_it_belongs(void **state)
{
    (void)state;
    arm(FAULT_SOURCE_API, "before", 0, 1000);
    struct fault_counts *before = layers.override.counts;
    arm(FAULT_SOURCE_API, "after", 0, 1000);
    count(before);
    count(before);
    assert_int_equal(count(layers.override.counts), 0);
}

static void test_names_of_sources(void **state)
{
    (void)state;
    assert_string_equal(fault_source_name(FAULT_SOURCE_NONE), "none");
    assert_string_equal(fault_source_name(FAULT_SOURCE_FILE), "file");
    assert_string_equal(fault_source_name(FAULT_SOURCE_API), "api");
    assert_string_equal(fault_source_name(FAULT_SOURCE_INCIDENT), "incident");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_is_armed, setup),
        cmocka_unit_test_setup(test_an_override_hides_the_file_from_arming_to_end, setup),
        cmocka_unit_test_setup(test_taken_off_and_replaced, setup),
        cmocka_unit_test_setup(test_an_arming_counts_anew_and_the_other_layer_goes_on, setup),
        cmocka_unit_test_setup(test_a_late_count_goes_where_it_belongs, setup),
        cmocka_unit_test(test_names_of_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
