/*
 * Bad documents: each is refused in exactly these words, and changes nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "documents.h"

struct row {
    const char *document;
    const char *reason;
};

#define USERS_ROUTES                                                                           \
    " names no route that users call: /, /demo/hello, /demo/random-error, /demo/work, or the " \
    "start of some with a * behind it"
#define ROOT_KEYS     "; allowed: name, description, begin, seed, faults, timeline"
#define KINDS         "error, latency, cpu, reset, truncate, not_ready, slow_start, memory, background_cpu"
#define ENTRY_KEYS    "; allowed: route, start, duration, end, seed, " KINDS
#define NO_FAULT      "no fault; one or more of: " KINDS
#define DURATION_FORM " is not a duration with a unit, such as \"500ms\", \"2s\" or \"1m\""
#define TIME_FORM     " is not a time with its zone, such as \"2026-11-26T08:00:00Z\""
#define SIZE_FORM     " is not a size, such as \"512k\" or \"64MiB\""
#define NAME_FORM     " is not a name: 1 to 63 of A-Z a-z 0-9 . _ -"
#define SEED_FORM     " is not a whole number from 0 to 9007199254740992"

/* One entry, and the plan around it. */
#define PLAN(entry)     "{'faults':[" entry "]}"
#define ROUTE(kinds)    PLAN("{'route':'/','duration':'1m'," kinds "}")
#define PROCESS(kinds)  PLAN("{'duration':'1m'," kinds "}")
#define WHEN(when)      PLAN("{'not_ready':true," when "}")
#define AT_ROUTE(path)  PLAN("{'route':" path ",'duration':'1m','reset':{'ratio':1}}")
#define TIMELINE(steps) "{'name':'n','timeline':[" steps "]}"

static const struct row not_json[] = {
    {"", "not JSON: the document is empty"},
    {" \n", "line 2, column 0: not JSON: unexpected token near end of file"},
    {"faults", "line 1, column 6: not JSON: invalid token near 'faults'"},
    {"{", "line 1, column 1: not JSON: string or '}' expected near end of file"},
    {"{'faults':[]", "line 1, column 12: not JSON: '}' expected near end of file"},
    {"{'faults':[],}", "line 1, column 14: not JSON: string or '}' expected near '}'"},
    {"{'faults':[]} x", "line 1, column 15: not JSON: end of file expected near 'x'"},
    {"{'faults':[]}{}", "line 1, column 14: not JSON: end of file expected near '{'"},
    {"{faults:[]}", "line 1, column 7: not JSON: string or '}' expected near 'faults'"},
    {"// plan\n{'faults':[]}", "line 1, column 1: not JSON: invalid token near '/'"},
    {"{'seed':NaN,'faults':[]}", "line 1, column 11: not JSON: invalid token near 'NaN'"},
    {"{'seed':Infinity,'faults':[]}", "line 1, column 16: not JSON: invalid token near 'Infinity'"},
    {"{'seed':007,'faults':[]}", "line 1, column 9: not JSON: invalid token near '0'"},
    {"{'seed':+7,'faults':[]}", "line 1, column 9: not JSON: invalid token near '+'"},
    {"{'seed':0x7,'faults':[]}", "line 1, column 10: not JSON: '}' expected near 'x'"},
    {"{'seed':.5,'faults':[]}", "line 1, column 9: not JSON: invalid token near '.'"},
    {"{'name':'\xff','faults':[]}",
     "line 1, column 9: not JSON: unable to decode byte 0xff near '\"'"},
    {"{'name':'\xc0\xaf','faults':[]}",
     "line 1, column 9: not JSON: unable to decode byte 0xc0 near '\"'"},
    {"{'name':'a\tb'}", "line 1, column 10: not JSON: control character 0x9 near '\"a'"},
    {"{'name':'\\ud800'}",
     "line 1, column 16: not JSON: invalid Unicode '\\uD800' near '\"\\ud800\"'"},
    {"{'name':'\\x41'}", "line 1, column 11: not JSON: invalid escape near '\"\\x'"},
    {"{'0\\ub\u20ac':1}", "line 1, column 7: not JSON: invalid escape near '\"0\\ub?'"},
    {"{\n\x1b[2J}", "line 2, column 1: not JSON: string or '}' expected near '?'"},
};

