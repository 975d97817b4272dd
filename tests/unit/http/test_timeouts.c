/*
 * The wheel, with a clock of the test's own: never early, at most a tick late, and lazy.
 */
#include <string.h>

#include "harness.h"
#include "http/timeouts.h"

#define TICK  TIMEOUT_TICK_NS
#define START (1000 * TICK + 17)
#define MANY  500

struct watched {
    struct timeout timeout; /* first */
    uint64_t expired_ns;
    int times;
};

struct wheel {
    struct timeouts timeouts;
    uint64_t now_ns;
    uint64_t again_ns; /* set again when expired, by that much; 0: not */
};

static void on_expired(struct timeout *timeout, void *argument)
{
    struct wheel *wheel = argument;
    struct watched *watched = (struct watched *)timeout;
    assert_int_equal(timeout->deadline_ns, TIMEOUT_NEVER);
    watched->expired_ns = wheel->now_ns;
    watched->times++;
    if (wheel->again_ns > 0) {
        timeout_set(&wheel->timeouts, timeout, wheel->now_ns + wheel->again_ns);
    }
}

static void wheel_init(struct wheel *wheel)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now_ns = START;
    timeouts_init(&wheel->timeouts, START);
}

static void advance(struct wheel *wheel, uint64_t by_ns)
{
    wheel->now_ns += by_ns;
    timeouts_expire(&wheel->timeouts, wheel->now_ns, on_expired, wheel);
}

static void never_early_and_a_tick_late_at_most(void **state)
{
    static struct watched watched[MANY];
    struct wheel wheel;
    (void)state;
    wheel_init(&wheel);
    memset(watched, 0, sizeof watched);
    for (uint64_t i = 0; i < MANY; i++) {
        timeout_init(&watched[i].timeout);
        /* From nothing to four rounds of the wheel, off the ticks. */
        timeout_set(&wheel.timeouts, &watched[i].timeout, START + i * i * (TICK / 60) + i);
    }
    for (int step = 0; step < 50000; step++) {
        advance(&wheel, TICK / 7);
    }
    for (uint64_t i = 0; i < MANY; i++) {
        const uint64_t deadline = START + i * i * (TICK / 60) + i;
        assert_int_equal(watched[i].times, 1);
        assert_true(watched[i].expired_ns >= deadline);
        assert_true(watched[i].expired_ns <= deadline + TICK + TICK / 7);
    }
}

static void later_is_lazy_and_earlier_is_not(void **state)
{
    struct watched watched = {.times = 0};
    struct wheel wheel;
    (void)state;
    wheel_init(&wheel);
    timeout_init(&watched.timeout);
    timeout_set(&wheel.timeouts, &watched.timeout, START + 10 * TICK);
    const uint64_t tick = watched.timeout.tick;
    for (uint64_t i = 1; i < 9; i++) {
        advance(&wheel, TICK);
        timeout_set(&wheel.timeouts, &watched.timeout, wheel.now_ns + 10 * TICK);
        assert_int_equal(watched.timeout.tick, tick); /* not moved */
    }
    advance(&wheel, 5 * TICK);
    assert_int_equal(watched.times, 0);
    assert_true(watched.timeout.tick > tick); /* found too early once, and put right */
    timeout_set(&wheel.timeouts, &watched.timeout, wheel.now_ns + 2 * TICK);
    advance(&wheel, 3 * TICK);
    assert_int_equal(watched.times, 1);
}

static void cleared_and_never_do_not_expire(void **state)
{
    struct watched a = {.times = 0};
    struct watched b = {.times = 0};
    struct watched c = {.times = 0};
    struct wheel wheel;
    (void)state;
    wheel_init(&wheel);
    timeout_init(&a.timeout);
    timeout_init(&b.timeout);
    timeout_init(&c.timeout);
    timeout_clear(&a.timeout); /* was never set */
    timeout_set(&wheel.timeouts, &a.timeout, START + TICK);
    timeout_set(&wheel.timeouts, &b.timeout, START + TICK);
    timeout_set(&wheel.timeouts, &c.timeout, START + TICK);
    timeout_clear(&b.timeout);
    timeout_set(&wheel.timeouts, &a.timeout, TIMEOUT_NEVER);
    advance(&wheel, 5 * TICK);
    assert_int_equal(a.times, 0);
    assert_int_equal(b.times, 0);
    assert_int_equal(c.times, 1);
    timeout_set(&wheel.timeouts, &a.timeout, wheel.now_ns + TICK); /* from never back to a time */
    advance(&wheel, 3 * TICK);
    assert_int_equal(a.times, 1);
}

/* One that sets itself again for the past is not called twice in a sweep. */
static void setting_again_while_expiring_ends(void **state)
{
    struct watched watched = {.times = 0};
    struct wheel wheel;
    (void)state;
    wheel_init(&wheel);
    wheel.again_ns = 1;
    timeout_init(&watched.timeout);
    timeout_set(&wheel.timeouts, &watched.timeout, START);
    for (int i = 0; i < 5; i++) {
        advance(&wheel, TICK);
    }
    assert_in_range(watched.times, 4, 5);
    timeout_clear(&watched.timeout);
}

static void a_long_stop_loses_nobody(void **state)
{
    static struct watched watched[MANY];
    struct wheel wheel;
    (void)state;
    wheel_init(&wheel);
    memset(watched, 0, sizeof watched);
    for (uint64_t i = 0; i < MANY; i++) {
        timeout_init(&watched[i].timeout);
        timeout_set(&wheel.timeouts, &watched[i].timeout, START + i * 7 * TICK);
    }
    advance(&wheel, 100000 * TICK);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(watched[i].times, 1);
    }
}

static void an_empty_wheel_is_told_the_time(void **state)
{
    struct watched watched = {.times = 0};
    struct wheel wheel;
    (void)state;
    wheel_init(&wheel);
    wheel.now_ns += 123456 * TICK;
    timeouts_restart(&wheel.timeouts, wheel.now_ns);
    timeout_init(&watched.timeout);
    timeout_set(&wheel.timeouts, &watched.timeout, wheel.now_ns + 3 * TICK);
    advance(&wheel, TICK);
    assert_int_equal(watched.times, 0);
    advance(&wheel, 3 * TICK);
    assert_int_equal(watched.times, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_early_and_a_tick_late_at_most),
        cmocka_unit_test(later_is_lazy_and_earlier_is_not),
        cmocka_unit_test(cleared_and_never_do_not_expire),
        cmocka_unit_test(setting_again_while_expiring_ends),
        cmocka_unit_test(a_long_stop_loses_nobody),
        cmocka_unit_test(an_empty_wheel_is_told_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
