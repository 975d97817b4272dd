/*
 * Without memory. Each allocation of the library's fails once, from the first to the last, while a
 * server is made and a request is served: nothing leaks, and a request that evhttp handed over is one
 * of each signal, whatever the client was told.
 */
#include "support.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *string);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *string);

static long allocations_left = -1; /* before one fails; -1: none does */
static bool failed;

static bool fails_now(void)
{
    if (allocations_left < 0 || allocations_left-- > 0) {
        return false;
    }
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

char *__wrap_strdup(const char *string)
{
    return fails_now() ? NULL : __real_strdup(string);
}

/* The n-th allocation of making a server and a route. */
static void test_making(void **state)
{
    struct bench *bench = *state;
    failed = true;
    for (long n = 0; failed; n++) {
        struct evhttp *http = evhttp_new(bench->base);
        failed = false;
        allocations_left = n;
        struct tel_evhttp *server = tel_evhttp_create(http, bench->signals, 0);
        assert_int_equal(server == NULL, failed);
        if (server != NULL) {
            int error = tel_evhttp_set_cb(server, "/x", greet, NULL);
            assert_int_equal(error, failed ? -ENOMEM : 0);
        } else {
            assert_int_equal(errno, ENOMEM);
        }
        allocations_left = -1;
        evhttp_free(http);
        tel_evhttp_destroy(server);
    }
}

/* No memory for a request: a 503, of which all signals know. */
static void test_a_request(void **state)
{
    struct bench *bench = *state;
    char line[4096];
    client_ask(bench, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
               NULL); /* all that is kept is made */
    assert_contains(take_span(bench, NULL, NULL), "=200");
    allocations_left = 0;
    int fd = client_connect(bench->port);
    char text[TEXT_MAX];
    size_t length = 0;
    client_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n" TRACEPARENT "\r\n");
    WORK_UNTIL(bench, !client_receive(fd, text, &length) && is_whole(text, length, false));
    close(fd);
    assert_true(failed);
    assert_int_equal(strncmp(text, "HTTP/1.1 503 ", 13), 0);
    const char *span = take_span(bench, NULL, NULL);
    assert_contains(span, "GET /hello kind=2 status=2 ");
    assert_contains(span, " http.response.status_code=503 error.type=503");
    assert_contains(find_sample(bench, "http_server_request_duration_seconds_count{http_request_"
                                       "method=\"GET\",http_route=\"/hello\",http_response_status_"
                                       "code=\"503\",url_scheme=\"http\",error_type=\"503\""),
                    "} 1");
    assert_contains(find_sample(bench, "http_server_active_requests"), "} 0");
    snprintf(line, sizeof(line), "%s", read_line(bench, 1));
    assert_contains(line, "\t503\t");
    assert_contains(line, "\t503\t" TRACE_ID "\t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_making, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_a_request, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
