/*
 * The incidents that the program carries: each is read, and at the minutes below has in force what its
 * name promises.
 */
#include "faults/incidents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "documents.h"

static void read_incident(const char *name, struct fault_plan *plan)
{
    size_t length = 0;
    const char *document = fault_incident_find(name, strlen(name), &length);
    char reason[FAULT_REASON_BYTES] = "";
    assert_non_null(document);
    const int result = fault_plan_parse(document, length, false, EIGHT_NS, plan, reason);
    if (result != 0) {
        fail_msg("%s: %s", name, reason);
    }
    assert_string_equal(plan->name, name);
}

static void each_has_its_name_and_ends(void **state)
{
    static const struct {
        const char *name;
        unsigned minutes;
    } rows[] = {{"outage", 25}, {"saturation", 30}, {"slow-burn", 60}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fault_plan plan;
        assert_string_equal(fault_incident_name(i), rows[i].name);
        read_incident(rows[i].name, &plan);
        assert_int_equal(plan.begin_wall_ns, EIGHT_NS);
        assert_int_equal(fault_plan_end(&plan), EIGHT_NS + rows[i].minutes * MINUTE_NS);
    }
    assert_null(fault_incident_name(3));
    assert_null(fault_incident_name(SIZE_MAX));
}

static void other_names_are_not_found(void **state)
{
    size_t length = 77;
    (void)state;
    assert_null(fault_incident_find("outag", 5, &length));
    assert_null(fault_incident_find("outages", 7, &length));
    assert_null(fault_incident_find("Outage", 6, &length));
    assert_null(fault_incident_find("", 0, &length));
    assert_null(fault_incident_find("../outage", 9, &length));
    assert_int_equal(length, 77);
    assert_non_null(fault_incident_find("outage?", 6, &length)); /* it need not end there */
}

/* Of one moment, as people look at it: /demo/hello stands for all. */
struct moment {
    unsigned seconds;
    double errors;
    double resets;
    double truncated;
    unsigned p99_ms;
    unsigned cpu_ms;
    unsigned mib;
    double cpus;
    bool not_ready;
    bool slow_start;
};

static void check(const char *name, const struct moment *moments, size_t count)
{
    struct fault_plan plan;
    read_incident(name, &plan);
    for (size_t i = 0; i < count; i++) {
        const struct moment *moment = &moments[i];
        struct fault_state now;
        fault_plan_at(&plan, EIGHT_NS + moment->seconds * SECOND_NS, &now);
        assert_true(now.routes[ROUTE_HELLO][FAULT_ERROR].value.ratio == moment->errors);
        assert_true(now.routes[ROUTE_HELLO][FAULT_RESET].value.ratio == moment->resets);
        assert_true(now.routes[ROUTE_HELLO][FAULT_TRUNCATE].value.ratio == moment->truncated);
        assert_int_equal(now.routes[ROUTE_HELLO][FAULT_LATENCY].value.p99_ns,
                         moment->p99_ms * TEL_NS_PER_MS);
        assert_int_equal(now.routes[ROUTE_HELLO][FAULT_CPU].value.cpu_ns,
                         moment->cpu_ms * TEL_NS_PER_MS);
        assert_int_equal(now.process[FAULT_MEMORY].value.bytes, (uint64_t)moment->mib << 20);
        assert_true(now.process[FAULT_BACKGROUND_CPU].value.cpus == moment->cpus);
        assert_int_equal(now.process[FAULT_NOT_READY].is_on, moment->not_ready);
        assert_int_equal(now.process[FAULT_SLOW_START].is_on, moment->slow_start);
    }
}
#define CHECK(name, moments) check(name, moments, sizeof(moments) / sizeof((moments)[0]))

