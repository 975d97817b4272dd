/* Trace headers are found by name, whatever their case, and each of several in its place. */
#include "carrier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/http.h"

#define SLICE(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static struct http_field fields[] = {
    {SLICE("Host"), SLICE("a")},         {SLICE("TraceState"), SLICE("a=1")},
    {SLICE("baggage"), SLICE("user=7")}, {SLICE("tracestates"), SLICE("no")},
    {SLICE("tracestate"), SLICE("b=2")}, {SLICE("traceparent"), SLICE("00-…")},
    {SLICE("TRACESTATE"), SLICE("c=3")}};

static void test_values_come_in_their_order(void **state)
{
    static const struct {
        const char *name;
        size_t index;
        const char *value;
    } cases[] = {
        {"traceparent", 0, "00-…"}, {"traceparent", 1, NULL}, {"tracestate", 0, "a=1"},
        {"tracestate", 1, "b=2"},   {"tracestate", 2, "c=3"}, {"tracestate", 3, NULL},
        {"baggage", 0, "user=7"},   {"baggage", 1, NULL},
    };
    struct http_request request = {.fields = fields, .field_count = 7};
    (void)state;
    request.known[HTTP_KNOWN_TRACESTATE] = &fields[1];
    request.known_count[HTTP_KNOWN_TRACESTATE] = 3;
    request.known[HTTP_KNOWN_BAGGAGE] = &fields[2];
    request.known_count[HTTP_KNOWN_BAGGAGE] = 1;
    request.known[HTTP_KNOWN_TRACEPARENT] = &fields[5];
    request.known_count[HTTP_KNOWN_TRACEPARENT] = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = 99;
        const char *value = carrier_get(&request, cases[i].name, cases[i].index, &length);
        if (cases[i].value == NULL) {
            assert_null(value);
        } else {
            assert_int_equal(length, strlen(cases[i].value));
            assert_memory_equal(value, cases[i].value, length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values_come_in_their_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
