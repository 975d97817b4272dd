/*
 * Names to addresses: those that need no nameserver, and the others, with a nameserver on loopback
 * that answers as the name asks it to.
 */
#include "otlp/resolver.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/util.h>
#include <unistd.h>

#include "support.h"

#define TYPE_A    1
#define TYPE_AAAA 28

struct bench {
    struct event_base *base;
    struct tel__resolver *resolver;
    int server; /* the nameserver's socket */
    struct event *asked;
    char conf[64];
    size_t questions;
    size_t calls;
    struct tel__addresses addresses;
    char reason[128];
};

/* ---- a nameserver -------------------------------------------------------------------------- */

/* What each name, by its first letter, gives: a: 127.0.0.1, b: two of IPv4, c: ::1, n: no such
 * name, e: no address. s: silence. */
static size_t put_answer(uint8_t *at, char name, unsigned type)
{
    static const uint8_t ipv4[] = {0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
    static const uint8_t ipv6[] = {0xc0, 12, 0, TYPE_AAAA, 0, 1, 0, 0, 0, 60, 0, 16, 0, 0,
                                   0,    0,  0, 0,         0, 0, 0, 0, 0, 0,  0, 0,  0, 1};
    if (type == TYPE_A && (name == 'a' || name == 'b')) {
        memcpy(at, ipv4, sizeof(ipv4));
        memcpy(at + sizeof(ipv4), ipv4, sizeof(ipv4));
        at[2 * sizeof(ipv4) - 1] = 2;
        return name == 'a' ? 1 : 2;
    }
    if (type == TYPE_AAAA && name == 'c') {
        memcpy(at, ipv6, sizeof(ipv6));
        return 1;
    }
    return 0;
}

static void answer_question(evutil_socket_t fd, short what, void *argument)
{
    struct bench *bench = argument;
    uint8_t packet[1024];
    struct sockaddr_in from;
    socklen_t from_length = sizeof(from);
    ssize_t length = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_length);
    (void)what;
    if (length < 17) {
        return;
    }
    bench->questions++;
    char name = (char)(packet[13] | 0x20); /* evdns mixes upper and lower case */
    if (name == 's') {
        return;
    }
    size_t at = 12;
    while (packet[at] != 0) {
        at += packet[at] + 1u;
    }
    unsigned type = packet[at + 2];
    at += 5;
    size_t count = put_answer(packet + at, name, type);
    packet[2] = 0x81;
    packet[3] = name == 'n' ? 0x83 : 0x80;
    packet[7] = (uint8_t)count;
    at += count * (type == TYPE_A ? 16u : 28u);
    packet[9] = packet[11] = 0;
    assert_int_equal(sendto(fd, packet, at, 0, (struct sockaddr *)&from, from_length), at);
}

/* ---- the bench ----------------------------------------------------------------------------- */

static void found(const struct tel__addresses *addresses, const char *reason, void *argument)
{
    struct bench *bench = argument;
    bench->calls++;
    bench->addresses = *addresses;
    snprintf(bench->reason, sizeof(bench->reason), "%s", reason != NULL ? reason : "");
}

static void start_nameserver(struct bench *bench)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    bench->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(bench->server, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(bench->server, (struct sockaddr *)&address, &length), 0);
    bench->asked =
        event_new(bench->base, bench->server, EV_READ | EV_PERSIST, answer_question, bench);
    assert_int_equal(event_add(bench->asked, NULL), 0);
    strcpy(bench->conf, "/tmp/test_resolver.XXXXXX");
    int fd = mkstemp(bench->conf);
    assert_true(fd >= 0);
    dprintf(fd, "nameserver 127.0.0.1:%u\n", ntohs(address.sin_port));
    close(fd);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->base = event_base_new();
    start_nameserver(bench);
    bench->resolver = tel__resolver_create(bench->base, bench->conf, found, bench);
    assert_non_null(bench->resolver);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    tel__resolver_destroy(bench->resolver);
    event_free(bench->asked);
    event_base_free(bench->base);
    close(bench->server);
    unlink(bench->conf);
    free(bench);
    return 0;
}

/* Turns the loop until the lookup is answered. */
static void wait_for_answer(struct bench *bench)
{
    for (int i = 0; i < 5000 && bench->calls == 0; i++) {
        event_base_loop(bench->base, EVLOOP_NONBLOCK);
        pause_ms(1);
    }
    assert_int_equal(bench->calls, 1);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_no_nameserver_needed(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *host;
        size_t count;
        const char *addresses[2];
    } cases[] = {
        {"127.0.0.1", 1, {"127.0.0.1"}},
        {"192.0.2.7", 1, {"192.0.2.7"}},
        {"::1", 1, {"::1"}},
        {"2001:db8::1", 1, {"2001:db8::1"}},
        {"localhost", 2, {"::1", "127.0.0.1"}},
        {"LOCALHOST", 2, {"::1", "127.0.0.1"}},
        {"collector.localhost", 2, {"::1", "127.0.0.1"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bench->calls = 0;
        tel__resolver_start(bench->resolver, cases[i].host);
        assert_int_equal(bench->calls, 1);
        assert_int_equal(bench->addresses.count, cases[i].count);
        for (size_t k = 0; k < cases[i].count; k++) {
            assert_string_equal(bench->addresses.text[k], cases[i].addresses[k]);
        }
        assert_string_equal(bench->reason, "");
        tel__resolver_cancel(bench->resolver); /* nothing is under way: nothing happens */
    }
    assert_int_equal(bench->questions, 0);
    assert_non_null(tel__resolver_evdns(bench->resolver));
}

static void test_names(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *host;
        size_t count;
        const char *addresses[2];
    } cases[] = {
        {"a.test", 1, {"127.0.0.1"}}, {"b.test", 2, {"127.0.0.1", "127.0.0.2"}},
        {"c.test", 1, {"::1"}},       {"notlocalhost.test", 0, {NULL}}, /* it only ends alike */
        {"e.test", 0, {NULL}},        {"a.test", 1, {"127.0.0.1"}},     /* after failures too */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bench->calls = 0;
        tel__resolver_start(bench->resolver, cases[i].host);
        wait_for_answer(bench);
        assert_int_equal(bench->addresses.count, cases[i].count);
        for (size_t k = 0; k < cases[i].count; k++) {
            assert_string_equal(bench->addresses.text[k], cases[i].addresses[k]);
        }
        assert_int_equal(bench->reason[0] == '\0', cases[i].count > 0);
    }
    assert_true(bench->questions > 0);
}

/* Who gives up is not called any more, neither from the loop nor at the end. */
static void test_cancel(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 3; i++) {
        tel__resolver_start(bench->resolver, i == 1 ? "a.test" : "silent.test");
        tel__resolver_cancel(bench->resolver);
        for (int turn = 0; turn < 20; turn++) {
            event_base_loop(bench->base, EVLOOP_NONBLOCK);
            pause_ms(1);
        }
        assert_int_equal(bench->calls, 0);
    }
    tel__resolver_start(bench->resolver, "a.test"); /* and it still works */
    wait_for_answer(bench);
    assert_int_equal(bench->addresses.count, 1);
    tel__resolver_start(bench->resolver, "silent.test");
    /* the teardown destroys it with that lookup under way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_nameserver_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
