/*
 * The queue between those who record and the one who exports: who gets how much room, in which order
 * it is emptied, when the consumer is woken, and that nothing is lost uncounted.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/queue.h"
#include "base/signal.h"

static void make(struct tel__queue *queue, size_t shard_count, size_t record_limit)
{
    assert_int_equal(
        tel__queue_init(queue, &(struct tel__queue_options){.signal = &tel__signal_logs,
                                                            .shard_count = shard_count,
                                                            .record_limit = record_limit,
                                                            .record_bytes = 64}),
        0);
}

static bool put(struct tel__queue *queue, size_t shard, int number)
{
    int *room = tel__queue_reserve(queue, shard, sizeof(number));
    if (room == NULL) {
        return false;
    }
    *room = number;
    tel__queue_commit(queue, shard, sizeof(number));
    return true;
}

/* The next number, taken; -1 when there is none. */
static int take(struct tel__queue *queue)
{
    size_t length = 0;
    const int *record = tel__queue_peek(queue, &length);
    if (record == NULL) {
        return -1;
    }
    int number = *record;
    assert_int_equal(length, sizeof(number));
    tel__queue_pop(queue);
    return number;
}

static bool is_awake(const struct tel__queue *queue)
{
    struct pollfd poll_fd = {.fd = queue->wakeup.fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static void test_options_out_of_range(void **state)
{
    (void)state;
    static const struct {
        size_t shard_count;
        size_t record_limit;
        int error;
    } cases[] = {{0, 10, -EINVAL},
                 {TEL__QUEUE_SHARDS_MAX + 1, 10, -EINVAL},
                 {1, TEL__QUEUE_LIMIT_MAX + 1, -EINVAL},
                 {3, 1, 0},
                 {1, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__queue queue;
        assert_int_equal(
            tel__queue_init(&queue,
                            &(struct tel__queue_options){.shard_count = cases[i].shard_count,
                                                         .record_limit = cases[i].record_limit,
                                                         .record_bytes = 64}),
            cases[i].error);
        tel__queue_fini(&queue); /* fine either way */
    }
}

static void test_the_limit_is_shared_out(void **state)
{
    (void)state;
    static const struct {
        size_t shard_count;
        size_t record_limit;
        size_t shares[3];
    } cases[] = {{1, 5, {5}}, {2, 5, {3, 2}}, {3, 7, {3, 2, 2}}, {3, 1, {1, 1, 1}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__queue queue;
        struct tel__queue_stats stats;
        uint64_t capacity = 0;
        make(&queue, cases[i].shard_count, cases[i].record_limit);
        for (size_t shard = 0; shard < cases[i].shard_count; shard++) {
            for (size_t n = 0; n < cases[i].shares[shard]; n++) {
                assert_true(put(&queue, shard, 1));
            }
            assert_false(put(&queue, shard, 1));
            capacity += cases[i].shares[shard];
        }
        tel__queue_get_stats(&queue, &stats);
        assert_int_equal(stats.capacity, capacity);
        assert_int_equal(stats.waiting, capacity);
        assert_int_equal(stats.dropped_full, cases[i].shard_count);
        assert_int_equal(stats.dropped_closed, 0);
        tel__queue_fini(&queue);
    }
}

static void test_a_queue_without_room_takes_nothing(void **state)
{
    (void)state;
    struct tel__queue queue;
    struct tel__queue_stats stats;
    make(&queue, 2, 0);
    assert_false(put(&queue, 1, 1));
    assert_int_equal(take(&queue), -1);
    assert_false(tel__queue_is_pressed(&queue));
    tel__queue_get_stats(&queue, &stats);
    assert_int_equal(stats.capacity, 0);
    assert_int_equal(stats.dropped_full, 1);
    tel__queue_fini(&queue);
}

/* A record over half a ring can never fit; it is dropped like any other, and the next one fits. */
static void test_a_record_too_large(void **state)
{
    (void)state;
    struct tel__queue queue;
    make(&queue, 1, 4);
    assert_null(tel__queue_reserve(&queue, 0, TEL__QUEUE_RECORD_MAX + 1));
    assert_non_null(tel__queue_reserve(&queue, 0, TEL__QUEUE_RECORD_MAX));
    tel__queue_commit(&queue, 0, TEL__QUEUE_RECORD_MAX);
    assert_int_equal(tel__queue_count(&queue), 1);
    tel__queue_fini(&queue);
}

/* A shard that is always full must not keep the others waiting. */
static void test_shards_take_turns(void **state)
{
    (void)state;
    struct tel__queue queue;
    make(&queue, 3, 30);
    for (int i = 0; i < 3; i++) {
        put(&queue, 0, i);
    }
    put(&queue, 2, 20);
    assert_int_equal(take(&queue), 0);
    assert_int_equal(take(&queue), 20);
    assert_int_equal(take(&queue), 1);
    put(&queue, 1, 10);
    assert_int_equal(take(&queue), 10);
    assert_int_equal(take(&queue), 2);
    assert_int_equal(take(&queue), -1);
    tel__queue_fini(&queue);
}

static void test_the_consumer_is_woken_at_its_level(void **state)
{
    (void)state;
    struct tel__queue queue;
    make(&queue, 1, 100);
    put(&queue, 0, 0);
    assert_false(is_awake(&queue)); /* it does not sleep */
    take(&queue);

    tel__queue_arm(&queue, 3);
    for (int i = 1; i <= 3; i++) {
        assert_false(is_awake(&queue));
        put(&queue, 0, i);
    }
    assert_true(is_awake(&queue));
    tel__wakeup_drain(&queue.wakeup);
    while (take(&queue) >= 0) {
    }

    tel__queue_arm(&queue, 1);
    put(&queue, 0, 1);
    assert_true(is_awake(&queue));
    tel__queue_fini(&queue);
}

/* A level that the shard's ring cannot reach would mean loss before the consumer wakes. */
static void test_a_ring_three_quarters_full_wakes_at_any_level(void **state)
{
    (void)state;
    struct tel__queue queue;
    make(&queue, 1, 8);
    tel__queue_arm(&queue, 1000);
    for (int i = 0; i < 6; i++) {
        assert_false(is_awake(&queue));
        assert_false(tel__queue_is_pressed(&queue));
        put(&queue, 0, i);
    }
    assert_true(is_awake(&queue));
    assert_true(tel__queue_is_pressed(&queue));
    tel__queue_fini(&queue);
}

/* What was there when it was closed is still handed out. */
static void test_closed(void **state)
{
    (void)state;
    struct tel__queue queue;
    struct tel__queue_stats stats;
    make(&queue, 1, 8);
    put(&queue, 0, 7);
    tel__queue_close(&queue);
    assert_false(put(&queue, 0, 8));
    assert_int_equal(take(&queue), 7);
    assert_int_equal(take(&queue), -1);
    tel__queue_get_stats(&queue, &stats);
    assert_int_equal(stats.dropped_closed, 1);
    assert_int_equal(stats.dropped_full, 0);
    tel__queue_fini(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_the_limit_is_shared_out),
        cmocka_unit_test(test_a_queue_without_room_takes_nothing),
        cmocka_unit_test(test_a_record_too_large),
        cmocka_unit_test(test_shards_take_turns),
        cmocka_unit_test(test_the_consumer_is_woken_at_its_level),
        cmocka_unit_test(test_a_ring_three_quarters_full_wakes_at_any_level),
        cmocka_unit_test(test_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
