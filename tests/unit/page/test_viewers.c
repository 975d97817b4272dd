/*
 * Viewers of a site: greeted, sent what is published, told what they missed, given up, said goodbye to.
 *
 * A site of its own serves one end of a socket pair; frames are published by the test, and time is what
 * the test says.
 */
#include "page/page.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "exchange.h"
#include "faults/faults.h"
#include "instruments.h"
#include "options.h"
#include "page/internal.h"
#include "service.h"
#include "site.h"
#include "unit/parts.h"

#define CLIENTS 3
#define SECOND  TEL_NS_PER_SECOND

static const struct options options = {.random_error_status = 503,
                                       .faults = "",
                                       .incident = "",
                                       .fault_token_file = "",
                                       .page = true,
                                       .page_viewers = 2};
static struct service service;
static struct site site;
static struct page_site *own;
static int clients[CLIENTS];
static char answer[1 << 20];
static char large[200 * 1024];

static int make(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    parts_make(&service, &options, 1);
    service.limits = (struct http_limits){
        .request_line_bytes = 8192, .head_bytes = 32768, .header_count = 100, .write_ms = 1000};
    service.faults = faults_create(&options);
    parts_make_tracer(&service);
    service.page = page_create(&service);
    atomic_init(&service.lifecycle.state, LIFE_READY);
    if (service.page == NULL || service.faults == NULL ||
        site_init(&site, &service, 0, SIDE_BOTH, base) != 0) {
        return -1;
    }
    own = &service.page->sites[0];
    memset(large, 'l', sizeof(large));
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = -1;
    }
    return 0;
}

static void hang_up(size_t client)
{
    if (clients[client] >= 0) {
        close(clients[client]);
        clients[client] = -1;
    }
}

static int drop(void **state)
{
    (void)state;
    struct event_base *base = site.base;
    for (size_t i = 0; i < CLIENTS; i++) {
        hang_up(i);
    }
    site_fini(&site);
    page_destroy(service.page);
    event_base_free(base);
    faults_destroy(service.faults);
    parts_drop(&service);
    return 0;
}

static void turn(void)
{
    for (int i = 0; i < 4; i++) {
        event_base_loop(site.base, EVLOOP_NONBLOCK);
    }
}

/* What has come since, NUL-terminated. */
static const char *receive(size_t client)
{
    size_t length = 0;
    ssize_t got;
    while (length < sizeof(answer) - 1 &&
           (got = recv(clients[client], answer + length, sizeof(answer) - 1 - length,
                       MSG_DONTWAIT)) > 0) {
        length += (size_t)got;
    }
    answer[length] = '\0';
    return answer;
}

static const char *ask(size_t client, const char *method)
{
    char request[128];
    int pair[2];
    const int length =
        snprintf(request, sizeof(request), "%s /page/events HTTP/1.1\r\nHost: a\r\n\r\n", method);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    clients[client] = pair[0];
    assert_int_equal(http_engine_adopt(site.engine, pair[1], NULL, NULL), 0);
    assert_int_equal(send(pair[0], request, (size_t)length, 0), length);
    turn();
    return receive(client);
}

static void publish(const char *bytes, size_t length)
{
    assert_int_equal(page_hub_publish(&service.page->hub, bytes, length), 0);
}

static void publish_text(const char *text)
{
    publish(text, strlen(text));
}

static void assert_stats(uint64_t viewers, uint64_t lost)
{
    struct page_stats stats;
    page_get_stats(service.page, &stats);
    assert_int_equal(stats.viewers, viewers);
    assert_int_equal(stats.updates_lost, lost);
    assert_int_equal(page_is_watched(service.page), viewers > 0);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("no %s in %.300s", part, text);
    }
}

static void test_hello_then_what_is_new(void **state)
{
    (void)state;
    publish_text("before it came");
    const char *text = ask(0, "GET");
    assert_has(text, "HTTP/1.1 200 OK\r\n");
    assert_has(text, "Content-Type: text/event-stream\r\n");
    assert_has(text, "Cache-Control: no-store\r\n");
    assert_has(text, "Connection: close\r\n");
    assert_has(text, "event: hello\ndata: {\"version\":");
    assert_stats(1, 0);
    viewers_turn(service.page, own, SECOND);
    assert_string_equal(receive(0), "");
    publish_text("one");
    publish_text("two!");
    viewers_turn(service.page, own, SECOND);
    assert_string_equal(receive(0), "3\r\none\r\n4\r\ntwo!\r\n");
    viewers_turn(service.page, own, SECOND);
    assert_string_equal(receive(0), "");
}

static void test_several_see_the_same(void **state)
{
    (void)state;
    ask(0, "GET");
    publish_text("one");
    viewers_turn(service.page, own, SECOND);
    ask(1, "GET");
    assert_stats(2, 0);
    publish_text("two");
    viewers_turn(service.page, own, SECOND);
    assert_string_equal(receive(0), "3\r\none\r\n3\r\ntwo\r\n");
    assert_string_equal(receive(1), "3\r\ntwo\r\n");
}

static void test_too_many_and_head(void **state)
{
    (void)state;
    struct page_stats stats;
    ask(0, "GET");
    ask(1, "GET");
    const char *text = ask(2, "GET");
    assert_has(text, "HTTP/1.1 503 ");
    assert_has(text, "Retry-After: 5\r\n");
    assert_has(text, "--page-viewers");
    page_get_stats(service.page, &stats);
    assert_int_equal(stats.refused_limit, 1);
    assert_stats(2, 0);
    hang_up(2);
    text = ask(2, "HEAD"); /* which takes no place */
    assert_has(text, "HTTP/1.1 200 OK\r\n");
    assert_has(text, "\r\n\r\n");
    assert_stats(2, 0);
    hang_up(2);
    hang_up(0);
    turn();
    assert_stats(1, 0);
    assert_has(ask(2, "GET"), "event: hello\n");
    assert_stats(2, 0);
}

