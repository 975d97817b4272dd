/*
 * The tracer: its queue's share in the equation
 *
 *     ended = unsampled + dropped + queued + taken by the exporter
 *
 * which is asserted after every step.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "queued.h"

static struct tel_tracer *make_tracer(size_t shard_count, size_t queue_size)
{
    struct tel_tracer *tracer =
        tel_tracer_create(&(struct tel_tracer_options){.shard_count = shard_count,
                                                       .sampler = {TEL_SAMPLER_ALWAYS_ON, 1, true},
                                                       .queue_size = queue_size});
    assert_non_null(tracer);
    return tracer;
}

static void end_one(struct tel_tracer *tracer, size_t shard, enum tel_span_kind kind,
                    const char *name)
{
    struct tel_span span;
    tel_span_begin(&span, tracer, shard, &(struct tel_span_start){.name = name, .kind = kind});
    tel_span_end(&span, 0);
}

static uint64_t drain(struct tel_tracer *tracer)
{
    uint64_t taken = 0;
    while (peek_span(tracer) != NULL) {
        pop_span(tracer);
        taken++;
    }
    return taken;
}

static struct tel_tracer_stats assert_equation(const struct tel_tracer *tracer, uint64_t taken)
{
    struct tel_tracer_stats stats;
    tel_tracer_get_stats(tracer, &stats);
    assert_int_equal(stats.ended, stats.unsampled + stats.dropped_queue_full +
                                      stats.dropped_shutdown + stats.queued + taken);
    assert_int_equal(stats.queued, queued_spans(tracer));
    return stats;
}

static void test_options_out_of_range(void **state)
{
    (void)state;
    static const struct {
        size_t shard_count;
        size_t queue_size;
    } cases[] = {{0, 10}, {SIZE_MAX, 10}, {1, SIZE_MAX}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        errno = 0;
        assert_null(tel_tracer_create(&(struct tel_tracer_options){
            .shard_count = cases[i].shard_count, .queue_size = cases[i].queue_size}));
        assert_int_equal(errno, EINVAL);
    }
    tel_tracer_destroy(NULL);
}

static void test_the_queue_is_shared_out(void **state)
{
    (void)state;
    static const struct {
        size_t shard_count;
        size_t queue_size;
        uint64_t capacity;
    } cases[] = {{1, 2048, 2048}, {4, 2048, 2048}, {3, 10, 10}, {4, 2, 4}, {2, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_tracer *tracer = make_tracer(cases[i].shard_count, cases[i].queue_size);
        struct tel_tracer_stats stats;
        tel_tracer_get_stats(tracer, &stats);
        assert_int_equal(stats.queue_capacity, cases[i].capacity);
        /* What it says is what fits: the next span finds no room. */
        for (size_t shard = 0; shard < cases[i].shard_count; shard++) {
            for (size_t k = 0; k < cases[i].capacity + 1; k++) {
                end_one(tracer, shard, TEL_SPAN_INTERNAL, "s");
            }
        }
        assert_int_equal(assert_equation(tracer, 0).queued, cases[i].capacity);
        tel_tracer_destroy(tracer);
    }
}

