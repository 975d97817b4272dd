/*
 * The ring: what goes in comes out, whole and in order, or does not go in at all.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ring.h"

#define SMALLEST 4096

static bool push(struct tel__ring *ring, const void *bytes, size_t length)
{
    void *room = tel__ring_reserve(ring, length);
    if (room == NULL) {
        return false;
    }
    memcpy(room, bytes, length);
    tel__ring_commit(ring, length);
    return true;
}

static void assert_next(struct tel__ring *ring, const void *bytes, size_t length)
{
    size_t got = 0;
    const void *record = tel__ring_peek(ring, &got);
    assert_non_null(record);
    assert_int_equal(got, length);
    assert_memory_equal(record, bytes, length);
    assert_int_equal((uintptr_t)record % 8, 0);
    tel__ring_pop(ring);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        size_t asked;
        int error;
        size_t size;
    } cases[] = {{0, 0, 4096},          {1, 0, 4096},        {4096, 0, 4096},
                 {4097, 0, 8192},       {100000, 0, 131072}, {(size_t)1 << 32, -EINVAL, 0},
                 {SIZE_MAX, -EINVAL, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__ring ring;
        assert_int_equal(tel__ring_init(&ring, cases[i].asked, 0), cases[i].error);
        assert_int_equal(ring.size, cases[i].size);
        tel__ring_fini(&ring);
        tel__ring_fini(&ring); /* twice is fine */
    }
}

static void test_records_come_out_in_order(void **state)
{
    (void)state;
    struct tel__ring ring;
    size_t length;
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 0), 0);
    assert_null(tel__ring_peek(&ring, &length));
    assert_true(push(&ring, "one", 3));
    assert_true(push(&ring, "", 0)); /* an empty record is a record */
    assert_true(push(&ring, "three", 5));
    assert_int_equal(tel__ring_count(&ring), 3);
    assert_next(&ring, "one", 3);
    assert_next(&ring, "", 0);
    assert_int_equal(tel__ring_count(&ring), 1);
    assert_next(&ring, "three", 5);
    assert_null(tel__ring_peek(&ring, &length));
    assert_int_equal(tel__ring_used_bytes(&ring), 0);
    tel__ring_fini(&ring);
}

static void test_nothing_shows_before_commit(void **state)
{
    (void)state;
    struct tel__ring ring;
    size_t length;
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 0), 0);
    char *room = tel__ring_reserve(&ring, 100);
    assert_non_null(room);
    assert_null(tel__ring_peek(&ring, &length));
    assert_int_equal(tel__ring_count(&ring), 0);
    /* A reservation may be given up, and a commit may use less than was reserved. */
    assert_ptr_equal(tel__ring_reserve(&ring, 200), room);
    memcpy(room, "short", 5);
    tel__ring_commit(&ring, 5);
    assert_int_equal(tel__ring_used_bytes(&ring), 16); /* header and five bytes, padded */
    assert_next(&ring, "short", 5);
    tel__ring_fini(&ring);
}

static void test_peek_again_is_the_same_record(void **state)
{
    (void)state;
    struct tel__ring ring;
    size_t length;
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 0), 0);
    assert_true(push(&ring, "a", 1));
    const void *first = tel__ring_peek(&ring, &length);
    assert_true(push(&ring, "b", 1));
    assert_ptr_equal(tel__ring_peek(&ring, &length), first);
    tel__ring_fini(&ring);
}

static void test_full_means_null_and_a_pop_makes_room(void **state)
{
    (void)state;
    struct tel__ring ring;
    char bytes[504]; /* with its header 512: eight of them fill the ring */
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 0), 0);
    for (int i = 0; i < 8; i++) {
        assert_true(push(&ring, bytes, sizeof(bytes)));
    }
    assert_int_equal(tel__ring_used_bytes(&ring), SMALLEST);
    assert_null(tel__ring_reserve(&ring, 0));
    assert_next(&ring, bytes, sizeof(bytes));
    assert_true(push(&ring, bytes, sizeof(bytes)));
    assert_null(tel__ring_reserve(&ring, sizeof(bytes)));
    tel__ring_fini(&ring);
}

static void test_the_record_limit_holds_apart_from_bytes(void **state)
{
    (void)state;
    struct tel__ring ring;
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 3), 0);
    for (int round = 0; round < 5; round++) {
        assert_true(push(&ring, "1", 1));
        assert_true(push(&ring, "2", 1));
        assert_true(push(&ring, "3", 1));
        assert_false(push(&ring, "4", 1));
        assert_int_equal(tel__ring_count(&ring), 3);
        assert_next(&ring, "1", 1);
        assert_next(&ring, "2", 1);
        assert_next(&ring, "3", 1);
    }
    tel__ring_fini(&ring);
}

/* Half of the ring is the most a record may take; up to there an empty ring takes it wherever its
 * positions stand. */
static void test_an_empty_ring_takes_the_largest_record_at_any_position(void **state)
{
    (void)state;
    struct tel__ring ring;
    char bytes[SMALLEST];
    memset(bytes, 'y', sizeof(bytes));
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 0), 0);
    const size_t largest = SMALLEST / 2 - 8;
    assert_null(tel__ring_reserve(&ring, largest + 1));
    assert_null(tel__ring_reserve(&ring, SIZE_MAX));
    for (int shift = 0; shift < SMALLEST / 8; shift++) {
        assert_true(push(&ring, bytes, largest));
        assert_next(&ring, bytes, largest);
        assert_true(push(&ring, "z", 1)); /* moves the position on by 16 */
        assert_next(&ring, "z", 1);
    }
    tel__ring_fini(&ring);
}

