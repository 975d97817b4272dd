/*
 * The HTTP client and a name with several addresses: which one gets the POST, and what becomes of
 * those that do not take it.
 */
#include <event2/event.h>

#include "collector.h"
#include "otlp/client.h"

#define NAME "collector.test"

static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, true}};

struct bench {
    struct event_base *base;
    struct tel__endpoint endpoint;
    struct tel__headers headers;
    struct tel__client *client;
    char hosts[64];
    size_t answers;
    struct tel__outcome outcome;
};

static void answered(const struct tel__outcome *outcome, const struct tel__bytes *body,
                     void *argument)
{
    struct bench *bench = argument;
    (void)body;
    bench->answers++;
    bench->outcome = *outcome;
}

/* Gives the name these blank-separated addresses. */
static void name_addresses(const struct bench *bench, const char *addresses)
{
    char copy[256];
    char *rest;
    FILE *file = fopen(bench->hosts, "w");
    assert_non_null(file);
    snprintf(copy, sizeof(copy), "%s", addresses);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        fprintf(file, "%s %s\n", word, NAME);
    }
    fclose(file);
}

static void start(struct bench *bench, uint16_t port, const char *addresses, uint64_t max_age_ms)
{
    const char *reason;
    char url[64];
    *bench = (struct bench){.base = event_base_new(), .hosts = "/tmp/test_client.XXXXXX"};
    close(mkstemp(bench->hosts));
    name_addresses(bench, addresses);
    snprintf(url, sizeof(url), "http://" NAME ":%u/", port);
    assert_int_equal(tel__endpoint_parse(url, &bench->endpoint, &reason), 0);
    bench->client = tel__client_create(
        &(struct tel__client_options){.base = bench->base,
                                      .endpoint = &bench->endpoint,
                                      .headers = &bench->headers,
                                      .user_agent = "test",
                                      .content_type = "text/plain",
                                      .answered = answered,
                                      .argument = bench,
                                      .files = {.resolv_conf = "/dev/null", .hosts = bench->hosts},
                                      .max_age_ms = max_age_ms});
    assert_non_null(bench->client);
}

static void finish(struct bench *bench)
{
    tel__client_destroy(bench->client);
    event_base_free(bench->base);
    unlink(bench->hosts);
}

static enum tel__outcome_kind post(struct bench *bench, uint32_t timeout_ms)
{
    static const struct tel__bytes piece = {"12345", 5};
    bench->answers = 0;
    tel__client_post(bench->client, &piece, 1, false, timeout_ms);
    for (int i = 0; i < 10000 && bench->answers == 0; i++) {
        event_base_loop(bench->base, EVLOOP_ONCE);
    }
    assert_int_equal(bench->answers, 1);
    return bench->outcome.kind;
}

static void assert_reason(const struct bench *bench, const char *part)
{
    if (strstr(bench->outcome.reason, part) == NULL) {
        fail_msg("%s", bench->outcome.reason);
    }
}

/* Listeners at one port of two addresses, whoever else has ports there; the second with a queue of
 * this length. False when there is no such second address. */
static bool listen_twice(const char *first, const char *second, int backlog, int listeners[2])
{
    for (int i = 0; i < 64; i++) {
        struct sockaddr_in address;
        socklen_t length = sizeof(address);
        listeners[0] = collector_listen(first, 0, 16);
        assert_int_equal(getsockname(listeners[0], (struct sockaddr *)&address, &length), 0);
        listeners[1] = collector_listen(second, ntohs(address.sin_port), backlog);
        if (listeners[1] >= 0) {
            return true;
        }
        close(listeners[0]);
    }
    return false;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Both listen: IPv6 gets it, whatever the file's order. */
static void test_ipv6_first(void **state)
{
    (void)state;
    struct bench bench;
    int listeners[2];
    struct collector four;
    struct collector six;
    if (!listen_twice("127.0.0.1", "::1", 16, listeners)) {
        skip(); /* there is no IPv6 here */
    }
    collector_start_on(&four, ok, 1, listeners[0]);
    collector_start_on(&six, ok, 1, listeners[1]);
    start(&bench, four.port, "127.0.0.1 ::1", 0);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_ANSWER);
    finish(&bench);
    collector_stop(&six);
    assert_int_equal(six.requests, 1);
    assert_int_equal(four.connections, 0);
    collector_fini(&six);
    collector_stop(&four);
    collector_fini(&four);
}

