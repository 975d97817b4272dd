/*
 * Response heads: which headers, for which status, method and version.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "http/internal.h"

static const char date[] = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

static struct http_exchange exchange; /* large */

static void prepare(uint16_t status)
{
    memset(&exchange, 0, offsetof(struct http_exchange, service));
    exchange.request.method = HTTP_METHOD_GET;
    exchange.request.minor_version = 1;
    exchange.response.status = status;
    exchange.response.body = (struct http_slice){"body", 4};
}

static void expect_head(const char *want)
{
    struct tel_buffer out;
    tel_buffer_init(&out, 65536);
    assert_int_equal(response_append_head(&out, &exchange, date), 0);
    tel_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, want);
    tel_buffer_fini(&out);
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void headers_in_their_order(void **state)
{
    (void)state;
    prepare(200);
    exchange.response.content_type = (struct http_slice){"text/plain", 10};
    http_response_add(&exchange.response, "X-A", "1", 1);
    http_response_add(&exchange.response, "X-B", "", 0);
    exchange.last = true;
    expect_head("HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 4\r\n"
                "X-A: 1\r\nX-B: \r\nConnection: close\r\n\r\n");
}

static void content_by_status(void **state)
{
    static const struct {
        const char *head;
        uint16_t status;
        bool body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n" DATE "Content-Length: 4\r\n\r\n", 200, true},
        {"HTTP/1.1 204 No Content\r\n" DATE "\r\n", 204, false},
        {"HTTP/1.1 205 Reset Content\r\n" DATE "Content-Length: 0\r\n\r\n", 205, false},
        {"HTTP/1.1 304 Not Modified\r\n" DATE "\r\n", 304, false},
        {"HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 4\r\n\r\n", 404, true},
        {"HTTP/1.1 299 \r\n" DATE "Content-Length: 4\r\n\r\n", 299, true},
        {"HTTP/1.1 699 \r\n" DATE "Content-Length: 4\r\n\r\n", 699, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        prepare(rows[i].status);
        expect_head(rows[i].head);
        assert_int_equal(response_has_body(&exchange), rows[i].body);
        exchange.request.method = HTTP_METHOD_HEAD;
        expect_head(rows[i].head); /* HEAD has the headers of GET */
        assert_false(response_has_body(&exchange));
    }
}

static void connection_by_version(void **state)
{
    (void)state;
    prepare(200);
    exchange.request.minor_version = 0;
    expect_head("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 4\r\nConnection: keep-alive\r\n\r\n");
    exchange.last = true;
    expect_head("HTTP/1.1 200 OK\r\n" DATE "Content-Length: 4\r\nConnection: close\r\n\r\n");
}

/* A value that holds a line end would be a header, or a response, of its sender's making. */
static void values_cannot_break_out(void **state)
{
    (void)state;
    prepare(200);
    http_response_add(&exchange.response, "X", "a\r\nSet-Cookie: b", 16);
    http_response_add(&exchange.response, "X", "a\nb", 3);
    http_response_add(&exchange.response, "X", "a\rb", 3);
    http_response_add(&exchange.response, "X", "a\0b", 3);
    assert_int_equal(exchange.response.field_count, 0);
    http_response_add(&exchange.response, "X", "a\tb\xff", 4);
    assert_int_equal(exchange.response.field_count, 1);
}

static void every_error_has_a_status_with_a_reason(void **state)
{
    (void)state;
    assert_null(http_error_name(HTTP_OK));
    assert_null(http_error_name(HTTP_ERRORS));
    assert_null(http_error_detail(HTTP_OK));
    assert_false(http_error_is_refusal(HTTP_OK));
    for (int error = HTTP_OK + 1; error < HTTP_ERRORS; error++) {
        const uint16_t status = error_status((enum http_error)error);
        assert_non_null(http_error_name((enum http_error)error));
        assert_true(strlen(http_error_detail((enum http_error)error)) < 100);
        assert_int_equal(http_error_is_refusal((enum http_error)error), status != 0);
        if (status != 0) {
            assert_true(http_reason(status).length > 0);
        }
    }
    assert_int_equal(http_reason(404).length, 9);
    assert_memory_equal(http_reason(404).data, "Not Found", 9);
    assert_int_equal(http_reason(299).length, 0);
    assert_int_equal(http_reason(0).length, 0);
    assert_int_equal(http_reason(UINT16_MAX).length, 0);
}

/* More than the buffer may hold is an error, not half a head. */
static void too_large_a_head_is_refused_whole(void **state)
{
    static char value[2000];
    struct tel_buffer out;
    (void)state;
    memset(value, 'v', sizeof value);
    prepare(200);
    http_response_add(&exchange.response, "X", value, sizeof value);
    tel_buffer_init(&out, 1000);
    assert_int_not_equal(response_append_head(&out, &exchange, date), 0);
    assert_int_equal(out.length, 0);
    tel_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_in_their_order),
        cmocka_unit_test(content_by_status),
        cmocka_unit_test(connection_by_version),
        cmocka_unit_test(values_cannot_break_out),
        cmocka_unit_test(every_error_has_a_status_with_a_reason),
        cmocka_unit_test(too_large_a_head_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
