/*
 * The engine without memory: what it refuses, what it counts, and that it goes on afterwards.
 *
 * malloc(3) and realloc(3) of the objects under test go through wrappers (see CMakeLists.txt), so
 * that a test can refuse them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "http/internal.h"

#define R(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static bool refuses_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return refuses_memory ? NULL : __real_malloc(size);
}

static bool refuses_growth;

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
    return refuses_growth ? NULL : __real_realloc(block, size);
}

static void without_memory_there_is_no_engine(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    refuses_memory = true;
    struct http_engine *engine =
        http_engine_create(harness.base, &harness.limits, &harness.service);
    refuses_memory = false;
    assert_null(engine);
    assert_int_equal(errno, ENOMEM);
    http_engine_destroy(NULL);
    harness_fini(&harness);
}

/* A request without memory gets the spare exchange and a 503. */
static void without_memory_requests_are_refused_and_counted(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    refuses_memory = true;
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_turn_unread(&harness);
    refuses_memory = false;
    harness_turn(&harness);
    harness_expect_out(&harness, harness_refusal("503 Service Unavailable",
                                                 "no resources are left for this request", ""));
    harness_expect_log(&harness, "open _OTHER  503 overloaded\n");
    assert_int_equal(harness_stats(&harness).lost, 0);

    harness_connect(&harness); /* and the next one is served again */
    harness_send_text(&harness, R("/"));
    harness_expect_out(&harness, HELLO);
    harness_fini(&harness);
}

/* The spare exchange is in use as well (taken away here): the connection is closed, and counted. */
static void without_the_spare_a_request_is_lost_and_counted(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    struct exchange *spare = harness.engine->spare;
    harness.engine->spare = NULL;
    refuses_memory = true;
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_turn_unread(&harness);
    refuses_memory = false;
    harness.engine->spare = spare;
    harness_turn(&harness);
    assert_true(harness.ended);
    harness_expect_out(&harness, "");
    harness_expect_log(&harness, "");
    assert_int_equal(harness_stats(&harness).lost, 1);
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

static void without_memory_bytes_are_not_held(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/later"));
    refuses_memory = true;
    harness_push(&harness, R("/"), strlen(R("/")));
    harness_turn_unread(&harness);
    refuses_memory = false;
    harness_turn(&harness);
    harness_expect_log(&harness, "open handle abandoned GET /later - client_disconnected\n");
    assert_true(harness.ended);
    harness_fini(&harness);
}

/* What the socket does not take has no place to wait: the response ends where it was cut. */
static void without_memory_a_short_write_ends_the_response(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/")); /* warm */
    harness_expect_log(&harness, "open handle GET / 200 ok\n");
    refuses_growth = true;
    harness_push(&harness, R("/big"), strlen(R("/big")));
    harness_turn_unread(&harness);
    refuses_growth = false;
    harness_expect_log(&harness, "open handle GET /big 200 overloaded\n");
    assert_true(harness.last.bytes_sent > 0);
    assert_int_equal(harness_stats(&harness).connections, 0);
    harness_fini(&harness);
}

static void without_memory_content_is_refused(void **state)
{
    static const char post[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc";
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/")); /* warm */
    harness_expect_log(&harness, "open handle GET / 200 ok\n");
    refuses_growth = true;
    harness_push(&harness, post, sizeof post - 1);
    harness_turn_unread(&harness);
    refuses_growth = false;
    harness_expect_log(&harness, "open POST /echo 503 overloaded\n");
    harness_fini(&harness);
}

/* There is room for some in what is allocated already; the first one beyond it is refused. */
static void a_refused_adoption_closes_the_socket(void **state)
{
    struct harness harness;
    int clients[SLAB_BYTES / sizeof(struct http_connection)];
    const size_t most = sizeof clients / sizeof clients[0];
    size_t count = 0;
    int adopted = 0;
    char byte;
    (void)state;
    harness_init(&harness);
    refuses_memory = true;
    while (adopted == 0 && count < most) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        clients[count++] = pair[0];
        adopted = http_engine_adopt(harness.engine, pair[1], NULL, NULL);
    }
    refuses_memory = false;
    assert_int_equal(adopted, -ENOMEM);
    assert_int_equal(harness_stats(&harness).connections, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(recv(clients[i], &byte, 1, 0), i == count - 1 ? 0 : -1);
        close(clients[i]);
    }
    harness_fini(&harness);
}

/* Once warm, a request allocates nothing. */
static void warm_requests_allocate_nothing(void **state)
{
    static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    struct harness harness;
    (void)state;
    harness_init(&harness);
    harness_send_text(&harness, R("/"));
    harness_send_text(&harness, post);
    for (int i = 0; i < 10; i++) {
        refuses_memory = true;
        harness_push(&harness, R("/"), strlen(R("/")));
        harness_push(&harness, post, sizeof post - 1);
        harness_turn_unread(&harness);
        refuses_memory = false;
        assert_int_equal(harness.last.response.status, 200);
        assert_int_equal(harness.last.error, HTTP_OK);
    }
    assert_int_equal(harness_log_lines(&harness), 22);
    harness_fini(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_there_is_no_engine),
        cmocka_unit_test(without_memory_requests_are_refused_and_counted),
        cmocka_unit_test(without_the_spare_a_request_is_lost_and_counted),
        cmocka_unit_test(without_memory_bytes_are_not_held),
        cmocka_unit_test(without_memory_a_short_write_ends_the_response),
        cmocka_unit_test(without_memory_content_is_refused),
        cmocka_unit_test(a_refused_adoption_closes_the_socket),
        cmocka_unit_test(warm_requests_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