static void an_outage_is_sudden_and_recovers(void **state)
{
    static const struct moment moments[] = {
        {.seconds = 0, .p99_ms = 800},
        {.seconds = 120, .errors = 0.4, .resets = 0.05, .p99_ms = 2000},
        {.seconds = 150, .errors = 0.4, .resets = 0.05, .p99_ms = 2000, .not_ready = true},
        {.seconds = 180, .errors = 0.4, .resets = 0.05, .p99_ms = 2000},
        {.seconds = 300, .errors = 0.8, .resets = 0.1, .truncated = 0.05, .p99_ms = 4000},
        {.seconds = 360,
         .errors = 0.8,
         .resets = 0.1,
         .truncated = 0.05,
         .p99_ms = 4000,
         .not_ready = true},
        {.seconds = 405, .errors = 0.8, .resets = 0.1, .truncated = 0.05, .p99_ms = 4000},
        {.seconds = 540,
         .errors = 0.8,
         .resets = 0.1,
         .truncated = 0.05,
         .p99_ms = 4000,
         .not_ready = true},
        {.seconds = 720, .errors = 0.25, .p99_ms = 2000, .slow_start = true},
        {.seconds = 960, .errors = 0.05, .p99_ms = 600, .slow_start = true},
        {.seconds = 1200, .errors = 0.005},
        {.seconds = 1500},
    };
    (void)state;
    CHECK("outage", moments);
}

static void saturation_costs_cpu_and_memory_and_no_errors(void **state)
{
    static const struct moment moments[] = {
        {.seconds = 0, .cpu_ms = 2},
        {.seconds = 300, .cpu_ms = 5, .p99_ms = 50, .mib = 16, .cpus = 0.1},
        {.seconds = 720, .cpu_ms = 10, .p99_ms = 150, .mib = 32, .cpus = 0.2},
        {.seconds = 1200, .cpu_ms = 20, .p99_ms = 400, .mib = 48, .cpus = 0.3},
        {.seconds = 1560, .cpu_ms = 3},
        {.seconds = 1800},
    };
    (void)state;
    CHECK("saturation", moments);
}

static void a_slow_burn_creeps(void **state)
{
    static const struct moment moments[] = {
        {.seconds = 0, .p99_ms = 60},
        {.seconds = 600, .errors = 0.003, .p99_ms = 150},
        {.seconds = 1500, .errors = 0.007, .p99_ms = 350},
        {.seconds = 2400, .errors = 0.012, .p99_ms = 700},
        {.seconds = 3600},
    };
    (void)state;
    CHECK("slow-burn", moments);
}

/* As its description says: six and a half hours' worth of 99.9 %, and never 14.4 times the rate. */
static void a_slow_burn_spends_what_it_says(void **state)
{
    struct fault_plan plan;
    double spent = 0;
    (void)state;
    read_incident("slow-burn", &plan);
    for (unsigned second = 0; second < 3600; second++) {
        struct fault_state now;
        fault_plan_at(&plan, EIGHT_NS + second * SECOND_NS, &now);
        spent += now.routes[ROUTE_HELLO][FAULT_ERROR].value.ratio / 0.001;
        assert_true(now.routes[ROUTE_HELLO][FAULT_ERROR].value.ratio < 0.0144);
    }
    assert_true(spent / 3600 > 6.49 && spent / 3600 < 6.51);
}

/* Nobody is left in the dark between two steps: while an incident lasts, something is in force. */
static void incidents_have_no_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; fault_incident_name(i) != NULL; i++) {
        struct fault_plan plan;
        read_incident(fault_incident_name(i), &plan);
        for (uint64_t at = plan.begin_wall_ns; at < fault_plan_end(&plan);
             at = fault_plan_next_change(&plan, at)) {
            struct fault_state now;
            fault_plan_at(&plan, at, &now);
            assert_true(now.is_on);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_name_and_ends),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(an_outage_is_sudden_and_recovers),
        cmocka_unit_test(saturation_costs_cpu_and_memory_and_no_errors),
        cmocka_unit_test(a_slow_burn_creeps),
        cmocka_unit_test(a_slow_burn_spends_what_it_says),
        cmocka_unit_test(incidents_have_no_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
