/*
 * Frames: one event, one line of JSON, with requests from all rings in the order they ended, as many as
 * there is room for.
 */
#include "page/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "faults/faults.h"
#include "instruments.h"
#include "options.h"
#include "page/hub.h"
#include "service.h"
#include "unit/parts.h"

#define RINGS   2
#define NOW_NS  1700000000000000000ull
#define WALL_NS 1600000000000000000ull /* of another clock, set back by far */
#define MS      1000000ull

static const struct options options = {
    .random_error_status = 503, .faults = "", .incident = "", .fault_token_file = ""};
static struct service service;
static struct page_ring *rings[RINGS];
static struct frame_source source;
static struct tel_buffer out;

static int make(void **state)
{
    (void)state;
    parts_make(&service, &options, 1);
    service.faults = faults_create(&options);
    for (size_t i = 0; i < RINGS; i++) {
        rings[i] = aligned_alloc(64, sizeof(struct page_ring));
        assert_non_null(rings[i]);
        page_ring_init(rings[i]);
    }
    source = (struct frame_source){.service = &service,
                                   .rings = rings,
                                   .ring_count = RINGS,
                                   .now_wall_ns = WALL_NS,
                                   .now_ns = NOW_NS,
                                   .connections = 5,
                                   .viewers = 2,
                                   .updates_lost = 7,
                                   .skipped = 3};
    tel_buffer_init(&out, PAGE_FRAME_BYTES_MAX);
    return service.instruments != NULL && service.faults != NULL ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    tel_buffer_fini(&out);
    for (size_t i = 0; i < RINGS; i++) {
        free(rings[i]);
    }
    faults_destroy(service.faults);
    parts_drop(&service);
    return 0;
}

/* A request with a number, of about `size` bytes. */
static void push(size_t ring, uint64_t end_ns, int number, size_t size)
{
    struct page_record *record = page_ring_reserve(rings[ring]);
    assert_non_null(record);
    record->end_ns = end_ns;
    record->length = (size_t)snprintf(record->json, sizeof(record->json),
                                      "{\"n\":%d,\"x\":\"%0*d\"}", number, (int)size, 0);
    assert_true(record->length < sizeof(record->json));
    page_ring_commit(rings[ring]);
}

