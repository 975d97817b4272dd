/*
 * Slabs: blocks do not overlap, and what is empty goes back to the allocator, but for one.
 */
#include <string.h>

#include "harness.h"
#include "http/slabs.h"

#define BLOCK 400

static void blocks_are_apart(void **state)
{
    struct slabs slabs;
    char *blocks[300];
    (void)state;
    slabs_init(&slabs, BLOCK);
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = slabs_take(&slabs);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i & 0xff, BLOCK);
    }
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal((unsigned char)blocks[i][0], i & 0xff);
        assert_int_equal((unsigned char)blocks[i][BLOCK - 1], i & 0xff);
        slabs_give(&slabs, blocks[i]);
    }
    slabs_fini(&slabs);
}

static void last_given_is_first_taken(void **state)
{
    struct slabs slabs;
    (void)state;
    slabs_init(&slabs, BLOCK);
    void *one = slabs_take(&slabs);
    void *two = slabs_take(&slabs);
    slabs_give(&slabs, one);
    assert_ptr_equal(slabs_take(&slabs), one);
    slabs_give(&slabs, two);
    slabs_give(&slabs, one);
    assert_ptr_equal(slabs_take(&slabs), one);
    assert_ptr_equal(slabs_take(&slabs), two);
    slabs_give(&slabs, one);
    slabs_give(&slabs, two);
    slabs_fini(&slabs);
}

/* After a burst one slab is left; neither order of leaving keeps more. */
static void the_empty_go_back(void **state)
{
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        struct slabs slabs;
        void *blocks[1000];
        slabs_init(&slabs, BLOCK);
        for (size_t i = 0; i < 1000; i++) {
            blocks[i] = slabs_take(&slabs);
        }
        const size_t most = slabs.count;
        assert_true(most * SLAB_BYTES >= 1000 * BLOCK && most * SLAB_BYTES < 1200 * BLOCK);
        for (size_t i = 0; i < 1000; i++) {
            slabs_give(&slabs, blocks[backwards ? 999 - i : i]);
        }
        assert_int_equal(slabs.count, 1);
        slabs_fini(&slabs);
        assert_int_equal(slabs.count, 0);
    }
}

/* Who stays keeps a slab each at most, and the room beside them is used first. */
static void room_beside_the_remaining_is_used_first(void **state)
{
    struct slabs slabs;
    void *blocks[1000];
    (void)state;
    slabs_init(&slabs, BLOCK);
    for (size_t i = 0; i < 1000; i++) {
        blocks[i] = slabs_take(&slabs);
    }
    const size_t most = slabs.count;
    for (size_t i = 0; i < 1000; i++) {
        if (i % 250 != 0) {
            slabs_give(&slabs, blocks[i]);
        }
    }
    assert_true(slabs.count <= 5 && most > 10);
    const size_t left = slabs.count;
    for (size_t i = 1; i < 200; i++) {
        blocks[i] = slabs_take(&slabs);
    }
    assert_int_equal(slabs.count, left);
    for (size_t i = 1; i < 200; i++) {
        slabs_give(&slabs, blocks[i]);
    }
    for (size_t i = 0; i < 1000; i += 250) {
        slabs_give(&slabs, blocks[i]);
    }
    assert_int_equal(slabs.count, 1);
    slabs_fini(&slabs);
}

/* One connection that comes and goes at the edge of a slab allocates nothing. */
static void the_edge_of_a_slab_is_no_cliff(void **state)
{
    struct slabs slabs;
    void *blocks[1000];
    size_t taken = 0;
    (void)state;
    slabs_init(&slabs, BLOCK);
    do {
        blocks[taken++] = slabs_take(&slabs);
    } while (slabs.count == 1);
    for (int i = 0; i < 100; i++) {
        slabs_give(&slabs, blocks[taken - 1]);
        assert_int_equal(slabs.count, 2);
        blocks[taken - 1] = slabs_take(&slabs);
        assert_int_equal(slabs.count, 2);
    }
    while (taken > 0) {
        slabs_give(&slabs, blocks[--taken]);
    }
    slabs_fini(&slabs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_apart),
        cmocka_unit_test(last_given_is_first_taken),
        cmocka_unit_test(the_empty_go_back),
        cmocka_unit_test(room_beside_the_remaining_is_used_first),
        cmocka_unit_test(the_edge_of_a_slab_is_no_cliff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
