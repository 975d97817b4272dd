/*
 * Good documents: what becomes of each key, what a key that is left out means, and the bounds.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "documents.h"
#include "telemetry/buffer.h"

static void read_plan(const char *document, struct fault_plan *plan)
{
    char reason[FAULT_REASON_BYTES] = "untouched";
    const int result = documents_parse(document, false, plan, reason);
    if (result != 0) {
        fail_msg("%s\n  gave %d: %s", document, result, reason);
    }
    assert_string_equal(reason, "untouched");
}

static uint32_t bits(enum route_id a, enum route_id b, enum route_id c, enum route_id d)
{
    uint32_t routes = 1u << a | 1u << b | 1u << c | 1u << d;
    return routes & ~1u; /* ROUTE_NONE stands for none */
}

/* The example of docs/faults.md; times count from its begin, and routes are looked at apart. */
static const char example[] =
    "{'name':'checkout','description':'words','begin':'2026-11-26T09:00:00+01:00',"
    "'seed':42,'faults':["
    "{'route':'/demo/hello','start':'1m','duration':'10m','seed':7,"
    "'error':{'ratio':0.3,'status':503},"
    "'latency':{'p50':'20ms','p90':'100ms','p99':'1s'}},"
    "{'route':'/demo/*','end':'2026-11-26T09:00:00Z','cpu':{'per_request':'5ms'}},"
    "{'route':'/','duration':'5m','reset':{'ratio':0.1},'truncate':{'ratio':0.2}},"
    "{'duration':'2m','not_ready':true,'slow_start':{'ready_after':'30s'},"
    "'memory':{'bytes':'64MiB'},'background_cpu':{'cpus':0.5}}]}";

static const struct fault example_faults[] = {
    {.kind = FAULT_ERROR,
     .pattern = "/demo/hello",
     .seed = 7,
     .start_wall_ns = MINUTE_NS,
     .end_wall_ns = 11 * MINUTE_NS,
     .value = {.ratio = 0.3, .status = 503}},
    {.kind = FAULT_LATENCY,
     .pattern = "/demo/hello",
     .seed = 7,
     .start_wall_ns = MINUTE_NS,
     .end_wall_ns = 11 * MINUTE_NS,
     .value = {.p50_ns = 20000000, .p90_ns = 100000000, .p99_ns = 1000000000}},
    {.kind = FAULT_CPU,
     .pattern = "/demo/*",
     .seed = 42,
     .end_wall_ns = 60 * MINUTE_NS,
     .value = {.cpu_ns = 5000000}},
    {.kind = FAULT_RESET,
     .pattern = "/",
     .seed = 42,
     .end_wall_ns = 5 * MINUTE_NS,
     .value = {.ratio = 0.1}},
    {.kind = FAULT_TRUNCATE,
     .pattern = "/",
     .seed = 42,
     .end_wall_ns = 5 * MINUTE_NS,
     .value = {.ratio = 0.2}},
    {.kind = FAULT_NOT_READY, .seed = 42, .end_wall_ns = 2 * MINUTE_NS},
    {.kind = FAULT_SLOW_START,
     .seed = 42,
     .end_wall_ns = 2 * MINUTE_NS,
     .value = {.ready_ns = 30 * SECOND_NS}},
    {.kind = FAULT_MEMORY, .seed = 42, .end_wall_ns = 2 * MINUTE_NS, .value = {.bytes = 64 << 20}},
    {.kind = FAULT_BACKGROUND_CPU,
     .seed = 42,
     .end_wall_ns = 2 * MINUTE_NS,
     .value = {.cpus = 0.5}},
};

