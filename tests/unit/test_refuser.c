/* A refused client reads a whole 503, also when it speaks after the refusal, and is let go. */
#include "refuser.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct event_base *base;
    struct refuser *refuser;
};

static struct fixture fixture;

static int make(void **state)
{
    fixture.base = event_base_new();
    fixture.refuser = refuser_create(fixture.base, REFUSER_SLOTS);
    *state = &fixture;
    return fixture.refuser != NULL ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    refuser_destroy(fixture.refuser);
    event_base_free(fixture.base);
    return 0;
}

/* Refuses one end of a pair and returns the other. */
static int refused_client(void)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    refuser_refuse(fixture.refuser, ends[0]);
    return ends[1];
}

static void assert_answer(int client)
{
    char answer[1024];
    ssize_t length = recv(client, answer, sizeof(answer) - 1, 0);
    assert_true(length > 0);
    answer[length] = '\0';
    const char *body = strstr(answer, "\r\n\r\n");
    assert_int_equal(strncmp(answer, "HTTP/1.1 503 Service Unavailable\r\n", 34), 0);
    assert_non_null(strstr(answer, "\r\nDate: "));
    assert_non_null(strstr(answer, " GMT\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Length: 71\r\n"));
    assert_non_null(body);
    assert_int_equal(strlen(body + 4), 71);
    assert_int_equal(recv(client, answer, sizeof(answer), 0), 0); /* half-closed */
}

static void test_reads_on_until_the_client_closes(void **state)
{
    (void)state;
    int client = refused_client();
    assert_answer(client);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(send(client, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
        event_base_loop(fixture.base, EVLOOP_NONBLOCK);
    }
    close(client);
    event_base_loop(fixture.base, EVLOOP_NONBLOCK);
    assert_int_equal(event_base_get_num_events(fixture.base, EVENT_BASE_COUNT_ADDED), 0);
}

static void test_a_silent_client_is_let_go(void **state)
{
    (void)state;
    int client = refused_client();
    event_base_loop(fixture.base, 0); /* ends by itself once no event is left */
    assert_answer(client);
    assert_true(send(client, "x", 1, MSG_NOSIGNAL) < 0); /* both directions are closed */
    close(client);
}

static void test_beyond_the_slots_it_still_answers(void **state)
{
    int clients[REFUSER_SLOTS + 8];
    const size_t count = sizeof(clients) / sizeof(clients[0]);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        clients[i] = refused_client();
    }
    /* libevent counts an event and its timeout apart */
    assert_int_equal(event_base_get_num_events(fixture.base, EVENT_BASE_COUNT_ADDED),
                     2 * REFUSER_SLOTS);
    for (size_t i = 0; i < count; i++) {
        assert_answer(clients[i]);
        close(clients[i]);
    }
    event_base_loop(fixture.base, EVLOOP_NONBLOCK);
    assert_int_equal(event_base_get_num_events(fixture.base, EVENT_BASE_COUNT_ADDED), 0);
}

static void test_who_lingers_at_the_end_is_closed(void **state)
{
    char byte;
    (void)state;
    int client = refused_client();
    assert_answer(client);
    refuser_destroy(fixture.refuser);
    fixture.refuser = NULL;
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    assert_true(send(client, "x", 1, MSG_NOSIGNAL) < 0);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reads_on_until_the_client_closes, make, drop),
        cmocka_unit_test_setup_teardown(test_a_silent_client_is_let_go, make, drop),
        cmocka_unit_test_setup_teardown(test_beyond_the_slots_it_still_answers, make, drop),
        cmocka_unit_test_setup_teardown(test_who_lingers_at_the_end_is_closed, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
