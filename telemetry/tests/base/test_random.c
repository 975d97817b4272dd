/*
 * Ids: they differ between draws, threads, and a parent and its forked child, and every bit moves.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "faults.h"

#define DRAWS 4096

static void test_draws_differ(void **state)
{
    (void)state;
    uint8_t ids[DRAWS / 4][8];
    for (int i = 0; i < DRAWS / 4; i++) {
        tel__random_span_id(ids[i]);
        for (int k = 0; k < i; k++) {
            assert_memory_not_equal(ids[i], ids[k], 8);
        }
    }
}

/* Over 4096 draws each bit is set about half of the time; the bound is twelve standard deviations,
 * so only a generator with a stuck or lopsided bit fails. */
static void test_every_bit_is_about_even(void **state)
{
    (void)state;
    int ones[64] = {0};
    for (int i = 0; i < DRAWS; i++) {
        uint64_t value = tel__random_u64();
        for (int bit = 0; bit < 64; bit++) {
            ones[bit] += (int)(value >> bit & 1);
        }
    }
    for (int bit = 0; bit < 64; bit++) {
        assert_in_range(ones[bit], DRAWS / 2 - 384, DRAWS / 2 + 384);
    }
}

static void test_ids_are_filled_whole(void **state)
{
    (void)state;
    uint8_t trace_any[16] = {0};
    uint8_t span_any[8] = {0};
    for (int i = 0; i < 64; i++) {
        uint8_t trace_id[16] = {0};
        uint8_t span_id[8] = {0};
        tel__random_trace_id(trace_id);
        tel__random_span_id(span_id);
        for (int k = 0; k < 16; k++) {
            trace_any[k] |= trace_id[k];
            span_any[k % 8] |= span_id[k % 8];
        }
    }
    for (int k = 0; k < 16; k++) {
        assert_int_not_equal(trace_any[k], 0);
        assert_int_not_equal(span_any[k % 8], 0);
    }
}

static void *draw(void *result)
{
    *(uint64_t *)result = tel__random_u64();
    return NULL;
}

static void test_threads_draw_different_ids(void **state)
{
    (void)state;
    uint64_t drawn[4];
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, draw, &drawn[i]), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        for (int k = 0; k < i; k++) {
            assert_true(drawn[i] != drawn[k]);
        }
    }
}

/* A kernel that has no randomness to give, yet or in this sandbox: ids still differ. */
static void test_without_the_kernel_ids_differ(void **state)
{
    faults_refuse(FAULTS_ENTROPY);
    test_threads_draw_different_ids(state);
    assert_true(faults_struck());
    faults_stop();
}

/* The child inherits the parent's generator; without a new seed both would draw the same. */
static void test_a_forked_child_draws_its_own(void **state)
{
    (void)state;
    int ends[2];
    uint64_t childs = 0;
    tel__random_u64(); /* the parent is seeded */
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint64_t drawn = tel__random_u64();
        _exit(write(ends[1], &drawn, sizeof(drawn)) == (ssize_t)sizeof(drawn) ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &childs, sizeof(childs)), sizeof(childs));
    assert_true(childs != tel__random_u64());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_differ),
        cmocka_unit_test(test_every_bit_is_about_even),
        cmocka_unit_test(test_ids_are_filled_whole),
        cmocka_unit_test(test_threads_draw_different_ids),
        cmocka_unit_test(test_without_the_kernel_ids_differ),
        cmocka_unit_test(test_a_forked_child_draws_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
