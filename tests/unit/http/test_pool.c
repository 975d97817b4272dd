/*
 * The pool: what was given last is taken first, and what nobody needs goes back.
 */
#include <string.h>

#include "harness.h"
#include "http/pool.h"

static size_t constructed;
static size_t destructed;

static void construct(void *block)
{
    memset(block, 7, 64);
    constructed++;
}

static void destruct(void *block)
{
    (void)block;
    destructed++;
}

static void last_given_is_first_taken(void **state)
{
    struct pool pool;
    (void)state;
    pool_init(&pool, 64, 0);
    char *one = pool_take(&pool);
    char *two = pool_take(&pool);
    assert_non_null(one);
    assert_ptr_not_equal(one, two);
    one[63] = 'x';
    pool_give(&pool, two);
    pool_give(&pool, one);
    assert_ptr_equal(pool_take(&pool), one);
    assert_int_equal(one[63], 'x'); /* content stays, but for the first bytes */
    assert_ptr_equal(pool_take(&pool), two);
    pool_give(&pool, one);
    pool_give(&pool, two);
    pool_fini(&pool);
}

static void blocks_are_constructed_once(void **state)
{
    struct pool pool;
    (void)state;
    constructed = destructed = 0;
    pool_init(&pool, 64, 0);
    pool.construct = construct;
    pool.destruct = destruct;
    for (int i = 0; i < 10; i++) {
        char *block = pool_take(&pool);
        assert_int_equal(block[63], 7);
        pool_give(&pool, block);
    }
    assert_int_equal(constructed, 1);
    assert_int_equal(destructed, 0);
    pool_fini(&pool);
    assert_int_equal(destructed, 1);
}

/* After a burst of 100 the pool comes down to what it keeps; a pool in use is left alone. */
static void calm_pool_shrinks(void **state)
{
    struct pool pool;
    void *blocks[100];
    (void)state;
    pool_init(&pool, 64, 10);
    for (int i = 0; i < 100; i++) {
        blocks[i] = pool_take(&pool);
    }
    for (int i = 0; i < 100; i++) {
        pool_give(&pool, blocks[i]);
    }
    assert_true(pool_trim(&pool)); /* until now all were needed */
    assert_int_equal(pool.free_count, 100);
    assert_true(pool_trim(&pool));
    assert_int_equal(pool.free_count, 87);
    for (int i = 0; i < 100 && pool_trim(&pool); i++) {
    }
    assert_int_equal(pool.free_count, 10);
    assert_false(pool_trim(&pool));
    assert_int_equal(pool.free_count, 10);
    pool_fini(&pool);
    assert_int_equal(pool.free_count, 0);
}

static void pool_in_use_is_left_alone(void **state)
{
    struct pool pool;
    void *blocks[40];
    (void)state;
    pool_init(&pool, 64, 0);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40; i++) {
            blocks[i] = pool_take(&pool);
        }
        for (int i = 0; i < 40; i++) {
            pool_give(&pool, blocks[i]);
        }
        pool_trim(&pool);
        assert_int_equal(pool.free_count, 40);
    }
    pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_given_is_first_taken),
        cmocka_unit_test(blocks_are_constructed_once),
        cmocka_unit_test(calm_pool_shrinks),
        cmocka_unit_test(pool_in_use_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
