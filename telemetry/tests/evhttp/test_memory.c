/*
 * Without memory. Each allocation of the library's fails once, from the first to the last, while a
 * server is made and a request is served: nothing leaks, and a request that evhttp handed over is one
 * of each signal, whatever the client was told.
 */
#include "evhttp/internal.h"
#include "faults.h"
#include "support.h"

/* Making a server and a route. */
static void test_making(void **state)
{
    struct bench *bench = *state;
    struct faults faults = {.kinds = FAULTS_OURS, .crowded = true};
    while (faults_next(&faults)) {
        faults_stop();
        struct evhttp *http = evhttp_new(bench->base);
        faults_resume();
        errno = 0;
        struct tel_evhttp *server = tel_evhttp_create(http, bench->signals, 0);
        int error = server != NULL ? tel_evhttp_set_cb(server, "/x", greet, NULL) : -errno;
        faults_stop();
        assert_int_equal(error, faults_struck() ? -ENOMEM : 0);
        evhttp_free(http);
        tel_evhttp_destroy(server);
    }
    assert_true(faults.turns > 3);
}

/* No memory for a request: a 503, of which all signals know. */
static void test_a_request(void **state)
{
    struct bench *bench = *state;
    char line[4096];
    client_ask(bench, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
               NULL); /* all that is kept is made */
    assert_contains(take_span(bench, NULL, NULL), "=200");
    struct faults faults = {.kinds = FAULTS_MEMORY};
    assert_true(faults_next(&faults));
    int fd = client_connect(bench->port);
    char text[TEXT_MAX];
    size_t length = 0;
    client_send(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n" TRACEPARENT "\r\n");
    WORK_UNTIL(bench, !client_receive(fd, text, &length) && is_whole(text, length, false));
    close(fd);
    faults_stop();
    assert_true(faults_struck());
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

/* A scrape that finds no memory is a 503, never half a page; and the next one is whole. */
static void test_a_scrape(void **state)
{
    static const char scrape[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct bench *bench = *state;
    struct faults faults = {.kinds = FAULTS_MEMORY | FAULTS_GROWTH, .keeps = true, .crowded = true};
    unsigned refused = 0;
    assert_int_equal(tel_evhttp_serve_metrics(bench->server, "/metrics"), 0);
    while (faults_next(&faults)) {
        char text[TEXT_MAX];
        size_t length = 0;
        tel_buffer_fini(&bench->server->page); /* each turn grows it anew */
        int fd = client_connect(bench->port);
        client_send(fd, scrape);
        WORK_UNTIL(bench, !client_receive(fd, text, &length) && is_whole(text, length, false));
        close(fd);
        bool whole = strncmp(text, "HTTP/1.1 200 ", 13) == 0;
        assert_true(whole ? strstr(text, "\nprocess_") != NULL
                          : faults_struck() && strncmp(text, "HTTP/1.1 503 ", 13) == 0);
        refused += !whole;
        faults_stop();
        tel_buffer_fini(&bench->server->page);
    }
    assert_true(refused > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_making, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_a_request, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_a_scrape, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
