/*
 * The service's side of a request: problems in a client's words, methods by route, content, streams, and
 * which ends count as failures.
 *
 * A site of its own serves one end of a socket pair. The handler is the test's, under the real calls:
 * it gives the exchange a route of its own and then lets the real one decide.
 */
#include "exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "faults/faults.h"
#include "instruments.h"
#include "service.h"
#include "unit/parts.h"

static const uint16_t statuses[HTTP_ERRORS] = {
#define HTTP_ERROR(NAME, name, status, detail) [HTTP_ERROR_##NAME] = (status),
#include "http/errors.def"
#undef HTTP_ERROR
};

static const struct options options = {
    .random_error_status = 503, .faults = "", .incident = "", .fault_token_file = ""};
static struct service service;
static struct site site;
static struct http_service calls; /* the real ones */
static struct route route;        /* what every request is given */
static bool wants_body;
static enum http_error ends_as; /* HTTP_OK: as it does */
static uint8_t span_status;     /* of the last request that closed */
static char error_type[32];     /* likewise */
static size_t closed;
static int client = -1;
static char answer[65536];

static void on_open(struct http_exchange *http, void *argument)
{
    calls.open(http, argument);
    http->want_body = wants_body;
}

static void on_handle(struct http_exchange *http, void *argument)
{
    ((struct exchange *)http->service)->route = &route;
    calls.handle(http, argument);
}

static void on_close(struct http_exchange *http, void *argument)
{
    const struct exchange *exchange = (const struct exchange *)http->service;
    if (ends_as != HTTP_OK) {
        http->error = ends_as;
        http->response.status = statuses[ends_as];
    }
    calls.close(http, argument);
    span_status = exchange->span.status;
    snprintf(error_type, sizeof(error_type), "%s",
             exchange->error_type != NULL ? exchange->error_type : "");
    closed++;
}

static int make(void **state)
{
    (void)state;
    struct event_base *base = event_base_new();
    parts_make(&service, &options, 1);
    service.limits = (struct http_limits){
        .request_line_bytes = 8192, .head_bytes = 32768, .header_count = 100, .body_bytes = 100000};
    parts_make_tracer(&service);
    service.faults = faults_create(&options);
    if (service.tracer == NULL || service.faults == NULL ||
        site_init(&site, &service, 0, SIDE_BOTH, base) != 0) {
        return -1;
    }
    calls = site.calls;
    site.calls.open = on_open;
    site.calls.handle = on_handle;
    site.calls.close = on_close;
    wants_body = false;
    ends_as = HTTP_OK;
    closed = 0;
    return 0;
}

static void hang_up(void)
{
    if (client >= 0) {
        close(client);
        client = -1;
    }
}

static int drop(void **state)
{
    (void)state;
    struct event_base *base = site.base;
    hang_up();
    site_fini(&site);
    event_base_free(base);
    faults_destroy(service.faults);
    parts_drop(&service);
    return 0;
}

/* ---- the client --------------------------------------------------------------------------------- */

static void turn(void)
{
    for (int i = 0; i < 4; i++) {
        event_base_loop(site.base, EVLOOP_NONBLOCK);
    }
}

