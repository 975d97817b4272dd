/*
 * A request on evhttp is one span, one observation and one line, which agree with each other and with
 * the bytes on the wire; and however it ends, it ends once.
 */
#include "support.h"
#include "trace/item.h"

#include "logs/logger.h"

/* ---- requests that are answered ------------------------------------------------------------ */

struct expected {
    const char *request;
    const char *response; /* how it begins */
    const char *span;     /* all of it, but for the peer's port */
    const char *labels;   /* of the observation */
    const char *line;     /* but for sizes and the trace id */
};

static void refuse(struct evhttp_request *request, void *argument)
{
    (void)argument;
    evhttp_send_reply(request, 503, "Busy", NULL);
}

static void find_user(struct evhttp_request *request, void *argument)
{
    tel_evhttp_set_route(request, "/users/{id}");
    greet(request, argument);
}

#define SERVER_AND_CLIENT(port)                                               \
    "server.address=localhost server.port=" port " client.address=127.0.0.1 " \
    "network.peer.address=127.0.0.1 network.peer.port="

static const struct expected answered[] = {
    {"GET /hello?x=1&sig=s3cret HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: probe/1\r\n\r\n",
     "HTTP/1.1 200 OK\r\n",
     "GET /hello kind=2 status=0 http.request.method=GET url.scheme=http url.path=/hello "
     "url.query=x=1&sig=REDACTED network.protocol.version=1.1 "
     "user_agent.original=probe/1 " SERVER_AND_CLIENT(
         "8080") "# http.route=/hello http.response.status_code=200",
     "{http_request_method=\"GET\",http_route=\"/hello\",http_response_status_code=\"200\","
     "url_scheme=\"http\",network_protocol_version=\"1.1\"}",
     "GET\t/hello\tx=1&sig=REDACTED\tHTTP/1.1\tlocalhost:8080\t200\t#\t#\t/hello\t-\t#\t127.0.0.1"
     "\t\"probe/1\"\t\"text/plain\"\n"},
    {"POST /hello HTTP/1.0\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde",
     "HTTP/1.0 200 OK\r\n",
     "POST /hello kind=2 status=0 http.request.method=POST url.scheme=http url.path=/hello "
     "network.protocol.version=1.0 " SERVER_AND_CLIENT(
         "80") "# http.route=/hello http.response.status_code=200",
     "{http_request_method=\"POST\",http_route=\"/hello\",http_response_status_code=\"200\","
     "url_scheme=\"http\",network_protocol_version=\"1.0\"}",
     "POST\t/hello\t-\tHTTP/1.0\tlocalhost\t200\t#\t#\t/hello\t-\t#\t127.0.0.1\t-\t\"text/"
     "plain\"\n"},
    {"GET /nothing HTTP/1.1\r\nHost: [::1]:99\r\n\r\n", "HTTP/1.1 404 Not Found\r\n",
     "GET kind=2 status=0 http.request.method=GET url.scheme=http url.path=/nothing "
     "network.protocol.version=1.1 server.address=::1 server.port=99 client.address=127.0.0.1 "
     "network.peer.address=127.0.0.1 network.peer.port=# http.response.status_code=404",
     "{http_request_method=\"GET\",http_response_status_code=\"404\",url_scheme=\"http\","
     "network_protocol_version=\"1.1\"}",
     "GET\t/nothing\t-\tHTTP/1.1\t[::1]:99\t404\t#\t#\t-\t-\t#\t127.0.0.1\t-\t\"text/plain; "
     "charset=utf-8\"\n"},
    {"GET /users/42 HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 OK\r\n",
     "GET /users/{id} kind=2 status=0 http.request.method=GET url.scheme=http url.path=/users/42 "
     "network.protocol.version=1.1 " SERVER_AND_CLIENT(
         "80") "# http.route=/users/{id} http.response.status_code=200",
     "{http_request_method=\"GET\",http_route=\"/users/{id}\",http_response_status_code=\"200\","
     "url_scheme=\"http\",network_protocol_version=\"1.1\"}",
     "GET\t/users/42\t-\tHTTP/1.1\tlocalhost\t200\t#\t#\t/users/{id}\t-\t#\t127.0.0.1\t-"
     "\t\"text/plain\"\n"},
    {"GET http://shop.test:81/busy HTTP/1.1\r\nHost: other\r\n\r\n", "HTTP/1.1 503 Busy\r\n",
     "GET /busy kind=2 status=2 http.request.method=GET url.scheme=http url.path=/busy "
     "network.protocol.version=1.1 server.address=shop.test server.port=81 "
     "client.address=127.0.0.1 network.peer.address=127.0.0.1 network.peer.port=# "
     "http.route=/busy http.response.status_code=503 error.type=503",
     "{http_request_method=\"GET\",http_route=\"/busy\",http_response_status_code=\"503\","
     "url_scheme=\"http\",error_type=\"503\",network_protocol_version=\"1.1\"}",
     "GET\t/busy\t-\tHTTP/1.1\tshop.test\t503\t#\t#\t/busy\t503\t#\t127.0.0.1\t-\t\"text/html; "
     "charset=ISO-8859-1\"\n"},
};

