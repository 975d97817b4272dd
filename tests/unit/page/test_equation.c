/* Sums within what was recorded and what was being recorded are balanced, all others are not. */
#include "page/equation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"
#include "service.h"
#include "unit/terms.h"

static const struct equation at_rest = {.before = {.requests = 100, .children = 10},
                                        .after = {.requests = 100, .children = 10},
                                        .spans_taken = 81,
                                        .records_taken = 93,
                                        .terms = TERMS_BALANCED};

static bool is_balanced(const struct equation *equation)
{
    const struct verdict verdict = equation_judge(equation);
    return verdict.metrics && verdict.log && verdict.spans && verdict.records;
}

static void add(struct equation *equation, size_t offset, uint64_t amount)
{
    uint64_t value;
    memcpy(&value, (char *)equation + offset, sizeof(value));
    value += amount;
    memcpy((char *)equation + offset, &value, sizeof(value));
}

#define TERM(name) offsetof(struct equation, terms.name)
static const size_t counted[] = {
    TERM(metrics_count),     TERM(log_written),       TERM(log_waiting),   TERM(log_dropped),
    TERM(spans_server),      TERM(spans_unsampled),   TERM(spans_dropped), TERM(spans_waiting),
    TERM(otlp_logs_dropped), TERM(otlp_logs_waiting),
};

/* At rest nothing is forgiven: one too many or too few of any term is told. */
static void test_at_rest_every_term_counts(void **state)
{
    (void)state;
    assert_true(is_balanced(&at_rest));
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        struct equation off = at_rest;
        add(&off, counted[i], 1);
        assert_false(is_balanced(&off));
        add(&off, counted[i], (uint64_t)-2);
        assert_false(is_balanced(&off));
    }
}

/* A line is off alone. */
static void test_line_by_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        struct equation off = at_rest;
        add(&off, counted[i], 1);
        const struct verdict verdict = equation_judge(&off);
        const bool metrics = counted[i] == TERM(metrics_count);
        const bool log = counted[i] >= TERM(log_written) && counted[i] <= TERM(log_dropped);
        const bool records =
            counted[i] == TERM(otlp_logs_dropped) || counted[i] == TERM(otlp_logs_waiting);
        assert_int_equal(verdict.metrics, !metrics);
        assert_int_equal(verdict.log, !log);
        assert_int_equal(verdict.records, !records);
        assert_int_equal(verdict.spans, metrics || log || records);
    }
}

/* What an exporter has is read twice: both readings must be off to be told. */
static void test_what_exporters_have(void **state)
{
    (void)state;
    static const size_t pairs[][2] = {
        {offsetof(struct equation, spans_taken), TERM(spans_acknowledged)},
        {offsetof(struct equation, spans_taken), TERM(spans_inflight)},
        {offsetof(struct equation, spans_taken), TERM(spans_failed)},
        {offsetof(struct equation, records_taken), TERM(otlp_logs_acknowledged)},
        {offsetof(struct equation, records_taken), TERM(otlp_logs_inflight)},
        {offsetof(struct equation, records_taken), TERM(otlp_logs_failed)},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct equation off = at_rest;
        add(&off, pairs[i][1], 2); /* taken while the queue was read … */
        assert_true(is_balanced(&off));
        add(&off, pairs[i][0], 2); /* … or counted twice */
        assert_false(is_balanced(&off));
        off = at_rest;
        add(&off, pairs[i][0], (uint64_t)-1);
        add(&off, pairs[i][1], (uint64_t)-1);
        assert_false(is_balanced(&off));
    }
}

/* While three requests and two children are under way a sum may have some of them. */
static void test_under_way(void **state)
{
    (void)state;
    struct equation busy = at_rest;
    busy.after.requests += 3;
    busy.after.children += 2;
    assert_true(is_balanced(&busy));
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        const bool spans = counted[i] >= TERM(spans_unsampled) && counted[i] <= TERM(spans_failed);
        const bool of_spans = spans || counted[i] == TERM(spans_waiting);
        const uint64_t most = of_spans ? 5 : 3;
        struct equation off = busy;
        add(&off, counted[i], most);
        assert_true(is_balanced(&off));
        add(&off, counted[i], 1);
        assert_false(is_balanced(&off));
        off = busy;
        add(&off, counted[i], (uint64_t)-1);
        assert_false(is_balanced(&off));
    }
}

static void test_what_is_off_is_not_judged(void **state)
{
    (void)state;
    struct equation off = {.before = {.requests = 7, .children = 1},
                           .after = {.requests = 7, .children = 1},
                           .terms = {.finished = 7, .metrics_count = 7}};
    assert_true(is_balanced(&off));
    off.terms.log_on = true;
    assert_false(is_balanced(&off));
    off.terms.log_on = false;
    off.terms.spans_on = true;
    assert_false(is_balanced(&off));
    off.terms.spans_on = false;
    off.terms.otlp_logs_on = true;
    assert_false(is_balanced(&off));
}

/* Read from a service: one request that is half recorded is within the bounds. */
static void test_read(void **state)
{
    (void)state;
    static const struct options options = {.random_error_status = 503};
    struct service service = {.options = &options, .worker_count = 1};
    service.registry = tel_registry_create(service_shard_count(&service));
    service.instruments = instruments_create(service.registry, &service);
    assert_non_null(service.instruments);
    const struct request_labels labels = {
        .method = HTTP_METHOD_GET, .route = ROUTE_HELLO, .status = 200, .minor_version = 1};
    struct equation equation;
    instruments_request_opened(service.instruments, 0, labels.method);
    instruments_request_closed(service.instruments, 0, &labels, 1000, NULL);
    equation_read(&service, &equation);
    assert_int_equal(equation.before.requests, 0);
    assert_int_equal(equation.after.requests, 1);
    assert_int_equal(equation.terms.metrics_count, 1);
    assert_true(is_balanced(&equation));
    instruments_request_recorded(service.instruments, 0, labels.method);
    equation_read(&service, &equation);
    assert_int_equal(equation.before.requests, 1);
    assert_true(is_balanced(&equation));
    instruments_destroy(service.instruments);
    tel_registry_destroy(service.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_rest_every_term_counts), cmocka_unit_test(test_line_by_line),
        cmocka_unit_test(test_what_exporters_have),       cmocka_unit_test(test_under_way),
        cmocka_unit_test(test_what_is_off_is_not_judged), cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