/* What has come since; NUL-terminated. */
static size_t receive(void)
{
    const ssize_t got = recv(client, answer, sizeof(answer) - 1, MSG_DONTWAIT);
    answer[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

static void ask(const char *request)
{
    int pair[2];
    hang_up();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    client = pair[0];
    assert_int_equal(http_engine_adopt(site.engine, pair[1], NULL, NULL), 0);
    assert_int_equal(send(client, request, strlen(request), 0), strlen(request));
    turn();
    receive();
}

static void take(void (*handle)(struct exchange *exchange), const char *allow, uint32_t methods)
{
    route = router_table()[ROUTE_HELLO];
    route.handle = handle;
    route.allow = allow;
    route.methods = methods;
}

#define GET "GET /demo/hello HTTP/1.1\r\nHost: a\r\n"

/* ---- problems ----------------------------------------------------------------------------------- */

static const char *words;

static void complain(struct exchange *exchange)
{
    exchange_problem(exchange, 422, "not a plan: %s", words);
}

static json_t *problem_of(void)
{
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_non_null(strstr(answer, "Content-Type: application/problem+json\r\n"));
    json_t *problem = json_loads(body + 4, 0, NULL);
    assert_non_null(problem);
    return problem;
}

/* Whatever a client says comes back as its own words, in a document that is one. */
static void test_problems_quote_anything(void **state)
{
    static const char *const rows[][2] = {
        {"plain", "not a plan: plain"},
        {"\"key\": \\ \"", "not a plan: \"key\": \\ \""},
        {"\",\"status\":200,\"x\":\"", "not a plan: \",\"status\":200,\"x\":\""},
        {"tab\tnewline\n\x01\x1f\x7f", "not a plan: tab\tnewline\n\x01\x1f\x7f"},
        {"ünïcode \xe2\x82\xac", "not a plan: ünïcode \xe2\x82\xac"},
        {"\xff\xc3(", "not a plan: \xef\xbf\xbd\xef\xbf\xbd("},
    };
    (void)state;
    take(complain, "GET", 1u << HTTP_METHOD_GET);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        words = rows[i][0];
        ask(GET "\r\n");
        json_t *problem = problem_of();
        assert_string_equal(json_string_value(json_object_get(problem, "detail")), rows[i][1]);
        assert_string_equal(json_string_value(json_object_get(problem, "title")),
                            "Unprocessable Content");
        assert_int_equal(json_integer_value(json_object_get(problem, "status")), 422);
        json_decref(problem);
    }
}

/* The longest detail, each byte of it six when escaped, is a whole document; a longer one is cut. */
static void test_problems_have_room(void **state)
{
    static char long_words[EXCHANGE_DETAIL_BYTES * 2];
    (void)state;
    take(complain, "GET", 1u << HTTP_METHOD_GET);
    memset(long_words, '\x01', sizeof(long_words) - 1);
    words = long_words;
    ask(GET "\r\n");
    json_t *problem = problem_of();
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    assert_int_equal(strlen(detail), EXCHANGE_DETAIL_BYTES - 1);
    assert_int_equal(strspn(detail + 12, "\x01"), EXCHANGE_DETAIL_BYTES - 1 - 12);
    json_decref(problem);
}

static void test_problems_as_text(void **state)
{
    (void)state;
    take(complain, "GET", 1u << HTTP_METHOD_GET);
    words = "\"quoted\"";
    ask(GET "Accept: text/plain\r\n\r\n");
    assert_non_null(strstr(answer, "Content-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\n422 Unprocessable Content: not a plan: \"quoted\"\n"));
}

/* ---- methods and content ------------------------------------------------------------------------ */

static void greet(struct exchange *exchange)
{
    exchange_reply(exchange, 200, "text/plain", "hi", 2);
}

static void test_methods_are_the_route_s(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        bool allow;
    } rows[] = {
        {"POST /demo/hello HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ", false},
        {"PUT /demo/hello HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 ", true},
        {"GET /demo/hello HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 ", true},
        {"OPTIONS /demo/hello HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 204 ", true},
    };
    (void)state;
    take(greet, "POST, OPTIONS", 1u << HTTP_METHOD_POST | 1u << HTTP_METHOD_OPTIONS);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(rows[i].request);
        assert_memory_equal(answer, rows[i].status, strlen(rows[i].status));
        assert_int_equal(strstr(answer, "\r\nAllow: POST, OPTIONS\r\n") != NULL, rows[i].allow);
    }
}

