/* What users' requests add up to, by route and bucket; what operators and scrapers do is left out. */
#include "page/totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "options.h"
#include "service.h"
#include "unit/parts.h"

#define MS 1000000ull

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

static void observe(size_t shard, enum route_id route, uint16_t status, const char *error,
                    uint64_t duration_ns)
{
    const struct request_labels labels = {.method = HTTP_METHOD_GET,
                                          .route = route,
                                          .status = status,
                                          .error_type = error,
                                          .error = error != NULL ? HTTP_ERROR_CLIENT_DISCONNECTED
                                                                 : HTTP_OK,
                                          .minor_version = 1};
    instruments_request_opened(service.instruments, shard, labels.method);
    instruments_request_closed(service.instruments, shard, &labels, duration_ns, NULL);
    instruments_request_recorded(service.instruments, shard, labels.method);
}

static size_t bucket_of(uint64_t duration_ns)
{
    size_t count;
    const uint64_t *bounds_ns = instruments_duration_bounds_ns(&count);
    size_t bucket = 0;
    while (bucket < count && bounds_ns[bucket] < duration_ns) {
        bucket++;
    }
    return bucket;
}

static void test_nothing_yet(void **state)
{
    struct totals totals;
    totals_read(*state, &totals);
    assert_int_equal(totals.failed, 0);
    for (size_t id = 0; id < ROUTES; id++) {
        assert_int_equal(totals.routes[id].count, 0);
    }
}

static void test_by_route_and_bucket(void **state)
{
    struct totals totals;
    observe(0, ROUTE_HELLO, 200, NULL, MS);
    observe(1, ROUTE_HELLO, 200, NULL, 3 * MS);
    observe(1, ROUTE_HELLO, 404, NULL, 3 * MS); /* a client's mistake */
    observe(2, ROUTE_HELLO, 0, "client_disconnected", 60000 * MS);
    observe(0, ROUTE_RANDOM_ERROR, 503, "503", MS);
    observe(0, ROUTE_METRICS, 200, NULL, MS); /* no user's */
    observe(0, ROUTE_PAGE_EVENTS, 200, NULL, 3600000 * MS);
    observe(0, ROUTE_READYZ, 503, "503", MS);
    observe(0, ROUTE_NONE, 400, "bad_request", MS); /* refused: a client's mistake, too */
    observe(0, ROUTE_NONE, 503, "overloaded", MS);
    totals_read(*state, &totals);
    assert_int_equal(totals.routes[ROUTE_HELLO].count, 4);
    assert_int_equal(totals.routes[ROUTE_HELLO].failed, 1);
    assert_int_equal(totals.routes[ROUTE_RANDOM_ERROR].count, 1);
    assert_int_equal(totals.routes[ROUTE_RANDOM_ERROR].failed, 1);
    assert_int_equal(totals.routes[ROUTE_WORK].count, 0);
    assert_int_equal(totals.routes[ROUTE_METRICS].count, 0);
    assert_int_equal(totals.routes[ROUTE_NONE].count, 0);
    assert_int_equal(totals.failed, 4);
    uint64_t sum = 0;
    for (size_t i = 0; i <= TEL_BUCKETS_MAX; i++) {
        sum += totals.buckets[i];
    }
    assert_int_equal(sum, 5);
    assert_int_equal(totals.buckets[bucket_of(MS)], 2);
    assert_int_equal(totals.buckets[bucket_of(3 * MS)], 2);
    assert_int_equal(totals.buckets[bucket_of(UINT64_MAX)], 1);
}

/* What is in /metrics for a route is what the page shows of it. */
static void test_as_exposed(void **state)
{
    struct totals totals;
    for (uint64_t i = 0; i < 50; i++) {
        observe(i % 3, i % 2 == 0 ? ROUTE_HELLO : ROUTE_WORK, 200, NULL, i * MS);
    }
    totals_read(*state, &totals);
    assert_int_equal(totals.routes[ROUTE_HELLO].count + totals.routes[ROUTE_WORK].count,
                     instruments_observed(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_yet, make, drop),
        cmocka_unit_test_setup_teardown(test_by_route_and_bucket, make, drop),
        cmocka_unit_test_setup_teardown(test_as_exposed, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
