/*
 * What is in force as time goes by, jumps and goes back; what serving threads see of it; what
 * operators change. All times are given: a look is at a moment of ours.
 */
#include "faults/faults.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "diagnostics.h"
#include "options.h"
#include "telemetry/clock.h"

#define SECOND TEL_NS_PER_SECOND

/* 2026-11-26T08:00:00Z: all times of the file's plan count from here. */
#define BEGIN (UINT64_C(1795680000) * SECOND)

static const char file_plan[] =
    "{\"name\":\"file\",\"begin\":\"2026-11-26T08:00:00Z\",\"seed\":5,\"faults\":["
    "{\"route\":\"/demo/hello\",\"start\":\"10s\",\"duration\":\"20s\","
    "\"error\":{\"ratio\":1,\"status\":503}},"
    "{\"start\":\"20s\",\"duration\":\"20s\",\"not_ready\":true},"
    "{\"start\":\"50s\",\"duration\":\"10s\",\"slow_start\":{\"ready_after\":\"1h\"}}]}";

static char path[] = "/tmp/test_faults.XXXXXX";
static struct options options;
static struct faults *faults;
static struct fault_view view;

static int enter(void **state)
{
    (void)state;
    char *arguments[] = {"glassbox", NULL};
    diagnostics_configure(&(struct diagnostics_options){.level = TEL_ERROR, .fd = -1});
    int fd = mkstemp(path);
    bool written = fd >= 0 && write(fd, file_plan, sizeof(file_plan) - 1) == sizeof(file_plan) - 1;
    close(fd);
    return written ? options_load(&options, 1, arguments, NULL, NULL, NULL) : -1;
}

static int leave(void **state)
{
    (void)state;
    return unlink(path);
}

static int create(const char *file)
{
    options.faults = file;
    faults = faults_create(&options);
    if (faults != NULL) {
        fault_view_init(&view, faults);
    }
    return faults != NULL ? 0 : -1;
}

static int without_file(void **state)
{
    (void)state;
    return create("");
}

static int with_file(void **state)
{
    (void)state;
    return create(path);
}

static int destroy(void **state)
{
    (void)state;
    faults_destroy(faults);
    return 0;
}

/* What is in force: E the error, N not ready, S slow start, c counted. */
static void look(uint64_t second, char out[8])
{
    struct faults_facts facts;
    faults_look_at(faults, BEGIN + second * SECOND);
    faults_get_facts(faults, &facts);
    const bool counted = fault_view_counts(&view, ROUTE_HELLO);
    snprintf(out, 8, "%s%s%s%s", counted ? "c" : "",
             view.state.routes[ROUTE_HELLO][FAULT_ERROR].is_on ? "E" : "",
             facts.state.process[FAULT_NOT_READY].is_on ? "N" : "",
             facts.state.process[FAULT_SLOW_START].is_on ? "S" : "");
}

/* The clock as it goes, then set back by an hour and by a second, and ahead. */
static void test_what_is_in_force_follows_the_clock_wherever_it_goes(void **state)
{
    (void)state;
    static const struct {
        uint64_t second;
        const char *in_force;
    } steps[] = {{0, "c"},   {9, "c"},    {10, "cE"},  {19, "cE"},  {20, "cEN"}, {29, "cEN"},
                 {30, "cN"}, {40, "c"},   {50, "cS"},  {60, ""},    {3600, ""},  {15, "cE"},
                 {14, "cE"}, {9, "c"},    {25, "cEN"}, {24, "cEN"}, {5, "c"},    {59, "cS"},
                 {61, ""},   {20, "cEN"}, {0, "c"}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char in_force[8];
        look(steps[i].second, in_force);
        if (strcmp(in_force, steps[i].in_force) != 0) {
            fail_msg("step %zu, at %lu s: `%s`, not `%s`", i, (unsigned long)steps[i].second,
                     in_force, steps[i].in_force);
        }
    }
}

static void test_before_its_begin_nothing_is_counted(void **state)
{
    (void)state;
    faults_look_at(faults, BEGIN - 1);
    assert_false(fault_view_counts(&view, ROUTE_HELLO));
    faults_look_at(faults, BEGIN);
    assert_true(fault_view_counts(&view, ROUTE_HELLO));
    assert_false(fault_view_counts(&view, ROUTE_WORK)); /* the plan does not name it */
}

static void test_a_look_that_finds_nothing_new_publishes_nothing(void **state)
{
    (void)state;
    faults_look_at(faults, BEGIN + 11 * SECOND);
    fault_view_counts(&view, ROUTE_HELLO);
    const uint64_t seen = view.seen;
    for (uint64_t second = 11; second < 20; second++) {
        faults_look_at(faults, BEGIN + second * SECOND);
    }
    fault_view_counts(&view, ROUTE_HELLO);
    assert_int_equal(view.seen, seen);
    faults_look_at(faults, BEGIN + 20 * SECOND);
    fault_view_counts(&view, ROUTE_HELLO);
    assert_int_equal(view.seen, seen + 1);
}

