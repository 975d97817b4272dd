/* A listener hands over what connects, knows its port, and does not spin when descriptors run out. */
#include "listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
    bool room;
    int accepted;
    int full_for; /* times asked before there is room */
    int failed;
    enum accept_error reason;
    int error;
    bool answered;
    struct arrival last;
    int nodelay; /* of the last one's socket */
    int unsent;
};

static struct event_base *base;
static struct listener listener;
static struct seen seen;

static bool on_has_room(struct listener *from, void *argument)
{
    (void)from;
    (void)argument;
    return seen.room && seen.full_for-- <= 0;
}

static int tcp_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &size), 0);
    return value;
}

static void on_accepted(struct listener *from, const struct arrival *arrival, void *argument)
{
    assert_ptr_equal(from, &listener);
    assert_ptr_equal(argument, &seen);
    seen.accepted++;
    seen.last = *arrival;
    seen.nodelay = tcp_option(arrival->fd, TCP_NODELAY);
    seen.unsent = tcp_option(arrival->fd, TCP_NOTSENT_LOWAT);
    close(arrival->fd);
}

static void on_failed(struct listener *from, enum accept_error reason, int error, bool answered,
                      void *argument)
{
    (void)from;
    (void)argument;
    seen.error = error;
    seen.answered = answered;
    seen.failed++;
    seen.reason = reason;
}

static int open_on(const char *text)
{
    struct address address;
    const struct listener_calls calls = {on_has_room, on_accepted, on_failed, &seen};
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    seen = (struct seen){.room = true};
    assert_int_equal(address_parse(text, length, &address), 0);
    int opened = listener_open(&listener, &address, LISTENER_PUBLIC, base, &calls);
    return opened != 0 ? opened : listener_start(&listener);
}

static int make(void **state)
{
    (void)state;
    base = event_base_new();
    return base != NULL ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    listener_close(&listener);
    event_base_free(base);
    return 0;
}

static int dial(void)
{
    struct address to = listener.bound;
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &to.any, to.length), 0);
    return fd;
}

static void test_hands_over(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", ":0"};
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_int_equal(open_on(addresses[i]), 0);
        int client = dial();
        event_base_loop(base, EVLOOP_ONCE);
        assert_int_equal(seen.accepted, 1);
        assert_ptr_equal(seen.last.listener, &listener.bound.any);
        assert_int_equal(seen.last.peer.any.sa_family, listener.bound.any.sa_family);
        assert_int_equal(seen.nodelay, 1); /* inherited, as all options of the socket are */
        assert_int_equal(seen.unsent, LISTENER_UNSENT_BYTES);
        close(client);
        listener_close(&listener);
        listener_close(&listener); /* twice is fine */
    }
}

static void test_every_family_takes_ipv4_too(void **state)
{
    (void)state;
    assert_int_equal(open_on("*:0"), 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = listener.bound.v6.sin6_port,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(seen.accepted, 1);
    close(client);
}

static void test_taken_address_is_an_error(void **state)
{
    char text[ADDRESS_TEXT_MAX];
    (void)state;
    assert_int_equal(open_on("127.0.0.1:0"), 0);
    struct listener first = listener;
    address_format(&first.bound.any, text);
    assert_int_equal(open_on(text), -EADDRINUSE);
    listener = first;
}

static void test_queued_connections_are_taken_at_once(void **state)
{
    int clients[20];
    (void)state;
    assert_int_equal(open_on("127.0.0.1:0"), 0);
    for (size_t i = 0; i < 20; i++) {
        clients[i] = dial();
    }
    listener_accept_last(&listener);
    assert_int_equal(seen.accepted, 20);
    for (size_t i = 0; i < 20; i++) {
        close(clients[i]);
    }
}

static void test_the_last_wait_for_room(void **state)
{
    (void)state;
    assert_int_equal(open_on("127.0.0.1:0"), 0);
    int client = dial();
    seen.full_for = 3;
    listener_accept_last(&listener);
    assert_int_equal(seen.accepted, 1);
    close(client);
}

/* Who had connected is taken; who comes now is not let believe that he is. */
static void test_turns_away_who_comes_now(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0", "*:0"};
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_int_equal(open_on(addresses[i]), 0);
        int before = dial();
        listener_turn_away(&listener);
        struct address to = listener.bound;
        int late = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(connect(late, &to.any, to.length), -1);
        assert_int_equal(errno, EINPROGRESS);
        struct pollfd watched = {.fd = late, .events = POLLOUT};
        assert_int_equal(poll(&watched, 1, 10000), 1);
        int error = 0;
        socklen_t size = sizeof(error);
        assert_int_equal(getsockopt(late, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        assert_int_equal(error, ECONNREFUSED);
        listener_accept_last(&listener);
        assert_int_equal(seen.accepted, 1);
        listener_close(&listener);
        close(before);
        close(late);
    }
}

static void test_leaves_with_the_kernel_what_has_no_room(void **state)
{
    (void)state;
    assert_int_equal(open_on("127.0.0.1:0"), 0);
    int client = dial();
    seen.room = false;
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(seen.accepted, 0);
    assert_false(event_pending(listener.readable, EV_READ, NULL)); /* a pause, no spinning */
    seen.room = true;
    event_base_loop(base, EVLOOP_ONCE); /* the pause ends */
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(seen.accepted, 1);
    assert_int_equal(seen.failed, 0);
    close(client);
}

static void test_pauses_without_descriptors(void **state)
{
    struct rlimit before, none;
    (void)state;
    assert_int_equal(open_on("127.0.0.1:0"), 0);
    int client = dial();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)listener.reserve_fd + 1; /* the reserve is the last one there is */
    int fillers[64];
    size_t filled = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    while (filled < 64 && (fillers[filled] = open("/dev/null", O_RDONLY)) >= 0) {
        filled++;
    }
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    while (filled > 0) {
        close(fillers[--filled]);
    }
    assert_int_equal(seen.accepted, 0);
    assert_int_equal(seen.failed, 1);
    assert_int_equal(seen.reason, ACCEPT_DESCRIPTORS);
    assert_int_equal(seen.error, EMFILE);
    assert_true(seen.answered);
    assert_false(event_pending(listener.readable, EV_READ, NULL));

    char answer[16] = "";
    assert_true(recv(client, answer, 12, 0) == 12); /* answered with the reserve */
    assert_string_equal(answer, "HTTP/1.1 503");
    int second = dial();
    event_base_loop(base, EVLOOP_ONCE); /* the pause ends */
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(seen.accepted, 1);
    close(second);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hands_over, make, drop),
        cmocka_unit_test_setup_teardown(test_every_family_takes_ipv4_too, make, drop),
        cmocka_unit_test_setup_teardown(test_taken_address_is_an_error, make, drop),
        cmocka_unit_test_setup_teardown(test_queued_connections_are_taken_at_once, make, drop),
        cmocka_unit_test_setup_teardown(test_the_last_wait_for_room, make, drop),
        cmocka_unit_test_setup_teardown(test_turns_away_who_comes_now, make, drop),
        cmocka_unit_test_setup_teardown(test_leaves_with_the_kernel_what_has_no_room, make, drop),
        cmocka_unit_test_setup_teardown(test_pauses_without_descriptors, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
