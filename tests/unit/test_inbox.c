/* Connections cross from one thread to another in order, none twice, none lost; full is told. */
#include "inbox.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define CROSSINGS 200000

static int make(void **state)
{
    *state = aligned_alloc(64, sizeof(struct inbox));
    if (*state == NULL) {
        return -1;
    }
    *(struct inbox *)*state = (struct inbox){.pushed = 0};
    return 0;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

static void test_fifo_and_full(void **state)
{
    struct inbox *inbox = *state;
    struct arrival arrival;
    assert_false(inbox_pop(inbox, &arrival));
    for (int i = 0; i < INBOX_SLOTS; i++) {
        assert_int_equal(inbox_count(inbox), i);
        assert_true(inbox_push(inbox, &(struct arrival){.fd = i}));
    }
    assert_false(inbox_push(inbox, &(struct arrival){.fd = -2}));
    for (int i = 0; i < INBOX_SLOTS; i++) {
        assert_true(inbox_pop(inbox, &arrival));
        assert_int_equal(arrival.fd, i);
    }
    assert_false(inbox_pop(inbox, &arrival));
    assert_int_equal(inbox_count(inbox), 0);
}

/* Who is looked at is still counted; who is dropped is not. */
static void test_counts(void **state)
{
    struct inbox *inbox = *state;
    struct arrival arrival;
    assert_int_equal(inbox_pushed(inbox), 0);
    for (size_t i = 1; i <= 3; i++) {
        assert_true(inbox_push(inbox, &(struct arrival){.fd = (int)i}));
        assert_int_equal(inbox_count(inbox), 1);
        assert_int_equal(inbox_pushed(inbox), i);
        assert_true(inbox_pop(inbox, &arrival));
        assert_int_equal(arrival.fd, i);
        assert_int_equal(inbox_count(inbox), 0);
        assert_int_equal(inbox_pushed(inbox), i); /* it only grows */
    }
}

static void *push_all(void *argument)
{
    for (int i = 0; i < CROSSINGS; i++) {
        while (!inbox_push(argument, &(struct arrival){.fd = i})) {
            sched_yield();
        }
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct inbox *inbox = *state;
    pthread_t pusher;
    assert_int_equal(pthread_create(&pusher, NULL, push_all, inbox), 0);
    for (int expected = 0; expected < CROSSINGS;) {
        struct arrival arrival;
        if (!inbox_pop(inbox, &arrival)) {
            sched_yield();
            continue;
        }
        assert_int_equal(arrival.fd, expected);
        expected++;
    }
    pthread_join(pusher, NULL);
    assert_int_equal(inbox_count(inbox), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fifo_and_full, make, drop),
        cmocka_unit_test_setup_teardown(test_counts, make, drop),
        cmocka_unit_test_setup_teardown(test_two_threads, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
