/*
 * Reading a plan with each allocation refused in turn: it is read, refused for what is wrong with it,
 * or there is no memory; then nothing has changed and nothing is left behind. jansson's own calls are
 * part of it: they go through document.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "documents.h"
#include "faults.h"

/* Long strings and keys, lists and objects that grow: all that a parser asks memory for. */
static const char good[] =
    "{'name':'a-name-that-is-longer-than-sixteen-bytes','description':'words words words words',"
    "'begin':'2026-11-26T08:00:00.123456789+01:00','seed':1234567890123456,'faults':["
    "{'route':'/demo/random-error','duration':'10m','error':{'ratio':0.12345678901234567}},"
    "{'route':'/demo/*','start':'1m','duration':'10m','seed':7,'cpu':{'per_request':'5ms'},"
    "'latency':{'p50':'20ms','p90':'100ms','p99':'1s'},'reset':{'ratio':0.1},"
    "'truncate':{'ratio':0.1}},{'duration':'2m','not_ready':true,'memory':{'bytes':'64MiB'},"
    "'slow_start':{'ready_after':'30s'},'background_cpu':{'cpus':0.5}}]}";

/* Each turn of a document that ends with `result` and `reason` when nothing is refused. */
static void refuse_in_turn(const char *document, int result, const char *reason)
{
    struct faults faults = {.kinds = FAULTS_OURS};
    while (faults_next(&faults)) {
        struct fault_plan plan;
        struct fault_plan untouched;
        char said[FAULT_REASON_BYTES] = "";
        memset(&plan, 0x5a, sizeof(plan));
        memset(&untouched, 0x5a, sizeof(untouched));
        faults_stop(); /* the test's own copy of the document */
        const size_t length = strlen(document);
        char *json = malloc(length);
        for (size_t i = 0; i < length; i++) {
            json[i] = (char)(document[i] == '\'' ? '"' : document[i]);
        }
        faults_resume();
        const int got = fault_plan_parse(json, length, false, EIGHT_NS, &plan, said);
        faults_stop();
        free(json);
        assert_int_equal(got, faults_struck() ? -ENOMEM : result);
        assert_string_equal(said, faults_struck() ? "there is no memory to read it" : reason);
        if (got != 0) {
            assert_memory_equal(&plan, &untouched, sizeof(plan));
        } else {
            assert_int_equal(plan.fault_count, 9);
        }
    }
    assert_true(faults.turns > 2);
}

static void a_good_plan_is_read_or_there_is_no_memory(void **state)
{
    (void)state;
    refuse_in_turn(good, 0, "");
}

static void a_bad_plan_is_refused_or_there_is_no_memory(void **state)
{
    (void)state;
    refuse_in_turn("{'faults':[{'route':'/','duration':'1m','error':{'ratio':7}}]}", -EINVAL,
                   "faults[0].error.ratio: 7 is not a ratio: 0 to 1");
    refuse_in_turn("{'faults':[{'duration':'1 m','not_ready':true}]}", -EINVAL,
                   "faults[0].duration: `1 m` is not a duration with a unit, such as 500ms, 2s or "
                   "1m");
    refuse_in_turn("{'faults':[{'route':'/metrics','duration':'1m'}]}", -EINVAL,
                   "faults[0].route: `/metrics` names no route that users call: /, /demo/hello, "
                   "/demo/random-error, /demo/work, or the start of some with a * behind it");
    refuse_in_turn("{'faults':[{'duration':'1m','not_ready':true,'a key that is not known':1}]}",
                   -EINVAL,
                   "faults[0]: unknown key `a key that is not known`; allowed: route, start, "
                   "duration, end, seed, error, latency, cpu, reset, truncate, not_ready, "
                   "slow_start, memory, background_cpu");
}

static void what_is_not_json_is_refused_or_there_is_no_memory(void **state)
{
    (void)state;
    refuse_in_turn("{'a string that does not end, and is longer than a parser begins with",
                   -EBADMSG, "line 1, column 69: not JSON: premature end of input");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_plan_is_read_or_there_is_no_memory),
        cmocka_unit_test(a_bad_plan_is_refused_or_there_is_no_memory),
        cmocka_unit_test(what_is_not_json_is_refused_or_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
