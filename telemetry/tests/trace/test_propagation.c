/*
 * Extraction and injection: the headers of a request in, a context out; a span in, headers out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/propagation.h"

#define PARENT  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define PARENT2 "00-11111111111111111111111111111111-2222222222222222-01"

struct header {
    const char *name;
    const char *value;
};

#define HEADERS_MAX 6

/* A list of headers that ends with a NULL name. */
static const char *get_header(void *carrier, const char *name, size_t index, size_t *length)
{
    for (const struct header *header = carrier; header->name != NULL; header++) {
        if (strcmp(header->name, name) == 0 && index-- == 0) {
            *length = strlen(header->value);
            return header->value;
        }
    }
    return NULL;
}

static const struct {
    const char *what;
    struct header headers[HEADERS_MAX];
    bool valid;
    const char *tracestate;
    const char *baggage;
} cases[] = {
    {"no headers", {{0}}, false, "", ""},
    {"all three",
     {{"traceparent", PARENT}, {"tracestate", "a=1"}, {"baggage", "user=7"}},
     true,
     "a=1",
     "user=7"},
    {"blanks around a value are not part of it",
     {{"traceparent", " \t" PARENT " "}, {"tracestate", " a=1 "}, {"baggage", "\tb=1 "}},
     true,
     "a=1",
     "b=1"},
    {"a bad traceparent hides the tracestate, not the baggage",
     {{"traceparent", "00-bad"}, {"tracestate", "a=1"}, {"baggage", "b=1"}},
     false,
     "",
     "b=1"},
    {"a tracestate without a traceparent means nothing", {{"tracestate", "a=1"}}, false, "", ""},
    {"two traceparents are none",
     {{"traceparent", PARENT}, {"traceparent", PARENT2}, {"tracestate", "a=1"}},
     false,
     "",
     ""},
    {"also when they are the same",
     {{"traceparent", PARENT}, {"traceparent", PARENT}},
     false,
     "",
     ""},
    {"also when the second is empty",
     {{"traceparent", PARENT}, {"traceparent", ""}},
     false,
     "",
     ""},
    {"an empty traceparent is a bad one", {{"traceparent", ""}}, false, "", ""},
    {"a bad tracestate loses only itself",
     {{"traceparent", PARENT}, {"tracestate", "a=1,A"}},
     true,
     "",
     ""},
    {"several tracestates combine in order",
     {{"traceparent", PARENT}, {"tracestate", "b=2"}, {"tracestate", ""}, {"tracestate", "a=1"}},
     true,
     "b=2,a=1",
     ""},
    {"what follows a bad tracestate is not read",
     {{"traceparent", PARENT}, {"tracestate", "a=1"}, {"tracestate", "?"}, {"tracestate", "c=3"}},
     true,
     "",
     ""},
    {"several baggages are joined by a comma",
     {{"baggage", "a=1;p=2"}, {"baggage", "b=%20"}, {"baggage", " "}},
     false,
     "",
     "a=1;p=2,b=%20"},
    {"a baggage with a control character is dropped, others stay",
     {{"baggage", "a=1"}, {"baggage", "b=\x01"}, {"baggage", "c=3"}},
     false,
     "",
     "a=1,c=3"},
    {"so is one beyond ASCII", {{"baggage", "name=\xc3\xa9"}}, false, "", ""},
};

static struct tel_tracer *make_tracer(bool trace_context, bool baggage)
{
    struct tel_tracer *tracer =
        tel_tracer_create(&(struct tel_tracer_options){.shard_count = 1,
                                                       .sampler = {TEL_SAMPLER_ALWAYS_ON, 1, true},
                                                       .queue_size = 4,
                                                       .trace_context = trace_context,
                                                       .baggage = baggage});
    assert_non_null(tracer);
    return tracer;
}

static void test_extract(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(true, true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_context context;
        memset(&context, 0xa5, sizeof(context)); /* nothing may be left of what was there */
        tel_context_extract(tracer, get_header, (void *)cases[i].headers, &context);
        if (context.valid != cases[i].valid || context.remote != cases[i].valid ||
            context.tracestate_length != strlen(cases[i].tracestate) ||
            memcmp(context.tracestate, cases[i].tracestate, context.tracestate_length) != 0 ||
            context.baggage_length != strlen(cases[i].baggage) ||
            memcmp(context.baggage, cases[i].baggage, context.baggage_length) != 0) {
            fail_msg("%s", cases[i].what);
        }
        if (!context.valid) {
            assert_int_equal(context.flags, 0);
        }
    }
    tel_tracer_destroy(tracer);
}

static void test_only_the_propagators_in_use_read(void **state)
{
    (void)state;
    struct header headers[] = {{"traceparent", PARENT}, {"baggage", "b=1"}, {NULL, NULL}};
    for (int use = 0; use < 4; use++) {
        struct tel_tracer *tracer = make_tracer(use & 1, use & 2);
        struct tel_context context;
        tel_context_extract(tracer, get_header, headers, &context);
        assert_int_equal(context.valid, (use & 1) != 0);
        assert_int_equal(context.baggage_length, (use & 2) != 0 ? 3 : 0);
        tel_tracer_destroy(tracer);
    }
}

/* A carrier that never runs out of headers must not keep us busy. */
static const char *get_endlessly(void *carrier, const char *name, size_t index, size_t *length)
{
    size_t *asked = carrier;
    (*asked)++;
    if (strcmp(name, "traceparent") == 0) {
        *length = strlen(PARENT);
        return index == 0 ? PARENT : NULL;
    }
    *length = 0;
    return "";
}