static const struct row too_much[] = {
    {"{'faults':[],\n 'faults':[]}", "line 2, column 9: duplicate object key near '\"faults\"'"},
    {ROUTE("'error':{'ratio':0.1,'ratio':0.2}"),
     "line 1, column 68: duplicate object key near '\"ratio\"'"},
    {"{'seed':1e999}", "line 1, column 13: real number overflow near '1e999'"},
    {"{'seed':99999999999999999999}",
     "line 1, column 28: too big integer near '99999999999999999999'"},
    {"{'name':'a\\u0000b'}", "line 1, column 18: \\u0000 is not allowed"},
    {"{'se\\u0000ed':1}", "line 1, column 13: \\u0000 is not allowed"},
};

static const struct row roots[] = {
    {"[]", "the document: a list is not an object"},
    {"null", "the document: null is not an object"},
    {"true", "the document: true is not an object"},
    {"'outage'", "the document: `outage` is not an object"},
    {"3.25", "the document: 3.25 is not an object"},
    {"{}", "the document: neither faults nor timeline: one of them is needed"},
    {"{'name':'n','faults':[],'timeline':[]}",
     "the document: both faults and timeline: one of them is allowed"},
    {"{'timeline':[]}", "name: missing: a timeline is an incident, which has one"},
    {"{'fault':[]}", "the document: unknown key `fault`" ROOT_KEYS},
    {"{'Faults':[]}", "the document: unknown key `Faults`" ROOT_KEYS},
    {"{'':[]}", "the document: unknown key ``" ROOT_KEYS},
    {"{'a\\u001b\\n\\u20ac':[]}", "the document: unknown key `a??\u20ac`" ROOT_KEYS},
    {"{'1234567890123456789012345678901234567890123456789':0}",
     "the document: unknown key "
     "`123456789012345678901234567890123456789012345678\u2026`" ROOT_KEYS},
    {"{'faults':{}}", "faults: an object is not a list of faults"},
    {"{'faults':null}", "faults: null is not a list of faults"},
    {"{'name':'','faults':[]}", "name: ``" NAME_FORM},
    {"{'name':'two words','faults':[]}", "name: `two words`" NAME_FORM},
    {"{'name':'../etc','faults':[]}", "name: `../etc`" NAME_FORM},
    {"{'name':'gr\u00fcn','faults':[]}", "name: `gr\u00fcn`" NAME_FORM},
    {"{'name':7,'faults':[]}", "name: 7" NAME_FORM},
    {"{'name':'1234567890123456789012345678901234567890123456789012345678901234','faults':[]}",
     "name: `123456789012345678901234567890123456789012345678\u2026`" NAME_FORM},
    {"{'description':1,'faults':[]}", "description: 1 is not a text"},
    {"{'seed':-1,'faults':[]}", "seed: -1" SEED_FORM},
    {"{'seed':1.0,'faults':[]}", "seed: 1.0" SEED_FORM},
    {"{'seed':1.5,'faults':[]}", "seed: 1.5" SEED_FORM},
    {"{'seed':'42','faults':[]}", "seed: `42`" SEED_FORM},
    {"{'seed':9007199254740993,'faults':[]}", "seed: 9007199254740993" SEED_FORM},
    {"{'begin':'yesterday','faults':[]}", "begin: `yesterday`" TIME_FORM},
    {"{'begin':'2026-11-26T08:00:00','faults':[]}", "begin: `2026-11-26T08:00:00`" TIME_FORM},
    {"{'begin':1795680000,'faults':[]}", "begin: 1795680000" TIME_FORM},
    {"{'begin':'2016-12-31T23:59:60Z','faults':[]}", "begin: `2016-12-31T23:59:60Z`" TIME_FORM},
    {"{'begin':'1969-12-31T23:59:59Z','faults':[]}",
     "begin: `1969-12-31T23:59:59Z` is out of range: the years 1970 to 2499, UTC"},
};