static void check_fault(const struct fault *fault, const struct fault *expected, uint32_t routes)
{
    assert_int_equal(fault->kind, expected->kind);
    assert_string_equal(fault->pattern, expected->pattern);
    assert_int_equal(fault->routes, routes);
    assert_int_equal(fault->seed, expected->seed);
    assert_int_equal(fault->start_wall_ns, EIGHT_NS + expected->start_wall_ns);
    assert_int_equal(fault->end_wall_ns, EIGHT_NS + expected->end_wall_ns);
    assert_true(fault->value.ratio == expected->value.ratio);
    assert_int_equal(fault->value.status, expected->value.status);
    assert_int_equal(fault->value.p50_ns, expected->value.p50_ns);
    assert_int_equal(fault->value.p90_ns, expected->value.p90_ns);
    assert_int_equal(fault->value.p99_ns, expected->value.p99_ns);
    assert_int_equal(fault->value.cpu_ns, expected->value.cpu_ns);
    assert_int_equal(fault->value.ready_ns, expected->value.ready_ns);
    assert_int_equal(fault->value.bytes, expected->value.bytes);
    assert_true(fault->value.cpus == expected->value.cpus);
}

static void every_key_is_read(void **state)
{
    const uint32_t root = 1u << ROUTE_ROOT;
    const uint32_t hello = 1u << ROUTE_HELLO;
    const uint32_t demos = bits(ROUTE_HELLO, ROUTE_RANDOM_ERROR, ROUTE_WORK, ROUTE_NONE);
    const uint32_t routes[] = {hello, hello, demos, root, root, 0, 0, 0, 0};
    struct fault_plan plan;
    (void)state;
    read_plan(example, &plan);
    assert_string_equal(plan.name, "checkout");
    assert_int_equal(plan.begin_wall_ns, EIGHT_NS);
    assert_int_equal(plan.seed, 42);
    assert_int_equal(plan.fault_count, 9);
    for (size_t i = 0; i < plan.fault_count; i++) {
        check_fault(&plan.faults[i], &example_faults[i], routes[i]);
    }
}

static void what_is_left_out_has_a_meaning(void **state)
{
    struct fault_plan plan;
    (void)state;
    read_plan("{'faults':[{'route':'/','duration':'1m','error':{'ratio':1}}]}", &plan);
    assert_string_equal(plan.name, "");
    assert_int_equal(plan.begin_wall_ns, EIGHT_NS); /* now */
    assert_int_equal(plan.seed, 0);
    assert_int_equal(plan.faults[0].seed, 0);
    assert_int_equal(plan.faults[0].start_wall_ns, EIGHT_NS);
    assert_int_equal(plan.faults[0].value.status, 500);
}

static void a_plan_may_have_no_fault(void **state)
{
    struct fault_plan plan;
    (void)state;
    read_plan("{'begin':'2026-11-26T08:00:01Z','faults':[]}", &plan);
    assert_int_equal(plan.fault_count, 0);
    assert_int_equal(fault_plan_end(&plan), EIGHT_NS + SECOND_NS);
}

static void a_timeline_is_one_list(void **state)
{
    struct fault_plan plan;
    (void)state;
    read_plan("{'timeline':["
              "{'at':'0','faults':[{'not_ready':true,'duration':'1m'}]},"
              "{'at':'5m','note':'worse','faults':["
              "{'route':'/','start':'30s','duration':'2m','seed':3,'reset':{'ratio':1}},"
              "{'route':'/','end':'2026-11-26T08:07:00Z','reset':{'ratio':0.5}}]},"
              "{'at':'10m','note':'over','faults':[]}],'seed':9,'name':'it'}",
              &plan);
    assert_string_equal(plan.name, "it");
    assert_int_equal(plan.fault_count, 3);
    assert_int_equal(plan.faults[0].start_wall_ns, EIGHT_NS);
    assert_int_equal(plan.faults[1].start_wall_ns, EIGHT_NS + 5 * MINUTE_NS + 30 * SECOND_NS);
    assert_int_equal(plan.faults[1].end_wall_ns, EIGHT_NS + 7 * MINUTE_NS + 30 * SECOND_NS);
    assert_int_equal(plan.faults[1].seed, 3);
    assert_int_equal(plan.faults[2].start_wall_ns, EIGHT_NS + 5 * MINUTE_NS);
    assert_int_equal(plan.faults[2].end_wall_ns, EIGHT_NS + 7 * MINUTE_NS);
    assert_int_equal(plan.faults[2].seed, 9);
    assert_int_equal(fault_plan_end(&plan), EIGHT_NS + 7 * MINUTE_NS + 30 * SECOND_NS);
}