/* The frame's data, read; *stale: how many were too old. */
static json_t *composed(uint64_t *stale)
{
    static const char start[] = "event: frame\ndata: ";
    *stale = frame_compose(&source, &out);
    assert_int_equal(out.error, 0);
    assert_true(out.length <= PAGE_FRAME_BYTES_MAX);
    assert_memory_equal(out.data, start, sizeof(start) - 1);
    assert_memory_equal(out.data + out.length - 2, "\n\n", 2);
    const char *data = out.data + sizeof(start) - 1;
    const size_t length = out.length - (sizeof(start) - 1) - 2;
    assert_null(memchr(data, '\n', length));
    json_t *frame = json_loadb(data, length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(frame);
    return frame;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void test_figures(void **state)
{
    (void)state;
    uint64_t stale;
    const struct request_labels labels = {
        .method = HTTP_METHOD_GET, .route = ROUTE_HELLO, .status = 200, .minor_version = 1};
    instruments_request_opened(service.instruments, 0, labels.method);
    instruments_request_opened(service.instruments, 0, labels.method);
    instruments_request_closed(service.instruments, 0, &labels, MS, NULL);
    instruments_request_recorded(service.instruments, 0, labels.method);
    json_t *frame = composed(&stale);
    assert_int_equal(stale, 0);
    assert_int_equal(number_of(frame, "finished"), 1);
    assert_int_equal(number_of(frame, "active"), 1);
    assert_int_equal(number_of(frame, "connections"), 5);
    assert_int_equal(number_of(frame, "viewers"), 2);
    assert_int_equal(number_of(frame, "requests_skipped"), 3);
    assert_string_equal(json_string_value(json_object_get(frame, "state")), "starting");
    const json_t *equation = json_object_get(frame, "equation");
    assert_int_equal(number_of(equation, "metrics"), 1);
    assert_true(json_is_null(json_object_get(equation, "log")));
    assert_true(json_is_null(json_object_get(equation, "spans")));
    assert_true(json_is_null(json_object_get(equation, "records")));
    const json_t *balanced = json_object_get(equation, "balanced");
    assert_int_equal(json_object_size(balanced), 4);
    assert_true(json_is_true(json_object_get(balanced, "metrics")));
    assert_true(json_is_null(json_object_get(balanced, "log")));
    assert_true(json_is_null(json_object_get(balanced, "spans")));
    assert_true(json_is_null(json_object_get(balanced, "records")));
    const json_t *losses = json_object_get(frame, "losses");
    assert_int_equal(json_array_size(losses), 1);
    assert_int_equal(number_of(json_array_get(losses, 0), "count"), 7);
    size_t bounds;
    instruments_duration_bounds_ns(&bounds);
    assert_int_equal(json_array_size(json_object_get(frame, "buckets")), bounds + 1);
    json_decref(frame);
}

static void assert_requests(const json_t *frame, int first, size_t count)
{
    const json_t *requests = json_object_get(frame, "requests");
    assert_int_equal(json_array_size(requests), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(number_of(json_array_get(requests, i), "n"), first + (int)i);
    }
}

/* Whichever site they were on. */
static void test_requests_in_the_order_they_ended(void **state)
{
    (void)state;
    static const size_t turns[] = {0, 1, 1, 0, 0, 0, 1};
    const int count = (int)(sizeof(turns) / sizeof(turns[0]));
    uint64_t stale;
    for (int i = 0; i < count; i++) {
        push(turns[i], NOW_NS - 500 * MS + (uint64_t)i, i, 1);
    }
    json_t *frame = composed(&stale);
    assert_requests(frame, 0, (size_t)count);
    json_decref(frame);
    frame = composed(&stale);
    assert_requests(frame, 0, 0);
    json_decref(frame);
}

/* What a frame does not take waits for the next. */
static void test_so_many_a_frame(void **state)
{
    (void)state;
    uint64_t stale;
    for (int i = 0; i < 2 * PAGE_FRAME_REQUESTS + 3; i++) {
        push((size_t)i % RINGS, NOW_NS + (uint64_t)i, i, 1);
    }
    for (int i = 0; i < 2; i++) {
        json_t *frame = composed(&stale);
        assert_requests(frame, i * PAGE_FRAME_REQUESTS, PAGE_FRAME_REQUESTS);
        json_decref(frame);
    }
    json_t *frame = composed(&stale);
    assert_requests(frame, 2 * PAGE_FRAME_REQUESTS, 3);
    json_decref(frame);
}

/* However large they are, a frame is within its bound. */
static void test_large_requests(void **state)
{
    (void)state;
    uint64_t stale;
    size_t shown = 0;
    for (int i = 0; i < PAGE_FRAME_REQUESTS; i++) {
        push(0, NOW_NS, i, 8100);
    }
    for (int frames = 0; frames < 3; frames++) {
        json_t *frame = composed(&stale);
        shown += json_array_size(json_object_get(frame, "requests"));
        json_decref(frame);
    }
    assert_int_equal(shown, PAGE_FRAME_REQUESTS);
}

static void test_old_requests_are_not_shown(void **state)
{
    (void)state;
    uint64_t stale;
    push(0, NOW_NS - PAGE_STALE_NS - 2, -1, 1);
    push(1, NOW_NS - PAGE_STALE_NS - 1, -1, 1);
    push(1, NOW_NS - PAGE_STALE_NS, 1, 1);
    push(0, NOW_NS, 2, 1);
    json_t *frame = composed(&stale);
    assert_int_equal(stale, 2);
    assert_requests(frame, 1, 2);
    json_decref(frame);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_figures),
        TEST(test_requests_in_the_order_they_ended),
        TEST(test_so_many_a_frame),
        TEST(test_large_requests),
        TEST(test_old_requests_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