static const struct row times[] = {
    {PLAN("{'not_ready':true}"), "faults[0]: neither duration nor end: a fault must end"},
    {WHEN("'duration':'1m','end':'2026-11-26T08:01:00Z'"),
     "faults[0]: both duration and end: one of them is allowed"},
    {WHEN("'duration':'1'"),
     "faults[0].duration: `1` is not a duration with a unit, such as 500ms, 2s or 1m"},
    {WHEN("'duration':'8d'"),
     "faults[0].duration: `8d` is not a duration with a unit, such as 500ms, 2s or 1m"},
    {WHEN("'duration':'-1m'"),
     "faults[0].duration: `-1m` is not a duration with a unit, such as 500ms, 2s or 1m"},
    {WHEN("'duration':60"), "faults[0].duration: 60" DURATION_FORM},
    {WHEN("'duration':'1\\nm'"), "faults[0].duration: `1?m`" DURATION_FORM},
    {WHEN("'duration':'0'"), "faults[0].duration: `0` is out of range: 1ms to 168h"},
    {WHEN("'duration':'168.1h'"), "faults[0].duration: `168.1h` is out of range: 1ms to 168h"},
    {WHEN("'duration':'18446744073709551615h'"),
     "faults[0].duration: `18446744073709551615h` is not a duration with a unit, such as 500ms, 2s "
     "or 1m"},
    {WHEN("'duration':'1m','start':'169h'"), "faults[0].start: `169h` is out of range: 0s to 168h"},
    {WHEN("'duration':'1m','start':null"), "faults[0].start: null" DURATION_FORM},
    {WHEN("'end':'soon'"), "faults[0].end: `soon`" TIME_FORM},
    {WHEN("'end':'2026-11-26T08:00:00Z'"),
     "faults[0].end: not after the start, 2026-11-26T08:00:00.000Z"},
    {WHEN("'start':'1.5m','end':'2026-11-26T08:01:00Z'"),
     "faults[0].end: not after the start, 2026-11-26T08:01:30.000Z"},
    {WHEN("'end':'2026-12-03T08:00:01Z'"),
     "faults[0].end: more than 168h after the start, 2026-11-26T08:00:00.000Z"},
    {WHEN("'end':'2499-12-31T23:59:59Z'"),
     "faults[0].end: more than 168h after the start, 2026-11-26T08:00:00.000Z"},
    {WHEN("'duration':'1m','seed':1e3"), "faults[0].seed: 1000.0" SEED_FORM},
};

static const struct row entries[] = {
    {PLAN("null"), "faults[0]: null is not an object"},
    {PLAN("[]"), "faults[0]: a list is not an object"},
    {PLAN("{'duration':'1m'}"), "faults[0]: " NO_FAULT},
    {PLAN("{'route':'/','duration':'1m'}"), "faults[0]: " NO_FAULT},
    {PROCESS("'eror':{'ratio':1}"), "faults[0]: unknown key `eror`" ENTRY_KEYS},
    {PROCESS("'note':'a step has one'"), "faults[0]: unknown key `note`" ENTRY_KEYS},
    {PROCESS("'not_ready':true},{'duration':'1m','Error':1"),
     "faults[1]: unknown key `Error`" ENTRY_KEYS},
    {PROCESS("'error':{'ratio':1}"),
     "faults[0].error: needs a route: it is drawn for each request"},
    {PROCESS("'truncate':{'ratio':1}"),
     "faults[0].truncate: needs a route: it is drawn for each request"},
    {ROUTE("'not_ready':true"),
     "faults[0].not_ready: takes no route: it is of the process as a whole"},
    {ROUTE("'reset':{'ratio':1},'memory':{'bytes':'1m'}"),
     "faults[0].memory: takes no route: it is of the process as a whole"},
    {AT_ROUTE("'/demo'"), "faults[0].route: `/demo`" USERS_ROUTES},
    {AT_ROUTE("'demo/hello'"), "faults[0].route: `demo/hello`" USERS_ROUTES},
    {AT_ROUTE("'/demo/hello/'"), "faults[0].route: `/demo/hello/`" USERS_ROUTES},
    {AT_ROUTE("'/DEMO/*'"), "faults[0].route: `/DEMO/*`" USERS_ROUTES},
    {AT_ROUTE("'/*/hello'"), "faults[0].route: `/*/hello`" USERS_ROUTES},
    {AT_ROUTE("'/demo/hello/*'"), "faults[0].route: `/demo/hello/*`" USERS_ROUTES},
    {AT_ROUTE("'/metrics'"), "faults[0].route: `/metrics`" USERS_ROUTES},
    {AT_ROUTE("'/readyz'"), "faults[0].route: `/readyz`" USERS_ROUTES},
    {AT_ROUTE("'/faults*'"), "faults[0].route: `/faults*`" USERS_ROUTES},
    {AT_ROUTE("''"), "faults[0].route: ``" USERS_ROUTES},
    {AT_ROUTE("true"), "faults[0].route: true" USERS_ROUTES},
    {AT_ROUTE("['/']"), "faults[0].route: a list" USERS_ROUTES},
    {AT_ROUTE("'/demo/hello0123456789012345678901234567890123456789012345678901234567890*'"),
     "faults[0].route: `/demo/hello0123456789012345678901234567890123456\u2026`" USERS_ROUTES},
};

