/*
 * The page's own life: made, its document made once, so many requests a tick, and nothing left.
 */
#include "page/page.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange.h"
#include "instruments.h"
#include "options.h"
#include "page/document.h"
#include "page/internal.h"
#include "page/request.h"
#include "service.h"
#include "unit/parts.h"

#define THREADS 4

static const struct options options = {.random_error_status = 503, .page_viewers = 2};
static struct service service;
static struct site site;
static struct tel_span span;

static int make(void **state)
{
    (void)state;
    parts_make(&service, &options, 1);
    parts_make_tracer(&service);
    service.page = page_create(&service);
    site = (struct site){.service = &service, .shard = 0};
    atomic_init(&service.lifecycle.state, LIFE_READY);
    tel_span_begin(&span, service.tracer, 0,
                   &(struct tel_span_start){.name = "GET /", .kind = TEL_SPAN_SERVER});
    tel_span_end(&span, 0);
    return service.page != NULL ? 0 : -1;
}

static int drop(void **state)
{
    (void)state;
    page_destroy(service.page);
    parts_drop(&service);
    return 0;
}

static void show(const char *route, size_t route_length)
{
    const struct request_labels labels = {.method = HTTP_METHOD_GET, .route = ROUTE_HELLO};
    const struct tel_access_record record = {.route = {route, route_length}};
    page_show_request(&site, &(struct page_request){.span = &span,
                                                    .method = "GET",
                                                    .record = &record,
                                                    .series = instruments_request_series(
                                                        service.instruments, 0, &labels)});
}

static uint64_t skipped(void)
{
    struct page_stats stats;
    page_get_stats(service.page, &stats);
    return stats.records_skipped;
}

/* So many a tick, as many as there are slots; the others are counted. */
static void test_requests_of_a_tick(void **state)
{
    (void)state;
    struct page_ring *ring = service.page->rings[0];
    size_t waiting = 0;
    for (uint64_t tick = 0; tick < 3; tick++) {
        for (int i = 0; i < PAGE_TICK_REQUESTS; i++) {
            show("/", 1);
        }
        waiting += PAGE_TICK_REQUESTS;
        assert_int_equal(atomic_load(&ring->pushed),
                         waiting < PAGE_RING_SLOTS ? waiting : PAGE_RING_SLOTS);
        const uint64_t before = skipped();
        show("/", 1);
        assert_int_equal(skipped(), before + 1);
        page_tick(&site);
    }
    assert_int_equal(skipped(), 3 * (PAGE_TICK_REQUESTS + 1) - PAGE_RING_SLOTS);
}

/* One that cannot be shown takes no place. */
static void test_request_that_does_not_fit(void **state)
{
    (void)state;
    static char route[PAGE_RECORD_BYTES];
    memset(route, 'r', sizeof(route));
    show(route, sizeof(route));
    assert_int_equal(skipped(), 1);
    assert_null(page_ring_peek(service.page->rings[0]));
    show("/", 1);
    assert_int_equal(skipped(), 1);
    assert_non_null(page_ring_peek(service.page->rings[0]));
}

static void test_children_of_an_exchange(void **state)
{
    (void)state;
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    assert_non_null(exchange);
    exchange->site = &site;
    page_close_exchange(exchange);
    for (int i = 0; i < 2; i++) {
        tel_span_begin(&exchange->child, service.tracer, 0,
                       &(struct tel_span_start){.name = "delay", .kind = TEL_SPAN_INTERNAL});
        tel_span_end(&exchange->child, 0);
        page_keep_child(exchange);
    }
    const char *json = exchange->children->json;
    assert_int_equal(json[0], '{');
    assert_int_equal(json[exchange->children->length - 1], '}');
    assert_non_null(memmem(json, exchange->children->length, "},{", 3));
    page_close_exchange(exchange);
    assert_null(exchange->children);
    free(exchange);
}

static void end_child(struct exchange *exchange)
{
    tel_span_begin(&exchange->child, service.tracer, 0,
                   &(struct tel_span_start){.name = "delay", .kind = TEL_SPAN_INTERNAL});
    tel_span_end(&exchange->child, 0);
    page_keep_child(exchange);
}

/* Once the tick has shown what it may nothing is put together; what was left out is not passed over. */
static void test_nothing_is_kept_for_what_is_not_shown(void **state)
{
    (void)state;
    struct exchange *exchanges = calloc(2, sizeof(*exchanges));
    assert_non_null(exchanges);
    exchanges[0].site = exchanges[1].site = &site;
    end_child(&exchanges[0]);
    const size_t length = exchanges[0].children->length;
    for (int i = 0; i < PAGE_TICK_REQUESTS; i++) {
        assert_true(page_takes_request(&site));
        show("/", 1);
    }
    assert_int_equal(skipped(), 0);
    assert_false(page_takes_request(&site));
    assert_int_equal(skipped(), 1);
    for (int i = 0; i < 2; i++) {
        end_child(&exchanges[i]);
        assert_true(exchanges[i].children->is_cut);
        assert_int_equal(exchanges[i].children->length, i == 0 ? length : 0);
    }
    page_tick(&site);
    assert_true(page_takes_request(&site));
    end_child(&exchanges[1]); /* it stays a request of which some are missing */
    assert_int_equal(exchanges[1].children->length, 0);
    for (int i = 0; i < 2; i++) {
        page_close_exchange(&exchanges[i]);
        assert_null(exchanges[i].children);
    }
    free(exchanges);
}

static void *get_document(void *argument)
{
    (void)argument;
    return (void *)(uintptr_t)page_get_document(service.page);
}

/* Whoever asks first makes it, and all get the same. */
static void test_document_is_made_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    void *documents[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_document, NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &documents[i]);
        assert_non_null(documents[i]);
        assert_ptr_equal(documents[i], documents[0]);
    }
    assert_true(page_get_document(service.page)->html.length > 0);
}

static void test_off(void **state)
{
    (void)state;
    struct page_stats stats;
    assert_false(page_is_watched(NULL));
    page_get_stats(NULL, &stats);
    assert_int_equal(stats.viewers, 0);
    assert_false(page_is_watched(service.page));
    page_destroy(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_requests_of_a_tick),      TEST(test_request_that_does_not_fit),
        TEST(test_children_of_an_exchange), TEST(test_nothing_is_kept_for_what_is_not_shown),
        TEST(test_document_is_made_once),   TEST(test_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