static void test_every_span_is_in_one_term(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(1, 2);
    const struct tel_context unsampled_parent = {.valid = true, .remote = true, .trace_id = {1}};
    struct tel_span unsampled;
    struct tel_span open;
    tel_span_begin(&open, tracer, 0, &(struct tel_span_start){.name = "open"});

    end_one(tracer, 0, TEL_SPAN_SERVER, "queued");
    end_one(tracer, 0, TEL_SPAN_INTERNAL, "queued");
    end_one(tracer, 0, TEL_SPAN_SERVER, "no room");
    tel_span_begin(&unsampled, tracer, 0,
                   &(struct tel_span_start){
                       .name = "u", .kind = TEL_SPAN_SERVER, .parent = &unsampled_parent});
    tel_span_end(&unsampled, 0);
    struct tel_tracer_stats stats = assert_equation(tracer, 0);
    assert_int_equal(stats.started, 5);
    assert_int_equal(stats.started_by[TEL_PARENT_NONE][true], 4);
    assert_int_equal(stats.started_by[TEL_PARENT_REMOTE][false], 1);
    assert_int_equal(stats.ended, 4);
    assert_int_equal(stats.ended_server, 3);
    assert_int_equal(stats.queued, 2);
    assert_int_equal(stats.dropped_queue_full, 1);
    assert_int_equal(stats.unsampled, 1);
    assert_int_equal(stats.dropped_shutdown, 0);

    uint64_t taken = drain(tracer);
    assert_int_equal(taken, 2);
    assert_equation(tracer, taken);

    tel_tracer_close(tracer);
    tel_span_end(&open, 0);
    end_one(tracer, 0, TEL_SPAN_CLIENT, "late");
    stats = assert_equation(tracer, taken);
    assert_int_equal(stats.dropped_shutdown, 2);
    assert_null(peek_span(tracer));
    tel_tracer_destroy(tracer);
}

/* Nothing is recorded, and yet those we call are told what the sampler decided. */
static void test_without_a_queue_all_is_unsampled(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(2, 0);
    struct tel_span span;
    tel_span_begin(&span, tracer, 1, &(struct tel_span_start){.name = "n"});
    assert_true(tel_span_is_sampled(&span));
    assert_false(tel_span_is_recording(&span));
    tel_span_end(&span, 0);
    assert_int_equal(assert_equation(tracer, 0).unsampled, 1);
    assert_null(peek_span(tracer));
    tel_tracer_destroy(tracer);
}

/* ---- threads: each ends spans on its shard while one takes them ---------------------------- */

#define THREADS        3
#define SPANS_A_THREAD 20000

struct worker {
    struct tel_tracer *tracer;
    size_t shard;
};

static void *work(void *argument)
{
    static const char *const names[THREADS] = {"zero", "one", "two"};
    const struct worker *worker = argument;
    for (int i = 0; i < SPANS_A_THREAD; i++) {
        struct tel_span span;
        tel_span_begin(
            &span, worker->tracer, worker->shard,
            &(struct tel_span_start){.name = names[worker->shard], .kind = TEL_SPAN_SERVER});
        tel_span_set_int(&span, "number", i);
        tel_span_end(&span, 0);
        if (i % 64 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

/* Takes all there is; numbers of a shard only grow, for losing is allowed, mixing up is not. */
static uint64_t take(struct tel_tracer *tracer, int64_t last[THREADS])
{
    uint64_t taken = 0;
    const struct tel__span_record *record;
    while ((record = peek_span(tracer)) != NULL) {
        struct tel_item item;
        size_t position = 0;
        size_t shard = record->bytes[0] == 'z' ? 0 : record->bytes[0] == 'o' ? 1 : 2;
        assert_true(tel__item_next(record, &position, &item));
        assert_true(item.attribute.value.integer > last[shard]);
        last[shard] = item.attribute.value.integer;
        pop_span(tracer);
        taken++;
    }
    return taken;
}

static void test_threads_lose_nothing_uncounted(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(THREADS, 64);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    int64_t last[THREADS] = {-1, -1, -1};
    struct tel_tracer_stats stats;
    uint64_t taken = 0;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){tracer, i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    do {
        taken += take(tracer, last);
        tel_tracer_get_stats(tracer, &stats);
        assert_true(stats.queued <= stats.queue_capacity);
        sched_yield();
    } while (stats.ended < (uint64_t)THREADS * SPANS_A_THREAD);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    taken += take(tracer, last);
    stats = assert_equation(tracer, taken);
    assert_int_equal(stats.ended_server, THREADS * SPANS_A_THREAD);
    assert_int_equal(stats.queued, 0);
    assert_true(taken > 0);
    tel_tracer_destroy(tracer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_the_queue_is_shared_out),
        cmocka_unit_test(test_every_span_is_in_one_term),
        cmocka_unit_test(test_without_a_queue_all_is_unsampled),
        cmocka_unit_test(test_threads_lose_nothing_uncounted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
