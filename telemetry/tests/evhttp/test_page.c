/*
 * The page of metrics: the three formats, packed or not, and what is no way to ask for it.
 */
#include <zlib.h>

#include "support.h"

#define GET     "GET /metrics HTTP/1.1\r\nHost: x\r\n"
#define PROTO   "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
#define CONTENT "\r\nContent-Type: "

static int setup(void **state)
{
    bench_setup(state);
    struct bench *bench = *state;
    assert_int_equal(tel_evhttp_serve_metrics(bench->server, "/metrics"), 0);
    return 0;
}

static void test_formats(void **state)
{
    static const struct {
        const char *request;
        const char *type;
        const char *content;
    } cases[] = {
        {GET "\r\n", CONTENT "text/plain; version=0.0.4; charset=utf-8\r\n",
         "\n# TYPE process_cpu_seconds_total counter\n"},
        {GET "Accept: application/openmetrics-text;version=1.0.0\r\n\r\n",
         CONTENT "application/openmetrics-text; version=1.0.0; charset=utf-8\r\n", "\n# EOF\n"},
        {GET "Accept: " PROTO "encoding=delimited\r\n\r\n",
         CONTENT "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                 "encoding=delimited\r\n",
         "process_cpu_seconds_total"},
    };
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length;
        const char *response = client_ask(bench, cases[i].request, &length);
        assert_int_equal(strncmp(response, "HTTP/1.1 200 ", 13), 0);
        assert_contains(response, cases[i].type);
        assert_contains(response, "\r\nVary: Accept, Accept-Encoding\r\n");
        assert_non_null(memmem(response, length, cases[i].content, strlen(cases[i].content)));
    }
    assert_contains(take_span(bench, NULL, NULL), "GET /metrics ");
    assert_contains(read_line(bench, 2), "\t/metrics\t-\t");
}

static void test_packed(void **state)
{
    struct bench *bench = *state;
    static Bytef text[TEXT_MAX];
    size_t length;
    const char *response =
        client_ask(bench, GET "Accept-Encoding: br, gzip;q=0.5\r\n\r\n", &length);
    assert_contains(response, "\r\nContent-Encoding: gzip\r\n");
    const char *body = (const char *)memmem(response, length, "\r\n\r\n", 4) + 4;
    z_stream stream = {.next_in = (Bytef *)body,
                       .avail_in = (uInt)(response + length - body),
                       .next_out = text,
                       .avail_out = sizeof(text) - 1};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    inflateEnd(&stream);
    assert_contains((const char *)text, "\nhttp_server_active_requests{");
    assert_null(strstr(client_ask(bench, GET "Accept-Encoding: gzip;q=0\r\n\r\n", NULL),
                       "Content-Encoding"));
}

static void test_methods(void **state)
{
    struct bench *bench = *state;
    size_t length;
    const char *response = client_ask(bench, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", &length);
    assert_int_equal(strncmp(response, "HTTP/1.1 200 ", 13), 0);
    assert_string_equal(response + length - 4, "\r\n\r\n"); /* no body */
    assert_true(strtoul(strstr(response, "\r\nContent-Length: ") + 18, NULL, 10) > 1000);
    response = client_ask(bench, "HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", &length);
    assert_int_equal(strncmp(response, "HTTP/1.1 404 ", 13), 0);
    assert_string_equal(response + length - 4, "\r\n\r\n");
    response = client_ask(bench, "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    assert_int_equal(strncmp(response, "HTTP/1.1 405 ", 13), 0);
    assert_contains(response, "\r\nAllow: GET, HEAD\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_formats, setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_packed, setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_methods, setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
