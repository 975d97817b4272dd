/* A finished request is counted once, under its own labels, however many label sets there are. */
#include "instruments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"
#include "service.h"
#include "unit/parts.h"

static const struct options options = {.random_error_status = 503};
static struct service service;

static int make(void **state)
{
    parts_make(&service, &options, 2);
    *state = service.instruments;
    return *state != NULL ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    parts_drop(&service);
    return 0;
}

static void close_one(struct instruments *instruments, size_t shard,
                      const struct request_labels *labels)
{
    instruments_request_opened(instruments, shard, labels->method);
    instruments_request_closed(instruments, shard, labels, 1000, NULL);
    instruments_request_recorded(instruments, shard, labels->method);
}

static void test_starts_at_zero(void **state)
{
    assert_int_equal(instruments_finished(*state), 0);
    assert_int_equal(instruments_observed(*state), 0);
}

static void test_counts_once_per_request_on_every_shard(void **state)
{
    struct request_labels labels = {
        .method = HTTP_METHOD_GET, .route = ROUTE_HELLO, .status = 200, .minor_version = 1};
    const size_t serving = service_main_shard(&service) + 1; /* the exporter's serves nobody */
    for (size_t shard = 0; shard < serving; shard++) {
        close_one(*state, shard, &labels);
    }
    assert_int_equal(instruments_finished(*state), serving);
    assert_int_equal(instruments_observed(*state), serving);
}

static void assert_recorded(struct recorded got, uint64_t requests, uint64_t children)
{
    assert_int_equal(got.requests, requests);
    assert_int_equal(got.children, children);
}

/* While a request goes from signal to signal it is recording and not recorded yet. */
static void test_what_is_being_recorded(void **state)
{
    const struct request_labels labels = {
        .method = HTTP_METHOD_GET, .route = ROUTE_HELLO, .status = 200, .minor_version = 1};
    instruments_request_opened(*state, 0, labels.method);
    assert_int_equal(instruments_active(*state), 1);
    instruments_child_ending(*state, 0);
    assert_recorded(instruments_recording(*state), 0, 1);
    assert_recorded(instruments_recorded(*state), 0, 0);
    instruments_child_ended(*state, 0);
    assert_recorded(instruments_recorded(*state), 0, 1);
    instruments_request_closed(*state, 0, &labels, 1000, NULL);
    const struct tel_series *series = instruments_request_series(*state, 0, &labels);
    assert_int_equal(tel_series_value(series), 1);
    assert_recorded(instruments_recording(*state), 1, 1);
    assert_recorded(instruments_recorded(*state), 0, 1);
    assert_int_equal(instruments_active(*state), 1);
    instruments_request_recorded(*state, 0, labels.method);
    assert_recorded(instruments_recorded(*state), 1, 1);
    assert_int_equal(instruments_active(*state), 0);
}

/* The labels of the durations are where their names say. */
static void test_labels_of_durations(void **state)
{
    static const char *const expected[] = {
        [DURATION_METHOD] = "GET",  [DURATION_ROUTE] = "/demo/hello", [DURATION_STATUS] = "503",
        [DURATION_SCHEME] = "http", [DURATION_ERROR] = "an_error",    [DURATION_VERSION] = "1.0"};
    const struct request_labels labels = {.method = HTTP_METHOD_GET,
                                          .route = ROUTE_HELLO,
                                          .status = 503,
                                          .error_type = "an_error",
                                          .minor_version = 0};
    instruments_request_closed(*state, 0, &labels, 1000, NULL);
    const struct tel_series *series = instruments_request_series(*state, 0, &labels);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        size_t length;
        const char *value = tel_series_label(series, i, &length);
        assert_int_equal(length, strlen(expected[i]));
        assert_memory_equal(value, expected[i], length);
    }
    size_t bounds;
    const uint64_t *bounds_ns = instruments_duration_bounds_ns(&bounds);
    struct tel_bucket bucket;
    tel_histogram_find_bucket(series, bounds_ns[3], &bucket);
    assert_int_equal(bucket.index, 3);
    tel_histogram_find_bucket(series, bounds_ns[bounds - 1] + 1, &bucket);
    assert_int_equal(bucket.index, bounds);
}

/* Far more label sets than the slots of a shard's table and the family's limit: none is lost. */
static void test_colliding_and_overflowing_label_sets_add_up(void **state)
{
    uint64_t closed = 0;
    for (int round = 0; round < 2; round++) {
        for (uint16_t status = 0; status < 600; status += 7) {
            for (int method = 0; method < HTTP_METHODS; method++) {
                struct request_labels labels = {.method = (enum http_method)method,
                                                .route = (enum route_id)(status % ROUTES),
                                                .status = status,
                                                .minor_version = method % 3 - 1};
                close_one(*state, closed % 2, &labels);
                closed++;
            }
        }
    }
    assert_int_equal(instruments_finished(*state), closed);
    assert_int_equal(instruments_observed(*state), closed);
    assert_true(tel_registry_overflow_count(service.registry) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_starts_at_zero, make, drop),
        cmocka_unit_test_setup_teardown(test_counts_once_per_request_on_every_shard, make, drop),
        cmocka_unit_test_setup_teardown(test_what_is_being_recorded, make, drop),
        cmocka_unit_test_setup_teardown(test_labels_of_durations, make, drop),
        cmocka_unit_test_setup_teardown(test_colliding_and_overflowing_label_sets_add_up, make,
                                        drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