/* Compares, where each # stands for a run of digits and letters. */
static void assert_matches(const char *text, const char *pattern)
{
    const char *at = text;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '#') {
            at += strspn(at, "0123456789abcdef");
        } else if (*at++ != *p) {
            fail_msg("'%s' is not '%s'", text, pattern);
        }
    }
    assert_int_equal(*at, '\0');
}

static void assert_three_signals(struct bench *bench, const struct expected *expected)
{
    char sample[1024];
    char line[4096];
    char sizes[48];
    size_t length;
    const char *response = client_ask(bench, expected->request, &length);
    assert_int_equal(strncmp(response, expected->response, strlen(expected->response)), 0);
    assert_matches(take_span(bench, NULL, NULL), expected->span);
    snprintf(sample, sizeof(sample), "http_server_request_duration_seconds_count%s 1",
             expected->labels);
    assert_string_equal(find_sample(bench, sample), sample);
    snprintf(line, sizeof(line), "%s", read_line(bench, 0));
    assert_matches(line, expected->line);
    snprintf(sizes, sizeof(sizes), "\t%zu\t%zu\t", length, strlen(expected->request));
    assert_contains(line, sizes);
}

static void test_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answered) / sizeof(answered[0]); i++) {
        void *own = NULL;
        bench_setup(&own);
        struct bench *bench = own;
        assert_int_equal(tel_evhttp_set_cb(bench->server, "/busy", refuse, NULL), 0);
        if (strstr(answered[i].request, "/users/") != NULL) {
            tel_evhttp_set_gencb(bench->server, find_user, NULL);
        }
        assert_three_signals(bench, &answered[i]);
        bench_teardown(&own);
    }
}

/* ---- log records --------------------------------------------------------------------------- */

static void assert_record(struct bench *bench, const char *body, enum tel_severity severity,
                          const uint8_t trace_id[16], const char *attributes)
{
    struct tel_logger *logger = tel_signals_get_logger(bench->signals);
    size_t length;
    const struct tel__log_record *record = tel__queue_peek(&logger->queue, &length);
    char text[4096] = "";
    struct tel_item item;
    size_t position = 0;
    assert_non_null(record);
    assert_int_equal(record->body_length, strlen(body));
    assert_memory_equal(record->bytes, body, strlen(body));
    assert_string_equal(record->event_name, "http.server.request");
    assert_int_equal(record->severity, severity);
    assert_memory_equal(record->trace_id, trace_id, 16);
    while (tel__items_step(record->bytes + record->body_length, record->items_length, &position,
                           &item)) {
        add_attribute(text, sizeof(text), &item.attribute);
    }
    assert_contains(text, attributes);
    assert_contains(text, " http.server.request.duration=");
    tel__queue_pop(&logger->queue);
}

