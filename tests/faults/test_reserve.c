/*
 * libevent on the reserve: with malloc refused it goes on as long as it asks for little; and its
 * resolver and HTTP client, which crash on what they were refused, live through every refusal.
 */
#include "reserve.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "faults.h"

#define PATIENCE_MS 20 /* for an answer that libevent may have had no room for */

static void do_nothing(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    (void)argument;
}

static int bind_loopback(int type, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* ---- blocks ------------------------------------------------------------------------------------ */

static void test_with_memory_nothing_is_used(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    struct event *timer = event_new(base, -1, 0, do_nothing, NULL);
    assert_int_equal(reserve_used(), 0);
    event_free(timer);
    event_base_free(base);
}

static void test_blocks_come_and_go(void **state)
{
    static const struct timeval later = {.tv_sec = 1000};
    struct event *timers[RESERVE_BLOCKS + 1];
    (void)state;
    struct event_base *base = event_base_new();
    faults_refuse(FAULTS_OURS);
    for (size_t i = 0; i < RESERVE_BLOCKS; i++) {
        timers[i] = event_new(base, -1, 0, do_nothing, NULL);
        assert_non_null(timers[i]);
        assert_int_equal(reserve_used(), i + 1);
    }
    assert_null(event_new(base, -1, 0, do_nothing, NULL));
    event_free(timers[7]);
    assert_int_equal(event_add(timers[0], &later), 0); /* the loop's table of timers takes it */
    assert_int_equal(reserve_used(), RESERVE_BLOCKS);
    faults_stop();
    timers[7] = event_new(base, -1, 0, do_nothing, NULL); /* from malloc again */
    for (size_t i = 0; i < RESERVE_BLOCKS; i++) {
        assert_int_equal(event_add(timers[i], &later), 0); /* the table moves back to malloc */
    }
    for (size_t i = 0; i < RESERVE_BLOCKS; i++) {
        assert_true(event_pending(timers[i], EV_TIMEOUT, NULL));
        event_free(timers[i]);
    }
    assert_int_equal(reserve_used(), 0);
    event_base_free(base);
}

/* A table that grows moves from malloc into the reserve, with what it held; and no further than a
 * block. */
static void test_what_grows_takes_its_content_along(void **state)
{
    enum { TIMERS = 1000 };
    static struct event *timers[TIMERS];
    (void)state;
    struct event_base *base = event_base_new();
    for (int i = 0; i < TIMERS; i++) {
        timers[i] = event_new(base, -1, 0, do_nothing, NULL);
    }
    int added = 0;
    for (int i = 0; i < TIMERS; i++) {
        const struct timeval later = {.tv_sec = 1000 + i % 7};
        if (i == 10) {
            faults_refuse(FAULTS_OURS);
        }
        added += event_add(timers[i], &later) == 0;
    }
    faults_stop();
    assert_int_equal(reserve_used(), 1);
    assert_true(added >= (int)(RESERVE_BLOCK_BYTES / sizeof(void *) / 2) && added < TIMERS);
    for (int i = 0; i < TIMERS; i++) {
        assert_int_equal(event_pending(timers[i], EV_TIMEOUT, NULL) != 0, i < added);
        event_free(timers[i]);
    }
    event_base_free(base);
    assert_int_equal(reserve_used(), 0);
}

/* ---- the resolver ------------------------------------------------------------------------------ */

/* Answers whatever is asked with 127.0.0.1, until its socket is shut. */
static void *run_nameserver(void *argument)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
    const int fd = *(const int *)argument;
    uint8_t packet[1024];
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    while (recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &length) > 17) {
        size_t at = 12;
        while (packet[at] != 0) {
            at += packet[at] + 1u;
        }
        bool wants_ipv4 = packet[at + 2] == 1;
        at += 5;
        memcpy(packet + at, record, sizeof(record));
        packet[2] = 0x81;
        packet[3] = 0x80;
        packet[7] = wants_ipv4;
        packet[9] = packet[11] = 0;
        sendto(fd, packet, wants_ipv4 ? at + sizeof(record) : at, 0, (struct sockaddr *)&from,
               length);
    }
    return NULL;
}