/* Records of changing length over many rounds of the ring, against an independent count. */
static void test_wrapping_keeps_every_byte(void **state)
{
    (void)state;
    struct tel__ring ring;
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 0), 0);
    unsigned pushed = 0;
    unsigned popped = 0;
    while (popped < 5000) {
        unsigned char bytes[700];
        size_t length = pushed * 7919u % sizeof(bytes);
        memset(bytes, (int)(pushed % 251), length);
        if (push(&ring, bytes, length)) {
            pushed++;
            continue;
        }
        assert_true(pushed > popped); /* it refuses only when something is in the way */
        length = popped * 7919u % sizeof(bytes);
        memset(bytes, (int)(popped % 251), length);
        assert_next(&ring, bytes, length);
        popped++;
    }
    assert_int_equal(tel__ring_count(&ring), pushed - popped);
    tel__ring_fini(&ring);
}

static void test_memory_is_resident_only_as_used(void **state)
{
    (void)state;
    struct tel__ring ring;
    unsigned char resident[256];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(tel__ring_init(&ring, 64 * page, 0), 0);
    assert_true(push(&ring, "first", 5));
    assert_int_equal(mincore(ring.bytes, 64 * page, resident), 0);
    assert_true(resident[0] & 1);
    for (int i = 1; i < 64; i++) {
        assert_false(resident[i] & 1);
    }
    tel__ring_fini(&ring);
}

/* A third thread that sleeps between its two looks, while a record is popped and another pushed, sees
 * the old one's place and the new one's end. */
static void test_counts_never_exceed_what_fits(void **state)
{
    (void)state;
    struct tel__ring ring;
    char bytes[504];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(tel__ring_init(&ring, SMALLEST, 8), 0);
    for (int i = 0; i < 8; i++) {
        assert_true(push(&ring, bytes, sizeof(bytes)));
    }
    assert_next(&ring, bytes, sizeof(bytes));
    assert_true(push(&ring, bytes, sizeof(bytes)));
    ring.read_at -= 512; /* as it was at the first look */
    ring.popped--;
    assert_int_equal(tel__ring_used_bytes(&ring), SMALLEST);
    assert_int_equal(tel__ring_count(&ring), 8);
    tel__ring_fini(&ring);
}

/* ---- two threads --------------------------------------------------------------------------- */

#define STRESS_RECORDS 200000u

struct stress {
    struct tel__ring ring;
    uint64_t refused;
};

/* Each record is its number, repeated as often as the number says. */
static size_t words_of(uint64_t number)
{
    return 1 + number % 13;
}

static void *produce(void *argument)
{
    struct stress *stress = argument;
    for (uint64_t number = 0; number < STRESS_RECORDS;) {
        uint64_t *room = tel__ring_reserve(&stress->ring, words_of(number) * sizeof(number));
        if (room == NULL) {
            stress->refused++;
            sched_yield();
            continue;
        }
        for (size_t i = 0; i < words_of(number); i++) {
            room[i] = number;
        }
        tel__ring_commit(&stress->ring, words_of(number) * sizeof(number));
        number++;
    }
    return NULL;
}

static void stress_with_limit(uint64_t limit)
{
    struct stress stress = {.refused = 0};
    pthread_t producer;
    assert_int_equal(tel__ring_init(&stress.ring, SMALLEST, limit), 0);
    assert_int_equal(pthread_create(&producer, NULL, produce, &stress), 0);
    for (uint64_t number = 0; number < STRESS_RECORDS;) {
        size_t length = 0;
        const uint64_t *record = tel__ring_peek(&stress.ring, &length);
        if (record == NULL) {
            sched_yield();
            continue;
        }
        assert_int_equal(length, words_of(number) * sizeof(number));
        for (size_t i = 0; i < words_of(number); i++) {
            assert_true(record[i] == number);
        }
        uint64_t waiting = tel__ring_count(&stress.ring);
        assert_true(waiting >= 1 && (limit == 0 || waiting <= limit));
        assert_true(tel__ring_used_bytes(&stress.ring) <= stress.ring.size);
        tel__ring_pop(&stress.ring);
        number++;
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(tel__ring_count(&stress.ring), 0);
    assert_int_equal(tel__ring_used_bytes(&stress.ring), 0);
    tel__ring_fini(&stress.ring);
}

static void test_two_threads_bounded_by_bytes(void **state)
{
    (void)state;
    stress_with_limit(0);
}

static void test_two_threads_bounded_by_records(void **state)
{
    (void)state;
    stress_with_limit(7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_records_come_out_in_order),
        cmocka_unit_test(test_nothing_shows_before_commit),
        cmocka_unit_test(test_peek_again_is_the_same_record),
        cmocka_unit_test(test_full_means_null_and_a_pop_makes_room),
        cmocka_unit_test(test_the_record_limit_holds_apart_from_bytes),
        cmocka_unit_test(test_an_empty_ring_takes_the_largest_record_at_any_position),
        cmocka_unit_test(test_wrapping_keeps_every_byte),
        cmocka_unit_test(test_memory_is_resident_only_as_used),
        cmocka_unit_test(test_counts_never_exceed_what_fits),
        cmocka_unit_test(test_two_threads_bounded_by_bytes),
        cmocka_unit_test(test_two_threads_bounded_by_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