static void test_viewers_that_leave(void **state)
{
    (void)state;
    ask(0, "GET");
    ask(1, "GET");
    hang_up(1);
    publish_text("for one of them it is too late");
    viewers_turn(service.page, own, SECOND);
    viewers_turn(service.page, own, SECOND);
    turn();
    assert_stats(1, 0);
    hang_up(0);
    turn();
    assert_stats(0, 0);
    assert_null(own->viewers);
}

/* Frames until the viewer is not clear any more. */
static void fill(uint64_t now_ns)
{
    for (int i = 0; i < 64 && http_stream_is_clear(own->viewers->exchange->http); i++) {
        publish(large, sizeof(large));
        viewers_turn(service.page, own, now_ns);
    }
    assert_false(http_stream_is_clear(own->viewers->exchange->http));
}

/* Reads all there is, with the loop's help. */
static size_t read_on(size_t client)
{
    size_t length = 0;
    for (int i = 0; i < 1000; i++) {
        const size_t got = strlen(receive(client));
        length += got;
        turn();
        if (got == 0) {
            break;
        }
    }
    return length;
}

/* Who reads slowly misses what has left the hub, is told how much, and nothing else. */
static void test_slow_viewer(void **state)
{
    (void)state;
    ask(0, "GET");
    fill(SECOND);
    for (int i = 0; i < PAGE_HUB_FRAMES + 3; i++) {
        publish_text("missed or not");
    }
    viewers_turn(service.page, own, SECOND);
    assert_stats(1, 3);
    publish_text("missed or not");
    viewers_turn(service.page, own, SECOND);
    assert_stats(1, 4);
    assert_true(read_on(0) > sizeof(large));
    assert_true(http_stream_is_clear(own->viewers->exchange->http));
    viewers_turn(service.page, own, SECOND);
    const char *text = receive(0);
    static const char told[] = "event: lost\ndata: {\"frames\":4}\n\n";
    char expected[64];
    snprintf(expected, sizeof(expected), "%zx\r\n%s\r\nd\r\nmissed or not\r\n", sizeof(told) - 1,
             told);
    assert_memory_equal(text, expected, strlen(expected));
    size_t frames = 0;
    for (const char *at = text; (at = strstr(at, "missed or not")) != NULL; at++) {
        frames++;
    }
    assert_int_equal(frames, PAGE_HUB_FRAMES);
    assert_null(strstr(text + strlen(expected), "lost"));
    assert_stats(1, 4);
}

/* One that takes nothing is given up after a minute; one that takes a little is not. */
static void test_stuck_viewer(void **state)
{
    (void)state;
    ask(0, "GET");
    viewers_turn(service.page, own, SECOND);
    fill(SECOND);
    viewers_turn(service.page, own, SECOND + PAGE_STUCK_NS - 1);
    assert_stats(1, 0);
    const struct http_exchange *http = own->viewers->exchange->http;
    const uint64_t before = http->bytes_sent;
    while (http->bytes_sent == before) {
        assert_true(recv(clients[0], answer, 65536, MSG_DONTWAIT) > 0);
        turn();
    }
    viewers_turn(service.page, own, SECOND + PAGE_STUCK_NS - 1);
    fill(SECOND + PAGE_STUCK_NS - 1);
    viewers_turn(service.page, own, SECOND + PAGE_STUCK_NS);
    viewers_turn(service.page, own, SECOND + 2 * PAGE_STUCK_NS - 2);
    assert_stats(1, 0);
    viewers_turn(service.page, own, SECOND + 2 * PAGE_STUCK_NS);
    assert_stats(0, 0);
    turn();
    struct http_engine_stats stats;
    http_engine_get_stats(site.engine, &stats);
    assert_int_equal(stats.connections, 0);
}

/* A bye to who listens, a reset to who does not, and nobody new. */
static void test_draining(void **state)
{
    (void)state;
    struct http_engine_stats stats;
    struct page_stats page_stats;
    ask(0, "GET");
    fill(SECOND);
    ask(1, "GET");
    page_look(&site);
    assert_stats(2, 0);
    atomic_store(&service.lifecycle.state, LIFE_DRAINING);
    page_look(&site);
    turn();
    assert_stats(0, 0);
    assert_string_equal(receive(1), "15\r\nevent: bye\ndata: {}\n\n\r\n0\r\n\r\n");
    http_engine_get_stats(site.engine, &stats);
    assert_int_equal(stats.connections, 0); /* neither waits for its client */
    assert_has(ask(2, "GET"), "HTTP/1.1 503 ");
    page_get_stats(service.page, &page_stats);
    assert_int_equal(page_stats.refused_draining, 1);
}

/* The engine's end takes the viewers with it. */
static void test_end_of_the_site(void **state)
{
    (void)state;
    ask(0, "GET");
    ask(1, "GET");
    fill(SECOND);
    site_fini(&site);
    assert_stats(0, 0);
    assert_null(own->viewers);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_hello_then_what_is_new),
        TEST(test_several_see_the_same),
        TEST(test_too_many_and_head),
        TEST(test_viewers_that_leave),
        TEST(test_slow_viewer),
        TEST(test_stuck_viewer),
        TEST(test_draining),
        TEST(test_end_of_the_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
