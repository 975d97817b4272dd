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

/* ---- two threads: one publishes a step when the last was taken, one sleeps ------------------- */

#define STRESS_STEPS 200000u

struct stress {
    struct tel__wakeup wakeup;
    atomic_uint published;
    atomic_uint taken;
    atomic_bool given_up;
};

/* A plain store publishes, as in a ring: an atomic addition would be a fence of its own. Since the
 * next step waits for this one, no later signal makes up for a lost wake. */
static void *produce(void *argument)
{
    struct stress *stress = argument;
    for (unsigned step = 1; step <= STRESS_STEPS; step++) {
        atomic_store_explicit(&stress->published, step, memory_order_release);
        tel__wakeup_signal(&stress->wakeup);
        while (atomic_load_explicit(&stress->taken, memory_order_acquire) != step) {
            if (atomic_load_explicit(&stress->given_up, memory_order_relaxed)) {
                return NULL;
            }
        }
    }
    return NULL;
}

/* Spreads the moment of arming over the moments at which the producer may be publishing. */
static void dawdle(unsigned step)
{
    for (volatile unsigned i = 0; i < step % 256; i++) {
    }
}

/* Sleeps if there is nothing new. The limit is there to tell a wake that never comes, and lies far
 * beyond what any scheduler needs. */
static bool wait_for_step(struct stress *stress, unsigned taken)
{
    bool woken = true;
    dawdle(taken);
    tel__wakeup_arm(&stress->wakeup);
    if (atomic_load_explicit(&stress->published, memory_order_acquire) == taken) {
        struct pollfd poll_fd = {.fd = stress->wakeup.fd, .events = POLLIN};
        woken = poll(&poll_fd, 1, 20000) == 1;
    }
    tel__wakeup_drain(&stress->wakeup);
    return woken;
}

static void test_no_wake_is_lost(void **state)
{
    (void)state;
    struct stress stress = {.published = 0};
    pthread_t producer;
    bool woken = true;
    assert_int_equal(tel__wakeup_init(&stress.wakeup), 0);
    assert_int_equal(pthread_create(&producer, NULL, produce, &stress), 0);
    for (unsigned taken = 0; taken < STRESS_STEPS && woken;) {
        woken = wait_for_step(&stress, taken);
        taken = atomic_load_explicit(&stress.published, memory_order_acquire);
        atomic_store_explicit(&stress.taken, taken, memory_order_release);
    }
    atomic_store_explicit(&stress.given_up, true, memory_order_relaxed);
    assert_int_equal(pthread_join(producer, NULL), 0);
    tel__wakeup_fini(&stress.wakeup);
    assert_true(woken);
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
