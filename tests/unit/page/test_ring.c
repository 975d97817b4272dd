/* Records cross from one thread to another in order, whole, none twice, none lost; full is told. */
#include "page/ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CROSSINGS 20000

static int make(void **state)
{
    *state = aligned_alloc(64, sizeof(struct page_ring));
    if (*state == NULL) {
        return -1;
    }
    page_ring_init(*state);
    return 0;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

/* A record that says its number in every place. */
static void fill(struct page_record *record, size_t number)
{
    record->end_ns = number;
    record->length = 1 + number % PAGE_RECORD_BYTES;
    memset(record->json, (int)(number % 251), record->length);
}

static void check(const struct page_record *record, size_t number)
{
    assert_int_equal(record->end_ns, number);
    assert_int_equal(record->length, 1 + number % PAGE_RECORD_BYTES);
    assert_int_equal((unsigned char)record->json[0], number % 251);
    assert_int_equal((unsigned char)record->json[record->length - 1], number % 251);
}

static void test_fifo_and_full(void **state)
{
    struct page_ring *ring = *state;
    assert_null(page_ring_peek(ring));
    for (size_t round = 0; round < 2; round++) { /* the second time around its end */
        for (size_t i = 0; i < PAGE_RING_SLOTS; i++) {
            struct page_record *record = page_ring_reserve(ring);
            assert_non_null(record);
            fill(record, i);
            page_ring_commit(ring);
        }
        assert_null(page_ring_reserve(ring));
        for (size_t i = 0; i < PAGE_RING_SLOTS; i++) {
            check(page_ring_peek(ring), i);
            page_ring_pop(ring);
        }
        assert_null(page_ring_peek(ring));
    }
}

/* What is reserved and not committed is not there, and is given again. */
static void test_reserved_is_not_there(void **state)
{
    struct page_ring *ring = *state;
    struct page_record *record = page_ring_reserve(ring);
    fill(record, 1);
    assert_null(page_ring_peek(ring));
    assert_ptr_equal(page_ring_reserve(ring), record);
    fill(record, 2);
    page_ring_commit(ring);
    check(page_ring_peek(ring), 2);
}

static void *push_all(void *argument)
{
    for (size_t i = 0; i < CROSSINGS; i++) {
        struct page_record *record;
        while ((record = page_ring_reserve(argument)) == NULL) {
            sched_yield();
        }
        fill(record, i);
        page_ring_commit(argument);
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct page_ring *ring = *state;
    pthread_t pusher;
    assert_int_equal(pthread_create(&pusher, NULL, push_all, ring), 0);
    for (size_t expected = 0; expected < CROSSINGS;) {
        const struct page_record *record = page_ring_peek(ring);
        if (record == NULL) {
            sched_yield();
            continue;
        }
        check(record, expected);
        page_ring_pop(ring);
        expected++;
    }
    pthread_join(pusher, NULL);
    assert_null(page_ring_peek(ring));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fifo_and_full, make, drop),
        cmocka_unit_test_setup_teardown(test_reserved_is_not_there, make, drop),
        cmocka_unit_test_setup_teardown(test_two_threads, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