static const struct row values[] = {
    {ROUTE("'error':0.3"), "faults[0].error: 0.3 is not an object"},
    {ROUTE("'error':{}"), "faults[0].error.ratio: missing"},
    {ROUTE("'error':{'ratio':1.5}"), "faults[0].error.ratio: 1.5 is not a ratio: 0 to 1"},
    {ROUTE("'error':{'ratio':-0.1}"), "faults[0].error.ratio: -0.1 is not a ratio: 0 to 1"},
    {ROUTE("'error':{'ratio':2}"), "faults[0].error.ratio: 2 is not a ratio: 0 to 1"},
    {ROUTE("'error':{'ratio':'0.3'}"), "faults[0].error.ratio: `0.3` is not a ratio: 0 to 1"},
    {ROUTE("'error':{'ratio':null}"), "faults[0].error.ratio: null is not a ratio: 0 to 1"},
    {ROUTE("'error':{'ratio':1,'status':399}"),
     "faults[0].error.status: 399 is not a whole number from 400 to 599"},
    {ROUTE("'error':{'ratio':1,'status':600}"),
     "faults[0].error.status: 600 is not a whole number from 400 to 599"},
    {ROUTE("'error':{'ratio':1,'status':503.5}"),
     "faults[0].error.status: 503.5 is not a whole number from 400 to 599"},
    {ROUTE("'error':{'ratio':1,'status':66036}"), /* 500, in 16 bits */
     "faults[0].error.status: 66036 is not a whole number from 400 to 599"},
    {ROUTE("'error':{'ratio':1,'status':'503'}"),
     "faults[0].error.status: `503` is not a whole number from 400 to 599"},
    {ROUTE("'error':{'ratio':1,'code':503}"),
     "faults[0].error: unknown key `code`; allowed: ratio, status"},
    {ROUTE("'reset':{'ratio':1,'status':503}"),
     "faults[0].reset: unknown key `status`; allowed: ratio"},
    {ROUTE("'truncate':{'ratio':true}"), "faults[0].truncate.ratio: true is not a ratio: 0 to 1"},
    {ROUTE("'latency':{'p50':'1ms','p90':'2ms'}"), "faults[0].latency.p99: missing"},
    {ROUTE("'latency':{'p50':'1ms','p90':'3ms','p99':'2ms'}"),
     "faults[0].latency: p50, p90, p99 must not fall"},
    {ROUTE("'latency':{'p50':'3ms','p90':'2ms','p99':'4ms'}"),
     "faults[0].latency: p50, p90, p99 must not fall"},
    {ROUTE("'latency':{'p50':'1ms','p90':'2ms','p99':'61s'}"),
     "faults[0].latency.p99: `61s` is out of range: 0s to 60s"},
    {ROUTE("'latency':{'p50':0.001,'p90':'2ms','p99':'61s'}"),
     "faults[0].latency.p50: 0.001" DURATION_FORM},
    {ROUTE("'cpu':{'per_request':'0'}"),
     "faults[0].cpu.per_request: `0` is out of range: 1ms to 60s"},
    {ROUTE("'cpu':{'per_request':'0.5ms'}"),
     "faults[0].cpu.per_request: `0.5ms` is not a duration with a unit, such as 500ms, 2s or 1m"},
    {PROCESS("'not_ready':false"),
     "faults[0].not_ready: false is not true, which is all that it can be"},
    {PROCESS("'not_ready':{}"),
     "faults[0].not_ready: an object is not true, which is all that it can be"},
    {PROCESS("'slow_start':{'ready_after':'0s'}"),
     "faults[0].slow_start.ready_after: `0s` is out of range: 1ms to 168h"},
    {PROCESS("'memory':{'bytes':'1023'}"),
     "faults[0].memory.bytes: `1023` is out of range: 1KiB to 1024GiB"},
    {PROCESS("'memory':{'bytes':'1025GiB'}"),
     "faults[0].memory.bytes: `1025GiB` is out of range: 1KiB to 1024GiB"},
    {PROCESS("'memory':{'bytes':'64 MiB'}"),
     "faults[0].memory.bytes: `64 MiB` is not a size, such as 512, 16k or 1MiB"},
    {PROCESS("'memory':{'bytes':67108864}"), "faults[0].memory.bytes: 67108864" SIZE_FORM},
    {PROCESS("'memory':'64MiB'"), "faults[0].memory: `64MiB` is not an object"},
    {PROCESS("'background_cpu':{'cpus':0}"),
     "faults[0].background_cpu.cpus: 0 is not a number of CPUs: above 0, up to 64"},
    {PROCESS("'background_cpu':{'cpus':-0.0}"),
     "faults[0].background_cpu.cpus: -0.0 is not a number of CPUs: above 0, up to 64"},
    {PROCESS("'background_cpu':{'cpus':64.5}"),
     "faults[0].background_cpu.cpus: 64.5 is not a number of CPUs: above 0, up to 64"},
    {PROCESS("'background_cpu':{'cpus':'all'}"),
     "faults[0].background_cpu.cpus: `all` is not a number of CPUs: above 0, up to 64"},
};