/* Who asks for log records gets one a request, with what the span has. */
static void test_records(void **state)
{
    void *own = NULL;
    uint8_t trace_id[16];
    (void)state;
    wants_records = true;
    bench_setup(&own);
    wants_records = false;
    struct bench *bench = own;
    assert_int_equal(tel_evhttp_set_cb(bench->server, "/busy", refuse, NULL), 0);
    client_ask(bench, "GET /hello?sig=s3cret HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    client_ask(bench, "GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    take_span(bench, trace_id, NULL);
    assert_record(bench, "GET /hello 200", TEL_INFO_LEVEL, trace_id,
                  " url.query=sig=REDACTED network.protocol.version=1.1 ");
    take_span(bench, trace_id, NULL);
    assert_record(bench, "GET /busy 503", TEL_ERROR, trace_id,
                  " http.route=/busy http.response.status_code=503 error.type=503 ");
    bench_teardown(&own);
}

/* ---- trace context ------------------------------------------------------------------------- */

static void test_trace_context(void **state)
{
    struct bench *bench = *state;
    uint8_t trace_id[16];
    uint8_t parent[8];
    char text[33];
    const char *response =
        client_ask(bench, "GET /hello HTTP/1.1\r\nHost: x\r\n" TRACEPARENT "\r\n", NULL);
    assert_contains(response, "\r\ntraceresponse: 00-" TRACE_ID "-");
    take_span(bench, trace_id, parent);
    assert_memory_equal(trace_id,
                        "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c", 16);
    assert_memory_equal(parent, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    assert_contains(expose(bench), "# {trace_id=\"" TRACE_ID "\"");
    /* A malformed one begins a new trace, and so does none. */
    for (int i = 0; i < 2; i++) {
        client_ask(bench,
                   i == 0 ? "GET /hello HTTP/1.1\r\nHost: x\r\ntraceparent: 00-xyz-01\r\n\r\n"
                          : "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
                   NULL);
        take_span(bench, trace_id, parent);
        assert_memory_equal(parent, "\0\0\0\0\0\0\0", 8);
        assert_memory_not_equal(trace_id, "\x0a\xf7\x65\x19", 4);
    }
    for (size_t i = 0; i < sizeof(trace_id); i++) {
        snprintf(text + 2 * i, 3, "%02x", trace_id[i]);
    }
    assert_contains(read_line(bench, 2), text);
}

/* Not sampled: no span, no exemplar, but counted, logged, and told on. */
static void test_unsampled(void **state)
{
    struct bench *bench = *state;
    const char *response = client_ask(bench,
                                      "GET /hello HTTP/1.1\r\nHost: x\r\ntraceparent: 00-" TRACE_ID
                                      "-b7ad6b7169203331-00\r\n\r\n",
                                      NULL);
    assert_contains(response, "\r\ntraceresponse: 00-" TRACE_ID "-");
    assert_string_equal(take_span(bench, NULL, NULL), "");
    assert_null(strstr(expose(bench), "# {"));
    assert_contains(find_sample(bench, "http_server_request_duration_seconds_count"), "} 1");
    assert_contains(read_line(bench, 0), TRACE_ID);
}

/* ---- connections --------------------------------------------------------------------------- */

/* Two requests in one segment on one connection: each has its own signals and its own size. */
static void test_pipelined(void **state)
{
    struct bench *bench = *state;
    static char text[TEXT_MAX];
    size_t length = 0;
    int fd = client_connect(bench->port);
    client_send(fd,
                "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    WORK_UNTIL(bench, !client_receive(fd, text, &length) && strstr(text, "this path\n") != NULL);
    close(fd);
    const char *second = strstr(text, "HTTP/1.1 404");
    char size[16];
    assert_contains(take_span(bench, NULL, NULL), "GET /hello ");
    assert_contains(take_span(bench, NULL, NULL), "url.path=/nothing ");
    snprintf(size, sizeof(size), "\t%zu\t", (size_t)(second - text));
    assert_contains(read_line(bench, 0), size);
    snprintf(size, sizeof(size), "\t%zu\t", length - (size_t)(second - text));
    assert_contains(read_line(bench, 1), size);
    assert_string_equal(
        find_sample(bench, "http_server_active_requests"),
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 0");
}

/* IPv4 on a socket of both families is shown as IPv4. */
static void test_mapped_address(void **state)
{
    struct bench *bench = *state;
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(bench->http, "::", 0);
    int only_v6 = 1;
    socklen_t size = sizeof(only_v6);
    if (bound == NULL ||
        getsockopt(evhttp_bound_socket_get_fd(bound), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &size) !=
            0 ||
        only_v6) {
        skip();
    }
    struct sockaddr_in6 address;
    socklen_t length = sizeof(address);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &length);
    bench->port = ntohs(address.sin6_port);
    client_ask(bench, "GET /hello HTTP/1.0\r\n\r\n", NULL);
    const char *span = take_span(bench, NULL, NULL);
    char server[64];
    snprintf(server, sizeof(server), "server.address=127.0.0.1 server.port=%u ", bench->port);
    assert_contains(span, server); /* nobody said Host */
    assert_contains(span, "client.address=127.0.0.1 ");
    assert_contains(read_line(bench, 0), "\t127.0.0.1\t");
}

/* ---- the server ---------------------------------------------------------------------------- */

static void test_paths_are_taken_once(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(tel_evhttp_set_cb(bench->server, "/hello", refuse, NULL), -EEXIST);
    assert_contains(client_ask(bench, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", NULL), " 200 OK");
}

static void test_shards(void **state)
{
    struct bench *bench = *state;
    errno = 0;
    assert_null(tel_evhttp_create(bench->http, bench->signals, 2)); /* that is the exporter's */
    assert_int_equal(errno, EINVAL);
    /* A second server shares the families and counts in its own shard. */
    struct evhttp *http = evhttp_new(bench->base);
    struct tel_evhttp *second = tel_evhttp_create(http, bench->signals, 1);
    assert_non_null(second);
    assert_int_equal(tel_evhttp_set_cb(second, "/hello", greet, NULL), 0);
    client_ask(bench, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    bench->port = bind_loopback(http, "127.0.0.1");
    client_ask(bench, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    assert_contains(find_sample(bench, "http_server_request_duration_seconds_count"), "} 2");
    evhttp_free(http);
    tel_evhttp_destroy(second);
    tel_evhttp_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),
        cmocka_unit_test(test_records),
        cmocka_unit_test_setup_teardown(test_trace_context, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_unsampled, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_pipelined, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_mapped_address, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_paths_are_taken_once, bench_setup, bench_teardown),
        cmocka_unit_test_setup_teardown(test_shards, bench_setup, bench_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