static void count_answer(int result, struct evutil_addrinfo *info, void *argument)
{
    (void)result;
    ++*(int *)argument;
    if (info != NULL) {
        evutil_freeaddrinfo(info);
    }
}

static void turn(struct event_base *base, const int *answers)
{
    static const struct timeval moment = {.tv_usec = 1000};
    for (int i = 0; i < PATIENCE_MS && *answers == 0; i++) {
        event_base_loopexit(base, &moment);
        event_base_dispatch(base);
    }
}

/* One name asked for twice, the second time with plenty of memory. */
static void resolve(uint16_t port)
{
    const struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char server[32];
    snprintf(server, sizeof(server), "127.0.0.1:%u", port);
    faults_stop();
    struct event_base *base = event_base_new();
    struct evdns_base *evdns = evdns_base_new(base, 0);
    assert_int_equal(evdns_base_nameserver_ip_add(evdns, server), 0);
    for (int i = 0; i < 2; i++) {
        int answers = 0;
        if (i == 0) {
            faults_resume();
        }
        struct evdns_getaddrinfo_request *request =
            evdns_getaddrinfo(evdns, "a.test", NULL, &hints, count_answer, &answers);
        turn(base, &answers);
        faults_stop();
        if (answers == 0) {
            evdns_getaddrinfo_cancel(request);
            turn(base, &answers);
        }
        assert_int_equal(answers, 1);
    }
    evdns_base_free(evdns, 1);
    event_base_free(base);
}

static void test_the_resolver_lives(void **state)
{
    uint16_t port;
    pthread_t thread;
    int fd = bind_loopback(SOCK_DGRAM, &port);
    (void)state;
    faults_spare_thread(true);
    assert_int_equal(pthread_create(&thread, NULL, run_nameserver, &fd), 0);
    faults_spare_thread(false);
    for (int lasting = 0; lasting < 2; lasting++) {
        struct faults faults = {.kinds = FAULTS_OURS, .lasting = lasting};
        while (faults_next(&faults)) {
            resolve(port);
            assert_int_equal(reserve_used(), 0);
        }
        assert_true(faults.turns > 5);
    }
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
}

/* ---- the HTTP client --------------------------------------------------------------------------- */

static void count_response(struct evhttp_request *request, void *argument)
{
    (void)request;
    ++*(int *)argument;
}

/* A request to a port on which nobody listens. */
static void request(uint16_t port)
{
    int answers = 0;
    faults_stop();
    struct event_base *base = event_base_new();
    faults_resume();
    struct evhttp_connection *connection =
        evhttp_connection_base_new(base, NULL, "127.0.0.1", port);
    struct evhttp_request *made = evhttp_request_new(count_response, &answers);
    assert_non_null(connection);
    assert_non_null(made);
    assert_int_equal(evhttp_add_header(evhttp_request_get_output_headers(made), "Host", "a"), 0);
    if (evhttp_make_request(connection, made, EVHTTP_REQ_GET, "/") == 0) {
        turn(base, &answers);
    }
    faults_stop();
    evhttp_connection_free(connection);
    event_base_free(base);
}

static void test_the_http_client_lives(void **state)
{
    uint16_t port;
    close(bind_loopback(SOCK_STREAM, &port));
    (void)state;
    for (int lasting = 0; lasting < 2; lasting++) {
        struct faults faults = {.kinds = FAULTS_OURS, .lasting = lasting};
        while (faults_next(&faults)) {
            request(port);
            assert_int_equal(reserve_used(), 0);
        }
        assert_true(faults.turns > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_memory_nothing_is_used),
        cmocka_unit_test(test_blocks_come_and_go),
        cmocka_unit_test(test_what_grows_takes_its_content_along),
        cmocka_unit_test(test_the_resolver_lives),
        cmocka_unit_test(test_the_http_client_lives),
    };
    reserve_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
