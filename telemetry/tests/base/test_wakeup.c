/*
 * The wakeup: no wake is lost, and an awake consumer's eventfd is never written to.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wakeup.h"

static bool is_readable(const struct tel__wakeup *wakeup)
{
    struct pollfd poll_fd = {.fd = wakeup->fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static void test_only_an_armed_consumer_is_woken(void **state)
{
    (void)state;
    struct tel__wakeup wakeup;
    assert_int_equal(tel__wakeup_init(&wakeup), 0);
    tel__wakeup_signal(&wakeup);
    assert_false(is_readable(&wakeup));

    tel__wakeup_arm(&wakeup);
    assert_true(tel__wakeup_is_armed(&wakeup));
    assert_false(is_readable(&wakeup)); /* arming wakes nobody */
    tel__wakeup_signal(&wakeup);
    assert_true(is_readable(&wakeup));
    assert_false(tel__wakeup_is_armed(&wakeup));
    tel__wakeup_fini(&wakeup);
}

static void test_one_write_a_sleep(void **state)
{
    (void)state;
    struct tel__wakeup wakeup;
    assert_int_equal(tel__wakeup_init(&wakeup), 0);
    tel__wakeup_arm(&wakeup);
    for (int i = 0; i < 1000; i++) {
        tel__wakeup_signal(&wakeup);
    }
    uint64_t writes = 0;
    assert_int_equal(read(wakeup.fd, &writes, sizeof(writes)), sizeof(writes));
    assert_int_equal(writes, 1);
    tel__wakeup_fini(&wakeup);
}

static void test_drain_disarms_and_empties(void **state)
{
    (void)state;
    struct tel__wakeup wakeup;
    assert_int_equal(tel__wakeup_init(&wakeup), 0);
    tel__wakeup_arm(&wakeup);
    tel__wakeup_signal(&wakeup);
    tel__wakeup_drain(&wakeup);
    assert_false(is_readable(&wakeup));
    tel__wakeup_arm(&wakeup);
    tel__wakeup_drain(&wakeup); /* nobody signalled: returns at once */
    assert_false(tel__wakeup_is_armed(&wakeup));
    tel__wakeup_signal(&wakeup);
    assert_false(is_readable(&wakeup));
    tel__wakeup_fini(&wakeup);
    assert_int_equal(wakeup.fd, -1);
    tel__wakeup_fini(&wakeup); /* twice is fine */
}

/* ---- two threads: a producer counts up, a consumer sleeps until there is more -------------- */

#define STRESS_STEPS 100000

struct stress {
    struct tel__wakeup wakeup;
    atomic_uint published;
};

static void *produce(void *argument)
{
    struct stress *stress = argument;
    for (int i = 0; i < STRESS_STEPS; i++) {
        atomic_fetch_add_explicit(&stress->published, 1, memory_order_release);
        tel__wakeup_signal(&stress->wakeup);
    }
    return NULL;
}

/* A lost wake shows as a poll that never returns; its time limit is there to tell, far beyond what
 * any scheduler needs. */
static void test_no_wake_is_lost(void **state)
{
    (void)state;
    struct stress stress;
    pthread_t producer;
    unsigned taken = 0;
    assert_int_equal(tel__wakeup_init(&stress.wakeup), 0);
    atomic_init(&stress.published, 0);
    assert_int_equal(pthread_create(&producer, NULL, produce, &stress), 0);
    while (taken < STRESS_STEPS) {
        tel__wakeup_arm(&stress.wakeup);
        if (atomic_load_explicit(&stress.published, memory_order_acquire) == taken) {
            struct pollfd poll_fd = {.fd = stress.wakeup.fd, .events = POLLIN};
            assert_int_equal(poll(&poll_fd, 1, 60000), 1);
        }
        tel__wakeup_drain(&stress.wakeup);
        taken = atomic_load_explicit(&stress.published, memory_order_acquire);
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    tel__wakeup_fini(&stress.wakeup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_an_armed_consumer_is_woken),
        cmocka_unit_test(test_one_write_a_sleep),
        cmocka_unit_test(test_drain_disarms_and_empties),
        cmocka_unit_test(test_no_wake_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
