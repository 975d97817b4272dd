/* The last frames are there, in order; who comes too late learns what is missing; who reads one may
 * take as long as it likes. */
#include "page/hub.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READERS 3
#define ROUNDS  20000

static int make(void **state)
{
    static struct page_hub hub;
    *state = &hub;
    return page_hub_init(&hub);
}

static int drop(void **state)
{
    page_hub_fini(*state);
    return 0;
}

static void publish(struct page_hub *hub, uint64_t number)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "frame %llu", (unsigned long long)number);
    assert_int_equal(page_hub_publish(hub, text, (size_t)length), 0);
}

static void assert_frame(struct page_hub *hub, uint64_t asked, uint64_t got)
{
    struct page_frame *frame = page_hub_get(hub, asked);
    char text[32];
    int length = snprintf(text, sizeof(text), "frame %llu", (unsigned long long)got);
    assert_non_null(frame);
    assert_int_equal(frame->number, got);
    assert_int_equal(frame->length, length);
    assert_memory_equal(frame->bytes, text, frame->length);
    page_frame_release(frame);
}

static void test_frames_by_number(void **state)
{
    struct page_hub *hub = *state;
    assert_int_equal(page_hub_newest(hub), 0);
    assert_null(page_hub_get(hub, 1));
    assert_null(page_hub_get(hub, 0));
    for (uint64_t number = 1; number <= 3 * PAGE_HUB_FRAMES; number++) {
        publish(hub, number);
        assert_int_equal(page_hub_newest(hub), number);
        assert_frame(hub, number, number);
        assert_null(page_hub_get(hub, number + 1));
        uint64_t oldest = number > PAGE_HUB_FRAMES ? number - PAGE_HUB_FRAMES + 1 : 1;
        assert_frame(hub, oldest, oldest);
        assert_frame(hub, 1, oldest);
        assert_frame(hub, 0, oldest);
    }
}

static void test_cleared(void **state)
{
    struct page_hub *hub = *state;
    publish(hub, 1);
    publish(hub, 2);
    page_hub_clear(hub);
    assert_int_equal(page_hub_newest(hub), 2);
    assert_null(page_hub_get(hub, 1));
    publish(hub, 3);
    assert_frame(hub, 1, 3); /* two were missed */
    assert_null(page_hub_get(hub, 4));
}

/* A frame that somebody holds outlives its place, and the hub's forgetting. */
static void test_held(void **state)
{
    struct page_hub *hub = *state;
    publish(hub, 1);
    struct page_frame *one = page_hub_get(hub, 1);
    struct page_frame *again = page_hub_get(hub, 1);
    assert_ptr_equal(one, again);
    for (uint64_t number = 2; number <= PAGE_HUB_FRAMES + 1; number++) {
        publish(hub, number);
    }
    assert_frame(hub, 1, 2);
    page_hub_clear(hub);
    page_frame_release(again);
    assert_memory_equal(one->bytes, "frame 1", 7);
    page_frame_release(one);
    page_frame_release(NULL);
}

struct readers {
    struct page_hub *hub;
    atomic_bool over;
    _Atomic unsigned faults;
};

/* Follows the frames; each must be whole and later than the one before. */
static void *follow(void *argument)
{
    struct readers *readers = argument;
    uint64_t next = 1;
    while (!atomic_load(&readers->over)) {
        struct page_frame *frame = page_hub_get(readers->hub, next);
        if (frame == NULL) {
            sched_yield();
            continue;
        }
        const char expected = (char)(frame->number % 100);
        if (frame->number < next || frame->bytes[0] != expected ||
            frame->bytes[frame->length - 1] != expected) {
            atomic_fetch_add(&readers->faults, 1);
        }
        next = frame->number + 1;
        page_frame_release(frame);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    struct readers readers = {.hub = *state};
    pthread_t threads[READERS];
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &readers), 0);
    }
    for (uint64_t number = 1; number <= ROUNDS; number++) {
        char bytes[64];
        memset(bytes, (int)(number % 100), sizeof(bytes));
        assert_int_equal(page_hub_publish(readers.hub, bytes, sizeof(bytes)), 0);
        if (number % 1000 == 0) {
            page_hub_clear(readers.hub);
        }
    }
    atomic_store(&readers.over, true);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&readers.faults), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames_by_number, make, drop),
        cmocka_unit_test_setup_teardown(test_cleared, make, drop),
        cmocka_unit_test_setup_teardown(test_held, make, drop),
        cmocka_unit_test_setup_teardown(test_many_threads, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