static const struct row timelines[] = {
    {"{'name':'n','timeline':{}}", "timeline: an object is not a list of steps"},
    {TIMELINE("0"), "timeline[0]: 0 is not an object"},
    {TIMELINE("{'faults':[]}"), "timeline[0].at: missing"},
    {TIMELINE("{'at':'0'}"), "timeline[0].faults: missing"},
    {TIMELINE("{'at':5,'faults':[]}"), "timeline[0].at: 5" DURATION_FORM},
    {TIMELINE("{'at':'169h','faults':[]}"), "timeline[0].at: `169h` is out of range: 0s to 168h"},
    {TIMELINE("{'at':'0','note':[],'faults':[]}"), "timeline[0].note: a list is not a text"},
    {TIMELINE("{'at':'0','seed':1,'faults':[]}"),
     "timeline[0]: unknown key `seed`; allowed: at, note, faults"},
    {TIMELINE("{'at':'0','faults':{}}"), "timeline[0].faults: an object is not a list of faults"},
    {TIMELINE("{'at':'1m','faults':[]},{'at':'60s','faults':[]}"),
     "timeline[1].at: not after the step before it"},
    {TIMELINE("{'at':'1m','faults':[]},{'at':'0','faults':[]}"),
     "timeline[1].at: not after the step before it"},
    {TIMELINE("{'at':'0','faults':[]},{'at':'1m','faults':[{},{}]}"),
     "timeline[1].faults[0]: " NO_FAULT},
    {TIMELINE("{'at':'0','faults':[]},{'at':'1m','faults':[{'not_ready':true,'duration':'1m'},"
              "{'route':'/','duration':'1m','reset':{'ratio':7}}]}"),
     "timeline[1].faults[1].reset.ratio: 7 is not a ratio: 0 to 1"},
    {TIMELINE("{'at':'1h','faults':[{'not_ready':true,'end':'2026-11-26T09:00:00Z'}]}"),
     "timeline[0].faults[0].end: not after the start, 2026-11-26T09:00:00.000Z"},
};

static void check(const struct row *row, bool must_begin, int expected)
{
    struct fault_plan plan;
    struct fault_plan untouched;
    char reason[FAULT_REASON_BYTES] = "";
    memset(&plan, 0x5a, sizeof(plan));
    memset(&untouched, 0x5a, sizeof(untouched));
    const int result = documents_parse(row->document, must_begin, &plan, reason);
    if (result != expected || strcmp(reason, row->reason) != 0) {
        fail_msg("%s\n  gave %d: %s\n  not  %d: %s", row->document, result, reason, expected,
                 row->reason);
    }
    assert_memory_equal(&plan, &untouched, sizeof(plan));
}

static void check_all(const struct row *rows, size_t count, int expected)
{
    for (size_t i = 0; i < count; i++) {
        check(&rows[i], false, expected);
    }
}
#define CHECK_ALL(rows, expected) check_all(rows, sizeof(rows) / sizeof((rows)[0]), expected)

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    CHECK_ALL(not_json, -EBADMSG);
}

static void what_is_more_than_can_be_taken_is_refused(void **state)
{
    (void)state;
    CHECK_ALL(too_much, -EINVAL);
}

static void what_is_no_plan_is_refused(void **state)
{
    (void)state;
    CHECK_ALL(roots, -EINVAL);
    CHECK_ALL(times, -EINVAL);
}

static void what_is_no_fault_is_refused(void **state)
{
    (void)state;
    CHECK_ALL(entries, -EINVAL);
    CHECK_ALL(values, -EINVAL);
}

static void what_is_no_timeline_is_refused(void **state)
{
    (void)state;
    CHECK_ALL(timelines, -EINVAL);
}

static void without_a_begin_a_plan_in_a_file_is_refused(void **state)
{
    const struct row row = {"{'faults':[]}",
                            "begin: missing: a plan in a file says when it begins, such as "
                            "\"2026-11-26T08:00:00Z\""};
    (void)state;
    check(&row, true, -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(what_is_more_than_can_be_taken_is_refused),
        cmocka_unit_test(what_is_no_plan_is_refused),
        cmocka_unit_test(what_is_no_fault_is_refused),
        cmocka_unit_test(what_is_no_timeline_is_refused),
        cmocka_unit_test(without_a_begin_a_plan_in_a_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