/* Fills a listener's queue: from then on it answers no SYN. */
static void fill(int listener, int fillers[4])
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    for (size_t i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
    }
    pause_ms(20);
}

/* One that swallows packets costs its share of the time, once: the next connection goes to the
 * other at once, until that one fails too. */
static void test_swallowing(void **state)
{
    (void)state;
    struct bench bench;
    struct collector collector;
    int listeners[2];
    int fillers[4];
    assert_true(listen_twice("127.0.0.1", "127.0.0.2", 0, listeners));
    collector_start_on(&collector, ok, 1, listeners[0]);
    fill(listeners[1], fillers);
    start(&bench, collector.port, "127.0.0.2 127.0.0.1", 1);
    assert_int_equal(post(&bench, 1000), TEL__OUTCOME_ANSWER);
    pause_ms(5); /* that connection is old now */
    assert_int_equal(post(&bench, 10000), TEL__OUTCOME_ANSWER);
    assert_int_equal(collector.connections, 2);
    collector_stop(&collector);
    pause_ms(5);
    assert_int_equal(post(&bench, 200), TEL__OUTCOME_NO_CONNECTION);
    assert_reason(&bench, "127.0.0.1: connection refused; 127.0.0.2: no connection in time");
    finish(&bench);
    for (size_t i = 0; i < COUNT(fillers); i++) {
        close(fillers[i]);
    }
    close(listeners[1]);
    collector_fini(&collector);
}

/* All of them are told when none takes it. */
static void test_all_dead(void **state)
{
    (void)state;
    struct bench bench;
    int listener = collector_listen("127.0.0.1", 0, 1);
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    getsockname(listener, (struct sockaddr *)&address, &length);
    close(listener);
    start(&bench, ntohs(address.sin_port), "127.0.0.1 127.0.0.2 127.0.0.3", 0);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_NO_CONNECTION);
    assert_reason(&bench, "127.0.0.1: connection refused; 127.0.0.2: connection refused; "
                          "127.0.0.3: connection refused");
    finish(&bench);
}

/* One that takes the connection and then fails is tried last as well, and gets no second chance
 * within the same POST: what it has read might come twice. */
static void test_failing(void **state)
{
    (void)state;
    static const struct step cut[] = {{TEXT_OF("HTTP/1.1 200 OK\r\nContent-Le"), THEN_CLOSE, true}};
    struct bench bench;
    int listeners[2];
    struct collector good;
    struct collector bad;
    assert_true(listen_twice("127.0.0.1", "127.0.0.2", 16, listeners));
    collector_start_on(&good, ok, 1, listeners[0]);
    collector_start_on(&bad, cut, 1, listeners[1]);
    start(&bench, good.port, "127.0.0.2 127.0.0.1", 1);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_DISCONNECTED);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_ANSWER);
    pause_ms(5);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_ANSWER);
    finish(&bench);
    collector_stop(&good);
    collector_stop(&bad);
    assert_int_equal(bad.connections, 1);
    assert_int_equal(good.connections, 2);
    collector_fini(&good);
    collector_fini(&bad);
}

/* A name that leads elsewhere meanwhile: the connection that stands goes on, the next one follows. */
static void test_moved(void **state)
{
    (void)state;
    struct bench bench;
    int listeners[2];
    struct collector old;
    struct collector new;
    assert_true(listen_twice("127.0.0.1", "127.0.0.2", 16, listeners));
    collector_start_on(&old, ok, 1, listeners[0]);
    collector_start_on(&new, ok, 1, listeners[1]);
    start(&bench, old.port, "127.0.0.1", 200);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_ANSWER);
    name_addresses(&bench, "127.0.0.2");
    pause_ms(210);
    assert_int_equal(post(&bench, 5000), TEL__OUTCOME_ANSWER);
    finish(&bench);
    collector_stop(&old);
    collector_stop(&new);
    assert_int_equal(old.requests, 1);
    assert_int_equal(new.requests, 1);
    collector_fini(&old);
    collector_fini(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv6_first), cmocka_unit_test(test_swallowing),
        cmocka_unit_test(test_all_dead),   cmocka_unit_test(test_failing),
        cmocka_unit_test(test_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