static void patterns_name_what_users_call(void **state)
{
    const struct {
        const char *pattern;
        uint32_t routes;
    } rows[] = {
        {"/", 1u << ROUTE_ROOT},
        {"/demo/work", 1u << ROUTE_WORK},
        {"/demo/*", bits(ROUTE_HELLO, ROUTE_RANDOM_ERROR, ROUTE_WORK, ROUTE_NONE)},
        {"/demo/h*", 1u << ROUTE_HELLO},
        {"/demo/hello*", 1u << ROUTE_HELLO},
        {"/*", bits(ROUTE_ROOT, ROUTE_HELLO, ROUTE_RANDOM_ERROR, ROUTE_WORK)},
        {"*", bits(ROUTE_ROOT, ROUTE_HELLO, ROUTE_RANDOM_ERROR, ROUTE_WORK)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char document[200];
        struct fault_plan plan;
        snprintf(document, sizeof(document),
                 "{'faults':[{'route':'%s','duration':'1s','reset':{'ratio':1}}]}",
                 rows[i].pattern);
        read_plan(document, &plan);
        assert_string_equal(plan.faults[0].pattern, rows[i].pattern);
        assert_int_equal(plan.faults[0].routes, rows[i].routes);
    }
}

/* The ends of each range, which are inside. */
static void bounds_are_taken(void **state)
{
    struct fault_plan plan;
    (void)state;
    read_plan("{'seed':9007199254740992,'faults':["
              "{'route':'*','start':'168h','duration':'168h','error':{'ratio':0,'status':400},"
              "'latency':{'p50':'0','p90':'0','p99':'60s'},'cpu':{'per_request':'1m'}},"
              "{'route':'*','duration':'1ms','error':{'ratio':1.0,'status':599},"
              "'latency':{'p50':'1m','p90':'1m','p99':'1m'},'cpu':{'per_request':'1ms'}},"
              "{'end':'2026-12-03T08:00:00Z','slow_start':{'ready_after':'168h'},"
              "'memory':{'bytes':'1024'},'background_cpu':{'cpus':64}},"
              "{'duration':'1h','slow_start':{'ready_after':'1ms'},'memory':{'bytes':'1024GiB'},"
              "'background_cpu':{'cpus':1e-3},'seed':0}]}",
              &plan);
    assert_int_equal(plan.seed, FAULT_SEED_MAX);
    assert_int_equal(plan.fault_count, 12);
    assert_int_equal(fault_plan_end(&plan), EIGHT_NS + 14 * 24 * 60 * MINUTE_NS);
    assert_int_equal(plan.faults[3].end_wall_ns, EIGHT_NS + 1000000);
    assert_true(plan.faults[3].value.ratio == 1);
    assert_int_equal(plan.faults[4].value.p50_ns, MINUTE_NS);
    assert_int_equal(plan.faults[10].value.bytes, UINT64_C(1) << 40);
    assert_int_equal(plan.faults[10].seed, 0); /* its own, though it is 0 */
}

static void minus_nothing_is_nothing(void **state)
{
    struct fault_plan plan;
    (void)state;
    read_plan("{'faults':[{'route':'/','duration':'1m','error':{'ratio':-0.0}}]}", &plan);
    assert_true(__builtin_signbit(plan.faults[0].value.ratio) == 0);
}

/* `count` entries of two kinds, in one list, or in a timeline of so many steps. */
static int read_many(size_t steps, size_t entries, struct fault_plan *plan,
                     char reason[FAULT_REASON_BYTES])
{
    struct tel_buffer text;
    tel_buffer_init(&text, 1 << 20);
    tel_buffer_append_string(&text, "{'name':'n','timeline':[");
    for (size_t step = 0; step < steps; step++) {
        tel_buffer_append_format(&text, "%s{'at':'%zums','faults':[", step > 0 ? "," : "", step);
        for (size_t i = 0; i < entries; i++) {
            tel_buffer_append_format(&text,
                                     "%s{'duration':'1m','not_ready':true,"
                                     "'slow_start':{'ready_after':'1s'}}",
                                     i > 0 ? "," : "");
        }
        tel_buffer_append_string(&text, "]}");
    }
    tel_buffer_append_string(&text, "]}");
    tel_buffer_append_char(&text, '\0');
    const int result = documents_parse(text.data, false, plan, reason);
    tel_buffer_fini(&text);
    return result;
}

static void faults_and_steps_are_bounded(void **state)
{
    struct fault_plan plan;
    char reason[FAULT_REASON_BYTES];
    (void)state;
    assert_int_equal(read_many(1, 32, &plan, reason), 0);
    assert_int_equal(plan.fault_count, FAULT_PLAN_FAULTS_MAX);
    assert_int_equal(read_many(16, 2, &plan, reason), 0);
    assert_int_equal(plan.fault_count, FAULT_PLAN_FAULTS_MAX);
    assert_int_equal(read_many(FAULT_PLAN_STEPS_MAX, 0, &plan, reason), 0);
    assert_int_equal(plan.fault_count, 0);

    assert_int_equal(read_many(1, 33, &plan, reason), -EINVAL);
    assert_string_equal(reason,
                        "timeline[0].faults[32]: more than 64 faults, each kind of an entry "
                        "counted");
    assert_int_equal(read_many(11, 3, &plan, reason), -EINVAL);
    assert_string_equal(reason,
                        "timeline[10].faults[2]: more than 64 faults, each kind of an entry "
                        "counted");
    assert_int_equal(read_many(FAULT_PLAN_STEPS_MAX + 1, 0, &plan, reason), -EINVAL);
    assert_string_equal(reason, "timeline: 65 steps: 64 are allowed");
}

/* A document as large as may be, with as many faults as may be, finds room. */
static void the_largest_plan_finds_room(void **state)
{
    static char document[FAULT_PLAN_BYTES_MAX];
    struct fault_plan plan;
    char reason[FAULT_REASON_BYTES] = "";
    struct tel_buffer text;
    (void)state;
    tel_buffer_init(&text, sizeof(document));
    tel_buffer_append_string(&text, "{\"faults\":[");
    for (size_t i = 0; i < FAULT_PLAN_FAULTS_MAX; i++) {
        tel_buffer_append_format(&text,
                                 "%s{\"route\":\"/demo/hello\",\"start\":\"%zus\",\"duration\":"
                                 "\"1m\",\"seed\":%zu,\"latency\":{\"p50\":\"1ms\",\"p90\":\"2ms\","
                                 "\"p99\":\"3ms\"}}",
                                 i > 0 ? "," : "", i, i);
    }
    tel_buffer_append_string(&text, "],\"description\":\"");
    memset(document, 'x', sizeof(document));
    memcpy(document, text.data, text.length);
    memcpy(document + sizeof(document) - 2, "\"}", 2);
    tel_buffer_fini(&text);
    assert_int_equal(fault_plan_parse(document, sizeof(document), false, EIGHT_NS, &plan, reason),
                     0);
    assert_int_equal(plan.fault_count, FAULT_PLAN_FAULTS_MAX);
    assert_int_equal(plan.faults[63].seed, 63);
}

static void kinds_are_what_the_table_says(void **state)
{
    (void)state;
    assert_string_equal(fault_kind_name(FAULT_ERROR), "error");
    assert_string_equal(fault_kind_name(FAULT_BACKGROUND_CPU), "background_cpu");
    assert_string_equal(fault_kind_help(FAULT_NOT_READY), "/readyz answers 503");
    for (size_t kind = 0; kind < FAULT_KINDS; kind++) {
        assert_int_equal(fault_kind_scope(kind) == FAULT_SCOPE_ROUTE, kind < FAULT_ROUTE_KINDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_left_out_has_a_meaning),
        cmocka_unit_test(a_plan_may_have_no_fault),
        cmocka_unit_test(a_timeline_is_one_list),
        cmocka_unit_test(patterns_name_what_users_call),
        cmocka_unit_test(bounds_are_taken),
        cmocka_unit_test(minus_nothing_is_nothing),
        cmocka_unit_test(faults_and_steps_are_bounded),
        cmocka_unit_test(the_largest_plan_finds_room),
        cmocka_unit_test(kinds_are_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