static void test_readiness(void **state)
{
    (void)state;
    faults_look_at(faults, BEGIN + 25 * SECOND);
    assert_int_equal(faults_not_ready(faults), FAULT_NOT_READY);
    faults_look_at(faults, BEGIN + 45 * SECOND);
    assert_int_equal(faults_not_ready(faults), FAULT_KINDS);
    faults_look_at(faults, BEGIN + 55 * SECOND); /* this process is not an hour old */
    assert_int_equal(faults_not_ready(faults), FAULT_SLOW_START);
    faults_look_at(faults, BEGIN + 60 * SECOND);
    assert_int_equal(faults_not_ready(faults), FAULT_KINDS);
}

/* ---- operators --------------------------------------------------------------------------------- */

static json_t *status(void)
{
    struct tel_buffer text;
    json_error_t error;
    tel_buffer_init(&text, 1 << 20);
    faults_append_json(faults, &text);
    assert_int_equal(text.error, 0);
    json_t *json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        fail_msg("%s: %.*s", error.text, (int)text.length, text.data);
    }
    tel_buffer_fini(&text);
    return json;
}

static void assert_source(const char *source, size_t fault_count)
{
    json_t *json = status();
    assert_string_equal(json_string_value(json_object_get(json, "source")), source);
    assert_int_equal(json_array_size(json_object_get(json, "faults")), fault_count);
    json_decref(json);
}

static int put(const char *json)
{
    char reason[FAULT_REASON_BYTES] = "";
    int error = faults_put(faults, json, strlen(json), reason);
    assert_true(error == 0 || reason[0] != '\0');
    return error;
}

static void test_put_play_and_clear(void **state)
{
    (void)state;
    assert_source("none", 0);
    assert_int_equal(put("{\"faults\":[{\"duration\":\"1h\",\"not_ready\":true}]}"), 0);
    assert_source("api", 1);
    assert_int_equal(faults_not_ready(faults), FAULT_NOT_READY); /* at once */
    assert_int_equal(faults_play(faults, "nothing", 7), -ENOENT);
    assert_source("api", 1);
    assert_int_equal(faults_play(faults, "outage", 6), 0);
    json_t *json = status();
    assert_string_equal(json_string_value(json_object_get(json, "source")), "incident");
    json_decref(json);
    assert_int_equal(faults_not_ready(faults), FAULT_KINDS);
    faults_clear(faults);
    assert_source("none", 0);
    faults_clear(faults); /* twice is fine */
}

static void test_what_is_refused_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(put("{\"faults\":[{\"duration\":\"1h\",\"not_ready\":true}]}"), 0);
    fault_view_counts(&view, ROUTE_HELLO);
    const uint64_t seen = view.seen;
    assert_int_equal(put("{"), -EBADMSG);
    assert_int_equal(put(""), -EBADMSG);
    assert_int_equal(put("{}"), -EINVAL);
    assert_int_equal(put("{\"begin\":\"2020-01-01T00:00:00Z\",\"faults\":[{\"duration\":\"1h\","
                         "\"not_ready\":true}]}"),
                     -EINVAL); /* over */
    fault_view_counts(&view, ROUTE_HELLO);
    assert_int_equal(view.seen, seen);
    assert_source("api", 1);
}

static void test_an_override_ends_and_the_file_is_in_force_again(void **state)
{
    (void)state;
    const uint64_t now_ns = tel_clock_wall_ns();
    assert_source("file", 3);
    assert_int_equal(put("{\"faults\":[{\"duration\":\"10s\",\"not_ready\":true}]}"), 0);
    assert_source("api", 1);
    faults_look_at(faults, now_ns + 9 * SECOND);
    assert_source("api", 1);
    faults_look_at(faults, now_ns + 11 * SECOND);
    assert_source("file", 3);
}

