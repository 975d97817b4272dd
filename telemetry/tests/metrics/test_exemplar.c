/*
 * The sequence lock of an exemplar: latest wins, and no reader ever sees half of one.
 */
#include <pthread.h>

#include "expose.h"
#include "metrics/exemplar.h"

#define STORES 200000

/* An exemplar whose every word follows from one number, so that a torn one is recognised. */
static struct tel_exemplar exemplar_of(uint64_t number)
{
    struct tel_exemplar trace;
    memset(trace.trace_id, (int)(number & 0xFF), sizeof(trace.trace_id));
    memset(trace.span_id, (int)(number & 0xFF), sizeof(trace.span_id));
    trace.wall_ns = number;
    return trace;
}

static void assert_is(const struct tel__exemplar *exemplar, uint64_t number)
{
    struct tel_exemplar expected = exemplar_of(number);
    assert_memory_equal(exemplar->trace.trace_id, expected.trace_id, 16);
    assert_memory_equal(exemplar->trace.span_id, expected.span_id, 8);
    assert_int_equal(exemplar->trace.wall_ns, number);
    assert_int_equal(exemplar->value_ns, number * 3);
}

static void store(struct tel__exemplar_slot *slot, uint64_t number)
{
    struct tel_exemplar trace = exemplar_of(number);
    tel__exemplar_store(slot, &trace, number * 3);
}

static void test_an_empty_slot_has_none(void **state)
{
    (void)state;
    struct tel__exemplar_slot slot = {0};
    struct tel__exemplar out;
    assert_false(tel__exemplar_load(&slot, &out));
}

static void test_the_latest_wins(void **state)
{
    (void)state;
    struct tel__exemplar_slot slot = {0};
    struct tel__exemplar out;
    for (uint64_t number = 1; number < 1000; number += 7) {
        store(&slot, number);
        assert_true(tel__exemplar_load(&slot, &out));
        assert_is(&out, number);
    }
    store(&slot, 5); /* by order of storing, not by time */
    assert_true(tel__exemplar_load(&slot, &out));
    assert_is(&out, 5);
}

static void test_a_slot_being_written_is_passed_over(void **state)
{
    (void)state;
    struct tel__exemplar_slot slot = {0};
    struct tel__exemplar out;
    store(&slot, 9);
    atomic_fetch_add(&slot.sequence, 1); /* a writer that was interrupted */
    assert_false(tel__exemplar_load(&slot, &out));
    atomic_fetch_add(&slot.sequence, 1);
    assert_true(tel__exemplar_load(&slot, &out));
    assert_is(&out, 9);
}

static void *write_many(void *argument)
{
    struct tel__exemplar_slot *slot = argument;
    for (uint64_t number = 1; number <= STORES; number++) {
        store(slot, number);
    }
    return NULL;
}

static void test_a_reader_never_sees_half(void **state)
{
    (void)state;
    struct tel__exemplar_slot slot = {0};
    struct tel__exemplar out;
    pthread_t writer;
    uint64_t last = 0;
    assert_int_equal(pthread_create(&writer, NULL, write_many, &slot), 0);
    while (last < STORES) {
        if (tel__exemplar_load(&slot, &out)) {
            assert_is(&out, out.trace.wall_ns);
            assert_true(out.trace.wall_ns >= last);
            last = out.trace.wall_ns;
        }
    }
    pthread_join(writer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_slot_has_none),
        cmocka_unit_test(test_the_latest_wins),
        cmocka_unit_test(test_a_slot_being_written_is_passed_over),
        cmocka_unit_test(test_a_reader_never_sees_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
