/*
 * POSTs of the OTLP client with each thing on the way refused in turn: each has one outcome, in
 * time; what the client calls answered the collector did answer; and the next one works.
 */
#include "otlp/client.h"

#include <event2/event.h>

#include "../otlp/collector.h"
#include "faults.h"

#define POSTS      3
#define TIMEOUT_MS 60 /* of those whose answer libevent could not take in */

struct bench {
    struct event_base *base;
    struct tel__endpoint endpoint;
    struct tel__headers headers;
    struct tel__client *client;
    size_t outcomes;
    size_t answers;
    size_t late; /* no answer in time: also on a machine that was busy elsewhere */
    struct tel__outcome outcome;
};

static void answered(const struct tel__outcome *outcome, const struct tel__bytes *body,
                     void *argument)
{
    struct bench *bench = argument;
    (void)body;
    bench->outcomes++;
    bench->answers += outcome->kind == TEL__OUTCOME_ANSWER;
    bench->late += outcome->kind == TEL__OUTCOME_TIMEOUT;
    bench->outcome = *outcome;
}

static void start(struct bench *bench, const char *url)
{
    const char *reason;
    *bench = (struct bench){.base = event_base_new()};
    assert_int_equal(tel__endpoint_parse(url, &bench->endpoint, &reason), 0);
    assert_int_equal(tel__headers_parse("x-token=abc", &bench->headers, &reason), 0);
    bench->client =
        tel__client_create(&(struct tel__client_options){.base = bench->base,
                                                         .endpoint = &bench->endpoint,
                                                         .headers = &bench->headers,
                                                         .user_agent = "test",
                                                         .content_type = "text/plain",
                                                         .files = {.hosts = "/dev/null"},
                                                         .answered = answered,
                                                         .argument = bench});
    assert_non_null(bench->client);
}

static void finish(struct bench *bench)
{
    tel__client_destroy(bench->client);
    tel__headers_fini(&bench->headers);
    event_base_free(bench->base);
}

/* One POST, and at once another where the connection had been closed by the collector meanwhile. */
static void post(struct bench *bench, uint32_t timeout_ms)
{
    static const struct tel__bytes pieces[] = {{"12", 2}, {"345", 3}};
    do {
        size_t before = bench->outcomes;
        tel__client_post(bench->client, pieces, 2, true, timeout_ms);
        for (int i = 0; i < 1000 && bench->outcomes == before; i++) {
            event_base_loop(bench->base, EVLOOP_ONCE);
        }
        assert_int_equal(bench->outcomes, before + 1);
        assert_true(bench->outcome.kind == TEL__OUTCOME_ANSWER || bench->outcome.reason[0] != '\0');
    } while (bench->outcome.kind == TEL__OUTCOME_STALE);
}

static void run(unsigned kinds, bool lasting, const struct step *script, unsigned long least)
{
    struct faults faults = {.kinds = kinds, .lasting = lasting};
    struct collector collector;
    struct bench bench;
    faults_spare_thread(true);
    collector_start(&collector, script, 1);
    faults_spare_thread(false);
    while (faults_next(&faults)) {
        size_t requests = collector.requests;
        faults_stop();
        start(&bench, collector.url);
        faults_resume();
        for (int i = 0; i < POSTS; i++) {
            post(&bench, TIMEOUT_MS);
        }
        faults_stop();
        assert_true(faults_struck() || bench.answers + bench.late == POSTS);
        assert_true(bench.answers <= collector.requests - requests);
        post(&bench, 5000);
        if (bench.outcome.kind != TEL__OUTCOME_ANSWER) {
            fail_msg("call %lu at %p, afterwards: %s", faults.turns, faults_where(),
                     bench.outcome.reason);
        }
        finish(&bench);
    }
    assert_true(faults.turns > least);
    collector_stop(&collector);
    collector_fini(&collector);
}

static const struct step kept[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, false}};
static const struct step closed[] = {{TEXT_OF(ANSWER_OK), THEN_CLOSE, false}};

static void test_one_refusal(void **state)
{
    (void)state;
    run(FAULTS_OURS | FAULTS_LIBEVENT, false, kept, 50);
    run(FAULTS_OURS | FAULTS_LIBEVENT, false, closed, 50);
}

static void test_nothing_more_from_there_on(void **state)
{
    (void)state;
    run(FAULTS_OURS | FAULTS_LIBEVENT, true, kept, 50);
}

/* Nor for asking where the collector is. */
static void test_no_memory_for_a_name(void **state)
{
    struct bench bench;
    (void)state;
    start(&bench, "http://collector.test:4318/v1/traces");
    faults_refuse(FAULTS_MEMORY);
    post(&bench, 5000);
    faults_stop();
    assert_int_equal(bench.outcome.kind, TEL__OUTCOME_NO_CONNECTION);
    assert_non_null(strstr(bench.outcome.reason, "no memory for a lookup"));
    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_refusal),
        cmocka_unit_test(test_nothing_more_from_there_on),
        cmocka_unit_test(test_no_memory_for_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