static void test_the_number_of_headers_is_bounded(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(true, true);
    struct tel_context context;
    size_t asked = 0;
    tel_context_extract(tracer, get_endlessly, &asked, &context);
    assert_true(context.valid);
    assert_int_equal(context.tracestate_length, 0);
    assert_int_equal(context.baggage_length, 0);
    assert_true(asked < 200);
    tel_tracer_destroy(tracer);
}

static void test_baggage_is_whole_or_gone(void **state)
{
    (void)state;
    struct tel_context context = {0};
    char value[TEL_BAGGAGE_MAX + 1];
    memset(value, 'x', sizeof(value));
    assert_int_equal(tel__baggage_append(value, TEL_BAGGAGE_MAX, &context), 0);
    assert_int_equal(context.baggage_length, TEL_BAGGAGE_MAX);
    assert_int_equal(tel__baggage_append("y", 1, &context), -EMSGSIZE);
    assert_int_equal(context.baggage_length, 0);
    assert_int_equal(tel__baggage_append(value, sizeof(value), &context), -EMSGSIZE);
    assert_int_equal(tel__baggage_append("a=1", 3, &context), 0);
    assert_int_equal(tel__baggage_append("b=\n", 3, &context), -EINVAL);
    assert_int_equal(context.baggage_length, 3); /* a bad header leaves the others alone */
    assert_int_equal(tel__baggage_append("b=2\t,c=3", 8, &context), 0);
    assert_memory_equal(context.baggage, "a=1,b=2\t,c=3", 12);
}

/* ---- injection ----------------------------------------------------------------------------- */

struct outgoing {
    char text[512]; /* `name: value` lines, in the order they were set */
};

static void set_header(void *carrier, const char *name, const char *value, size_t length)
{
    struct outgoing *outgoing = carrier;
    assert_int_equal(strlen(value), length);
    size_t at = strlen(outgoing->text);
    snprintf(outgoing->text + at, sizeof(outgoing->text) - at, "%s: %s\n", name, value);
}

static void assert_injects(const struct tel_span *span, const char *format)
{
    struct outgoing outgoing = {0};
    char expected[512];
    char traceparent[TEL_TRACEPARENT_LENGTH + 1];
    tel_traceparent_format(span->trace_id, span->span_id, span->flags, traceparent);
    snprintf(expected, sizeof(expected), format, traceparent);
    tel_span_inject(span, set_header, &outgoing);
    assert_string_equal(outgoing.text, expected);
}

static void test_inject_carries_on_what_came_in(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(true, true);
    struct header headers[] = {
        {"traceparent", PARENT}, {"tracestate", "a=1, b=2"}, {"baggage", "user=7"}, {NULL, NULL}};
    struct tel_context context;
    struct tel_span span;
    tel_context_extract(tracer, get_header, headers, &context);
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "in", .parent = &context});
    assert_injects(&span, "traceparent: %s\ntracestate: a=1,b=2\nbaggage: user=7\n");
    assert_memory_equal(span.trace_id, context.trace_id, 16);
    assert_memory_not_equal(span.span_id, context.span_id, 8); /* our span is their parent */

    struct tel_span child;
    tel_span_begin(&child, tracer, 0,
                   &(struct tel_span_start){.name = "out", .parent_span = &span});
    assert_injects(&child, "traceparent: %s\ntracestate: a=1,b=2\nbaggage: user=7\n");
    tel_span_end(&child, 0);
    tel_span_end(&span, 0);
    assert_injects(&span, "traceparent: %s\ntracestate: a=1,b=2\nbaggage: user=7\n");
    tel_tracer_destroy(tracer);
}

static void test_inject_without_a_parent(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(true, true);
    struct header headers[] = {{"traceparent", "bad"}, {"baggage", "b=1"}, {NULL, NULL}};
    struct tel_context context;
    struct tel_span span;
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "root"});
    assert_injects(&span, "traceparent: %s\n");
    /* A bad traceparent starts a new trace; the baggage goes with it. */
    tel_context_extract(tracer, get_header, headers, &context);
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "root", .parent = &context});
    assert_injects(&span, "traceparent: %s\nbaggage: b=1\n");
    tel_tracer_destroy(tracer);
}

static void test_inject_only_what_is_in_use(void **state)
{
    (void)state;
    static const char *const expected[] = {"", "traceparent: %s\ntracestate: a=1\n",
                                           "baggage: b=1\n",
                                           "traceparent: %s\ntracestate: a=1\nbaggage: b=1\n"};
    struct tel_context context = {.valid = true,
                                  .trace_id = {1},
                                  .span_id = {2},
                                  .tracestate_length = 3,
                                  .tracestate = "a=1",
                                  .baggage_length = 3,
                                  .baggage = "b=1"};
    for (int use = 0; use < 4; use++) {
        struct tel_tracer *tracer = make_tracer(use & 1, use & 2);
        struct tel_span span;
        tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "x", .parent = &context});
        assert_injects(&span, expected[use]);
        tel_tracer_destroy(tracer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extract),
        cmocka_unit_test(test_only_the_propagators_in_use_read),
        cmocka_unit_test(test_the_number_of_headers_is_bounded),
        cmocka_unit_test(test_baggage_is_whole_or_gone),
        cmocka_unit_test(test_inject_carries_on_what_came_in),
        cmocka_unit_test(test_inject_without_a_parent),
        cmocka_unit_test(test_inject_only_what_is_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