/* Every kind, once with each member that is its own. */
static void test_the_answer_has_every_kind(void **state)
{
    (void)state;
    static const char all[] =
        "{\"seed\":9,\"faults\":[{\"route\":\"/demo/*\",\"duration\":\"1h\","
        "\"error\":{\"ratio\":0.25,\"status\":503},"
        "\"latency\":{\"p50\":\"20ms\",\"p90\":\"100ms\",\"p99\":\"1s\"},"
        "\"cpu\":{\"per_request\":\"5ms\"},\"reset\":{\"ratio\":0.5},\"truncate\":{\"ratio\":1}},"
        "{\"start\":\"1h\",\"duration\":\"1h\",\"not_ready\":true,"
        "\"slow_start\":{\"ready_after\":\"30s\"},\"memory\":{\"bytes\":\"64MiB\"},"
        "\"background_cpu\":{\"cpus\":0.5}}]}";
    static const char *const members[][2] = {
        {"error", "\"ratio\":0.25,\"status\":503"},
        {"latency", "\"p50_ms\":20,\"p90_ms\":100,\"p99_ms\":1000"},
        {"cpu", "\"cpu_ms\":5"},
        {"reset", "\"ratio\":0.5"},
        {"truncate", "\"ratio\":1"},
        {"not_ready", "\"fault\":\"not_ready\""},
        {"slow_start", "\"ready_after_ms\":30000"},
        {"memory", "\"bytes\":67108864"},
        {"background_cpu", "\"cpus\":0.5"},
    };
    assert_int_equal(put(all), 0);
    json_t *json = status();
    json_t *list = json_object_get(json, "faults");
    assert_int_equal(json_array_size(list), FAULT_KINDS);
    assert_true(json_is_null(json_object_get(json_object_get(json, "plan"), "name")));
    for (size_t i = 0; i < FAULT_KINDS; i++) {
        json_t *fault = json_array_get(list, i);
        char *text = json_dumps(fault, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
        const bool routed = i < FAULT_ROUTE_KINDS;
        assert_string_equal(json_string_value(json_object_get(fault, "fault")), members[i][0]);
        if (strstr(text, members[i][1]) == NULL) {
            fail_msg("%s has not %s", text, members[i][1]);
        }
        assert_int_equal(json_object_get(fault, "route") != NULL, routed);
        assert_int_equal(json_array_size(json_object_get(fault, "routes")), routed ? 3 : 0);
        assert_int_equal(json_integer_value(json_object_get(fault, "seed")), 9);
        assert_string_equal(json_string_value(json_object_get(fault, "state")),
                            routed ? "in_force" : "scheduled");
        assert_in_range(json_integer_value(json_object_get(fault, "remaining_ms")),
                        routed ? 3500000 : 3600000, 3600000);
        free(text);
    }
    json_decref(json);
}

/* ---- threads ----------------------------------------------------------------------------------- */

#define READERS 3
#define ARMINGS 200

static atomic_bool over;

struct reader {
    pthread_t thread;
    _Atomic uint64_t looks; /* at a plan */
    uint64_t torn;
};

/* What a view has must be whole: the error's seed is also its status less 400. */
static void *read_views(void *argument)
{
    struct fault_view own;
    struct reader *reader = argument;
    fault_view_init(&own, faults);
    while (!atomic_load(&over)) {
        if (fault_view_counts(&own, ROUTE_HELLO)) {
            reader->torn += own.state.routes[ROUTE_HELLO][FAULT_ERROR].seed + 400 !=
                            own.state.routes[ROUTE_HELLO][FAULT_ERROR].value.status;
            atomic_fetch_add(&own.counts->routes[ROUTE_HELLO].requests, 1);
            atomic_fetch_add(&reader->looks, 1);
        }
    }
    return NULL;
}

static void test_views_are_whole_while_plans_come_and_go(void **state)
{
    (void)state;
    struct reader readers[READERS] = {{.torn = 0}};
    atomic_store(&over, false);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_views, &readers[i]), 0);
    }
    for (unsigned i = 0; i < ARMINGS; i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "{\"seed\":%u,\"faults\":[{\"route\":\"/demo/hello\",\"duration\":\"1h\","
                 "\"error\":{\"ratio\":1,\"status\":%u}}]}",
                 i % 100, i % 100 + 400);
        assert_int_equal(put(text), 0);
        faults_look(faults);
        if (i % 7 == 0) {
            faults_clear(faults);
        }
    }
    for (size_t i = 0; i < READERS; i++) {
        while (atomic_load(&readers[i].looks) == 0) {
            sched_yield(); /* the last plan is armed: each comes to see it */
        }
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].torn, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_in_force_follows_the_clock_wherever_it_goes,
                                        with_file, destroy),
        cmocka_unit_test_setup_teardown(test_before_its_begin_nothing_is_counted, with_file,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_a_look_that_finds_nothing_new_publishes_nothing,
                                        with_file, destroy),
        cmocka_unit_test_setup_teardown(test_readiness, with_file, destroy),
        cmocka_unit_test_setup_teardown(test_put_play_and_clear, without_file, destroy),
        cmocka_unit_test_setup_teardown(test_what_is_refused_changes_nothing, without_file,
                                        destroy),
        cmocka_unit_test_setup_teardown(test_an_override_ends_and_the_file_is_in_force_again,
                                        with_file, destroy),
        cmocka_unit_test_setup_teardown(test_the_answer_has_every_kind, without_file, destroy),
        cmocka_unit_test_setup_teardown(test_views_are_whole_while_plans_come_and_go, without_file,
                                        destroy),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
