/*
 * How long the HTTP client uses a connection over TLS, and what is left of it.
 */
#include "client_tls_support.h"

static void test_one_connection(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    start(bench, 0);
    for (int i = 0; i < 5; i++) {
        expect(bench, 1, "one");
    }
    finish(bench);
    assert_int_equal(bench->server.ended, 1);
    assert_int_equal(bench->said.count, 0);
    free(bench);
}

static void test_old_connection(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    start(bench, 50);
    expect(bench, 1, "one");
    pause_ms(60);
    expect(bench, 2, "one");
    finish(bench);
    assert_int_equal(bench->server.ended, 2);
    free(bench);
}

/* The other side hangs up, and before anybody is told the client goes: nothing is left. */
static void break_loop(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(argument);
}

static void test_destroyed_while_told(void **state)
{
    (void)state;
    struct bench *bench = make_bench(&local, true);
    bench->server.manner = CLOSES_LATER;
    start(bench, 0);
    expect(bench, 1, "one");
    pause_ms(60); /* the end has arrived */
    struct event *breaker = evtimer_new(bench->base, break_loop, bench->base);
    assert_int_equal(event_add(breaker, &(struct timeval){.tv_usec = 1}), 0);
    pause_ms(20); /* libevent looks at a coarse clock */
    event_base_loop(bench->base, EVLOOP_NONBLOCK);
    assert_true(event_base_got_break(bench->base));
    event_free(breaker);
    finish(bench);
    free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_connection),
        cmocka_unit_test(test_old_connection),
        cmocka_unit_test(test_destroyed_while_told),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