/* `*` is no route's: it is what the side takes. So is what is told to who tries CONNECT. */
static void test_methods_of_the_whole(void **state)
{
    char allow[ROUTER_ALLOW_BYTES + 16];
    (void)state;
    snprintf(allow, sizeof(allow), "\r\nAllow: %s\r\n", site.allow);
    assert_non_null(strstr(allow, "GET, HEAD, "));
    take(NULL, NULL, 0);
    ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_memory_equal(answer, "HTTP/1.1 204 ", 13);
    assert_non_null(strstr(answer, allow));
    ask("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    assert_non_null(strstr(answer, allow));
    ask("OPTIONS /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_memory_equal(answer, "HTTP/1.1 404 ", 13);
}

/* Tells what it was sent, whether it is JSON, and what the path has for the route's name. */
static void tell(struct exchange *exchange)
{
    const struct http_slice content = exchange_content(exchange);
    const struct http_slice rest = exchange_path_rest(exchange);
    exchange_problem(exchange, 400, "%.*s, %s, %.*s", (int)content.length, content.data,
                     exchange_content_is(exchange, "application/json") ? "JSON" : "other",
                     (int)rest.length, rest.data);
}

static void test_content_and_the_rest_of_the_path(void **state)
{
    static const char *const rows[][2] = {
        {GET "\r\n", "\"detail\":\", JSON, hello\""},
        {GET "Content-Length: 2\r\n\r\n{}", "\"detail\":\"{}, JSON, hello\""},
        {GET "Content-Type: Application/JSON;a=b\r\nContent-Length: 2\r\n\r\n{}",
         "\"detail\":\"{}, JSON, hello\""},
        {GET "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
             "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
         "\"detail\":\"{}, other, hello\""},
        {GET "Content-Type:\r\nContent-Length: 2\r\n\r\n{}", "\"detail\":\"{}, other, hello\""},
    };
    (void)state;
    take(tell, "GET", 1u << HTTP_METHOD_GET);
    route.path = "/demo/{name}";
    route.path_length = strlen(route.path);
    wants_body = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(rows[i][0]);
        if (strstr(answer, rows[i][1]) == NULL) {
            fail_msg("no %s in %s", rows[i][1], answer);
        }
    }
}

/* ---- streams ------------------------------------------------------------------------------------ */

static struct exchange *streaming;
static size_t gone_count;

static void gone(struct exchange *exchange)
{
    assert_ptr_equal(exchange, streaming);
    assert_true(exchange->http->abandoned);
    streaming = NULL;
    gone_count++;
}

static void stream(struct exchange *exchange)
{
    gone_count = 0;
    streaming = exchange_begin_stream(exchange, 200, "text/event-stream", gone) ? exchange : NULL;
}

static void test_streams_end(void **state)
{
    (void)state;
    take(stream, "GET, HEAD", 1u << HTTP_METHOD_GET | 1u << HTTP_METHOD_HEAD);
    ask(GET "\r\n");
    assert_non_null(
        strstr(answer, "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"));
    http_stream_send(streaming->http, ":\n\n", 3);
    assert_int_equal(receive(), 8);
    assert_string_equal(answer, "3\r\n:\n\n\r\n");
    assert_int_equal(closed, 0);
    http_stream_end(streaming->http);
    assert_int_equal(closed, 1);
    assert_int_equal(gone_count, 0);
    assert_string_equal(error_type, "");
    assert_int_equal(span_status, TEL_STATUS_UNSET);
    ask("HEAD /demo/hello HTTP/1.1\r\nHost: a\r\n\r\n"); /* over before it began */
    assert_null(streaming);
    assert_int_equal(closed, 2);
}

static void test_streams_are_told_of_the_end(void **state)
{
    (void)state;
    take(stream, "GET", 1u << HTTP_METHOD_GET);
    ask(GET "\r\n");
    hang_up();
    turn();
    assert_int_equal(gone_count, 1);
    assert_int_equal(closed, 1);
    assert_string_equal(error_type, ""); /* who leaves a stream has had enough of it */
    assert_int_equal(span_status, TEL_STATUS_UNSET);
    ask(GET "\r\n");
    site_fini(&site);
    assert_int_equal(gone_count, 1);
    assert_int_equal(closed, 2);
    assert_string_equal(error_type, "shutdown");
}

/* Nobody got the answer, or it is the service's failure: the span says so. A client's mistake is none. */
static void test_what_counts_as_failed(void **state)
{
    (void)state;
    take(greet, "GET", 1u << HTTP_METHOD_GET);
    for (int error = HTTP_OK; error < HTTP_ERRORS; error++) {
        ends_as = (enum http_error)error;
        ask(GET "\r\n");
        const uint16_t status = statuses[ends_as];
        const bool failed = error != HTTP_OK && (status == 0 || status >= 500);
        if (span_status != (failed ? TEL_STATUS_ERROR : TEL_STATUS_UNSET)) {
            fail_msg("%s: the span's status is %d", http_error_name(ends_as), span_status);
        }
        assert_string_equal(error_type, error != HTTP_OK ? http_error_name(ends_as) : "");
    }
    assert_int_equal(closed, HTTP_ERRORS);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_problems_quote_anything),
        TEST(test_problems_have_room),
        TEST(test_problems_as_text),
        TEST(test_methods_are_the_route_s),
        TEST(test_methods_of_the_whole),
        TEST(test_content_and_the_rest_of_the_path),
        TEST(test_streams_end),
        TEST(test_streams_are_told_of_the_end),
        TEST(test_what_counts_as_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
