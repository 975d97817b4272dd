/* Burns take turns, add up to what was asked for, and leave the loop time for everything else. */
#include "burner.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "telemetry/clock.h"

#define BURNS 3

struct fixture {
    struct event_base *base;
    struct burner burner;
    struct burn burns[BURNS];
    int finished;
    struct burn *order[BURNS];
    int pokes; /* times the loop looked at a readable socket */
    int pipe[2];
};

static struct fixture fixture;

static void on_done(struct burn *burn)
{
    fixture.order[fixture.finished++] = burn;
}

static int make(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof(fixture));
    fixture.base = event_base_new();
    return pipe(fixture.pipe) == 0 ? burner_init(&fixture.burner, fixture.base) : -1;
}

static int drop(void **state)
{
    (void)state;
    burner_fini(&fixture.burner);
    event_base_free(fixture.base);
    close(fixture.pipe[0]);
    close(fixture.pipe[1]);
    return 0;
}

static struct burn *burn(int index, uint64_t wanted_ms)
{
    struct burn *one = &fixture.burns[index];
    one->wanted_ns = wanted_ms * TEL_NS_PER_MS;
    one->done = on_done;
    burner_add(&fixture.burner, one);
    return one;
}

static void test_burns_what_was_asked_for(void **state)
{
    (void)state;
    uint64_t before_ns = tel_clock_thread_cpu_ns();
    struct burn *one = burn(0, 5);
    assert_int_equal(fixture.finished, 0); /* never before add returns */
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.finished, 1);
    assert_true(one->done_ns >= one->wanted_ns);
    assert_true(tel_clock_thread_cpu_ns() - before_ns >= one->wanted_ns);
}

static void test_nothing_wanted_is_done_in_the_next_turn(void **state)
{
    (void)state;
    burn(0, 0);
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.finished, 1);
    assert_int_equal(fixture.burns[0].done_ns, 0);
}

static void test_burns_take_turns(void **state)
{
    (void)state;
    struct burn *longest = burn(0, 6);
    struct burn *shortest = burn(1, 2);
    struct burn *middle = burn(2, 4);
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.finished, 3);
    assert_ptr_equal(fixture.order[0], shortest);
    assert_ptr_equal(fixture.order[1], middle);
    assert_ptr_equal(fixture.order[2], longest);
}

static void on_poke(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
    fixture.pokes++;
    if (fixture.finished == BURNS) {
        event_base_loopbreak(fixture.base);
    }
}

/* However many burn, a socket is looked at after every slice: 3 × 4 ms are 12 turns. */
static void test_the_loop_looks_at_sockets_after_every_slice(void **state)
{
    (void)state;
    struct event *poke =
        event_new(fixture.base, fixture.pipe[0], EV_READ | EV_PERSIST, on_poke, NULL);
    assert_int_equal(write(fixture.pipe[1], "x", 1), 1); /* readable for good */
    event_add(poke, NULL);
    for (int i = 0; i < BURNS; i++) {
        burn(i, 4);
    }
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.finished, BURNS);
    assert_true(fixture.pokes >= 4 * BURNS);
    event_free(poke);
}

static void test_a_removed_burn_is_never_done(void **state)
{
    (void)state;
    struct burn *first = burn(0, 2);
    struct burn *middle = burn(1, 2);
    struct burn *last = burn(2, 2);
    burner_remove(&fixture.burner, middle);
    burner_remove(&fixture.burner, middle); /* twice is fine */
    burner_remove(&fixture.burner, last);
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.finished, 1);
    assert_ptr_equal(fixture.order[0], first);
    burner_add(&fixture.burner, last); /* and the queue still takes */
    event_base_dispatch(fixture.base);
    assert_int_equal(fixture.finished, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_burns_what_was_asked_for, make, drop),
        cmocka_unit_test_setup_teardown(test_nothing_wanted_is_done_in_the_next_turn, make, drop),
        cmocka_unit_test_setup_teardown(test_burns_take_turns, make, drop),
        cmocka_unit_test_setup_teardown(test_the_loop_looks_at_sockets_after_every_slice, make,
                                        drop),
        cmocka_unit_test_setup_teardown(test_a_removed_burn_is_never_done, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
