/* The equation holds or it does not: each term that is off by one must be noticed. */
#include "reconciliation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/terms.h"

static const struct reconciliation balanced = TERMS_BALANCED;

static void test_balanced(void **state)
{
    (void)state;
    assert_true(reconciliation_is_balanced(&balanced));
    assert_true(reconciliation_is_balanced(&(struct reconciliation){.finished = 0}));
}

static void test_every_term_counts(void **state)
{
    static const size_t terms[] = {
        offsetof(struct reconciliation, finished),
        offsetof(struct reconciliation, metrics_count),
        offsetof(struct reconciliation, log_written),
        offsetof(struct reconciliation, log_waiting),
        offsetof(struct reconciliation, log_dropped),
        offsetof(struct reconciliation, spans_internal),
        offsetof(struct reconciliation, spans_acknowledged),
        offsetof(struct reconciliation, spans_waiting),
        offsetof(struct reconciliation, spans_inflight),
        offsetof(struct reconciliation, spans_unsampled),
        offsetof(struct reconciliation, spans_dropped),
        offsetof(struct reconciliation, spans_failed),
        offsetof(struct reconciliation, otlp_logs_acknowledged),
        offsetof(struct reconciliation, otlp_logs_waiting),
        offsetof(struct reconciliation, otlp_logs_inflight),
        offsetof(struct reconciliation, otlp_logs_dropped),
        offsetof(struct reconciliation, otlp_logs_failed),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
        struct reconciliation wrong = balanced;
        uint64_t *term = (uint64_t *)((char *)&wrong + terms[i]);
        *term += 1;
        assert_false(reconciliation_is_balanced(&wrong));
        *term -= 2;
        assert_false(reconciliation_is_balanced(&wrong));
    }
}

static void test_what_is_off_is_not_judged(void **state)
{
    struct reconciliation terms = balanced;
    (void)state;
    terms.log_on = false;
    terms.log_written = 0;
    assert_true(reconciliation_is_balanced(&terms));
    terms.spans_on = false;
    terms.spans_acknowledged = 0;
    assert_true(reconciliation_is_balanced(&terms));
    terms.otlp_logs_on = false;
    terms.otlp_logs_failed = 0;
    assert_true(reconciliation_is_balanced(&terms));
    terms.metrics_count--;
    assert_false(reconciliation_is_balanced(&terms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balanced),
        cmocka_unit_test(test_every_term_counts),
        cmocka_unit_test(test_what_is_off_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
