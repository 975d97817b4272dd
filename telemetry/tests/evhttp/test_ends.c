/*
 * However a request ends, it ends once: answered at once, later or in pieces; its client gone before
 * the answer or during it; its server freed under it.
 */
#include "support.h"

#define ASK "GET /late HTTP/1.1\r\nHost: x\r\n" TRACEPARENT "\r\n"

#define COUNT_SAMPLE "http_server_request_duration_seconds_count"

static void on_end(void *argument)
{
    ((struct bench *)argument)->ended++;
}

static void keep(struct evhttp_request *request, void *argument)
{
    struct bench *bench = argument;
    bench->kept = request;
    tel_evhttp_set_end_cb(request, on_end, bench);
}

/* A client whose request the program has, but has not answered. */
static int begin(struct bench *bench)
{
    assert_int_equal(tel_evhttp_set_cb(bench->server, "/late", keep, bench), 0);
    int fd = client_connect(bench->port);
    client_send(fd, ASK);
    WORK_UNTIL(bench, bench->kept != NULL);
    assert_string_equal(
        find_sample(bench, "http_server_active_requests"),
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 1");
    assert_int_equal(bench->ended, 0);
    return fd;
}

/* What all signals say of the one request: `status` is "-" when none was sent. */
static void assert_recorded(struct bench *bench, const char *status, const char *error)
{
    char part[128];
    const char *span = take_span(bench, NULL, NULL);
    const char *sample = find_sample(bench, COUNT_SAMPLE);
    const char *line = read_line(bench, 0);
    bool has_status = strcmp(status, "-") != 0;
    assert_int_equal(bench->ended, 1);
    assert_contains(span, "GET /late kind=2 ");
    assert_contains(span, error != NULL ? " status=2 " : " status=0 ");
    assert_contains(sample, "} 1");
    snprintf(part, sizeof(part), " http.response.status_code=%s", status);
    assert_int_equal(strstr(span, part) != NULL, has_status);
    snprintf(part, sizeof(part), "http_response_status_code=\"%s\"", status);
    assert_int_equal(strstr(sample, part) != NULL, has_status);
    snprintf(part, sizeof(part), "\tx\t%s\t", status);
    assert_contains(line, part);
    snprintf(part, sizeof(part), "\t/late\t%s\t" TRACE_ID "\t", error != NULL ? error : "-");
    assert_contains(line, part);
    snprintf(part, sizeof(part), " error.type=%s", error);
    assert_int_equal(strstr(span, part) != NULL, error != NULL);
    snprintf(part, sizeof(part), "error_type=\"%s\"", error);
    assert_int_equal(strstr(sample, part) != NULL, error != NULL);
    assert_string_equal(
        find_sample(bench, "http_server_active_requests"),
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0");
    assert_string_equal(take_span(bench, NULL, NULL), ""); /* nothing a second time */
    assert_string_equal(read_line(bench, 1), "");
}

static void test_answered_later(void **state)
{
    struct bench *bench = *state;
    char text[TEXT_MAX];
    size_t length = 0;
    int fd = begin(bench);
    greet(bench->kept, NULL);
    WORK_UNTIL(bench, !client_receive(fd, text, &length) && is_whole(text, length, false));
    close(fd);
    WORK_UNTIL(bench, bench->ended == 1);
    assert_recorded(bench, "200", NULL);
}

/* The program's attribute stands in the span between what was known before and after. */
static void test_the_span_is_the_programs_too(void **state)
{
    struct bench *bench = *state;
    int fd = begin(bench);
    tel_span_set_int(tel_evhttp_get_span(bench->kept), "shop.items", 3);
    greet(bench->kept, NULL);
    WORK_UNTIL(bench, bench->ended == 1);
    close(fd);
    assert_contains(take_span(bench, NULL, NULL), " shop.items=3 http.route=/late ");
}

static void test_client_gone_before_the_answer(void **state)
{
    struct bench *bench = *state;
    client_reset(begin(bench));
    greet(bench->kept, NULL); /* evhttp does not know yet */
    WORK_UNTIL(bench, bench->ended == 1);
    assert_recorded(bench, "-", "connection_closed");
}

/* In pieces, to the end; the body's length is known when it is over. */
static void test_in_pieces(void **state)
{
    struct bench *bench = *state;
    char text[TEXT_MAX];
    char size[16];
    size_t length = 0;
    int fd = begin(bench);
    struct evbuffer *piece = evbuffer_new();
    evhttp_send_reply_start(bench->kept, HTTP_OK, NULL);
    for (int i = 0; i < 3; i++) {
        evbuffer_add_printf(piece, "piece %d\n", i);
        evhttp_send_reply_chunk(bench->kept, piece);
        WORK_UNTIL(bench, !client_receive(fd, text, &length) && strstr(text, "piece ") != NULL);
    }
    evbuffer_free(piece);
    assert_int_equal(bench->ended, 0);
    evhttp_send_reply_end(bench->kept);
    WORK_UNTIL(bench, !client_receive(fd, text, &length) && bench->ended == 1 &&
                          strstr(text, "\r\n0\r\n\r\n") != NULL);
    close(fd);
    snprintf(size, sizeof(size), "\t%zu\t", length);
    assert_contains(read_line(bench, 0), size);
    assert_recorded(bench, "200", NULL);
}

/* The client goes between two pieces. The request then is the program's alone: no span any more, and
 * evhttp_send_reply_end() frees it. */
static void test_client_gone_between_pieces(void **state)
{
    struct bench *bench = *state;
    char text[TEXT_MAX];
    size_t length = 0;
    int fd = begin(bench);
    struct evbuffer *piece = evbuffer_new();
    evhttp_send_reply_start(bench->kept, HTTP_OK, NULL);
    evbuffer_add_printf(piece, "piece\n");
    evhttp_send_reply_chunk(bench->kept, piece);
    WORK_UNTIL(bench, !client_receive(fd, text, &length) && strstr(text, "piece") != NULL);
    client_reset(fd);
    WORK_UNTIL(bench, bench->ended == 1);
    assert_null(tel_evhttp_get_span(bench->kept));
    tel_evhttp_set_route(bench->kept, "/nowhere"); /* too late: nothing happens */
    tel_evhttp_set_end_cb(bench->kept, on_end, bench);
    evbuffer_add_printf(piece, "piece\n");
    evhttp_send_reply_chunk(bench->kept, piece);
    evhttp_send_reply_end(bench->kept);
    evbuffer_free(piece);
    assert_recorded(bench, "200", "connection_closed");
}

/* More than the kernel takes, and the reader goes: what went out is what is counted. */
static void test_client_gone_during_the_answer(void **state)
{
    struct bench *bench = *state;
    static char text[8 * 1024 * 1024];
    int fd = begin(bench);
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, text, sizeof(text));
    evhttp_send_reply(bench->kept, HTTP_OK, NULL, body);
    evbuffer_free(body);
    WORK_UNTIL(bench, recv(fd, text, 1000, MSG_DONTWAIT) == 1000);
    client_reset(fd);
    WORK_UNTIL(bench, bench->ended == 1);
    const char *line = read_line(bench, 0);
    unsigned long sent = strtoul(strstr(line, "\t200\t") + 5, NULL, 10);
    assert_in_range(sent, 1000, sizeof(text) - 1);
    assert_recorded(bench, "200", "connection_closed");
}

/* evhttp_free() with a request that nobody has answered. */
static void test_server_freed(void **state)
{
    struct bench *bench = *state;
    int fd = begin(bench);
    bench_close(bench);
    assert_recorded(bench, "-", "connection_closed");
    close(fd);
}

/* A request that did not come through the library has nothing of it. */
static void test_foreign_request(void **state)
{
    (void)state;
    struct evhttp_request *request = evhttp_request_new(NULL, NULL);
    assert_null(tel_evhttp_get_span(request));
    tel_evhttp_set_route(request, "/x");
    tel_evhttp_set_end_cb(request, on_end, NULL);
    evhttp_request_free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answered_later, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_the_span_is_the_programs_too, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(test_client_gone_before_the_answer, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(test_in_pieces, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_client_gone_between_pieces, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(test_client_gone_during_the_answer, bench_setup,
                                        bench_teardown),
        cmocka_unit_test_setup_teardown(test_server_freed, bench_setup, bench_teardown),
        cmocka_unit_test(test_foreign_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
