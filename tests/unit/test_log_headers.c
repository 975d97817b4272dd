/* The log's header fields are found, whether the engine indexes them or not, in the log's order. */
#include "log_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/http.h"

#define SLICE(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static void assert_text(struct tel_text text, const char *expected)
{
    if (expected == NULL) {
        assert_null(text.data);
        return;
    }
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.data, expected, text.length);
}

static void test_fills_in_order(void **state)
{
    struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
        .path = "/dev/null",
        .fields = "cs(X-Custom) cs(User-Agent) sc(Content-Type) cs(Cookie) sc(Allow) sc(X-None) "
                  "sc(Content-Length) sc(Connection)",
        .software = "test",
        .shard_count = 1});
    struct http_field fields[] = {{SLICE("USER-AGENT"), SLICE("curl/8")},
                                  {SLICE("x-cusTOM"), SLICE("first")},
                                  {SLICE("x-custom"), SLICE("second")}};
    struct http_exchange *http = calloc(1, sizeof(*http));
    struct tel_access_record record;
    (void)state;
    assert_non_null(log);
    assert_non_null(http);
    struct log_headers *headers = log_headers_create(log);
    assert_non_null(headers);
    http->request.fields = fields;
    http->request.field_count = 3;
    http->request.known[HTTP_KNOWN_USER_AGENT] = &fields[0];
    http->response.content_type = (struct http_slice)SLICE("text/plain");
    http_response_add(&http->response, "Allow", "GET", 3);

    char number[LOG_HEADERS_NUMBER_BYTES];
    log_headers_fill(headers, http, number, &record); /* nothing was sent yet */
    assert_text(record.response_headers[0], NULL);
    assert_text(record.response_headers[3], NULL);

    http->bytes_sent = 1;
    http->last = true;
    http->response.body.length = 1234;
    log_headers_fill(headers, http, number, &record);
    assert_text(record.request_headers[0], "first");
    assert_text(record.request_headers[1], "curl/8");
    assert_text(record.request_headers[2], NULL);
    assert_text(record.response_headers[0], "text/plain");
    assert_text(record.response_headers[1], "GET");
    assert_text(record.response_headers[2], NULL);
    assert_text(record.response_headers[3], "1234");
    assert_text(record.response_headers[4], "close");

    log_headers_destroy(headers);
    tel_access_log_shutdown(log, 1000);
    tel_access_log_destroy(log);
    free(http);
}

/* Whatever the letters' case, by direction, and what is missing stays so; the rest is as it was. */
static void test_secrets_are_redacted(void **state)
{
    struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
        .path = "/dev/null",
        .fields = "cs(Authorization) cs(PROXY-Authorization) cs(cookie) cs(Set-Cookie) cs(Referer) "
                  "sc(SET-cookie) sc(Authorization) sc(Cookie)",
        .shard_count = 1});
    static const char *const requests[] = {"REDACTED", NULL, "REDACTED", "value", "value"};
    static const char *const responses[] = {"REDACTED", "value", "value"};
    struct tel_access_record record = {.status = 200};
    (void)state;
    assert_non_null(log);
    struct log_headers *headers = log_headers_create(log);
    assert_non_null(headers);
    for (size_t i = 0; i < 5; i++) {
        record.request_headers[i] = record.response_headers[i] = (struct tel_text){"value", 5};
    }
    record.request_headers[1].data = NULL;
    log_headers_redact(headers, &record);
    for (size_t i = 0; i < 5; i++) {
        assert_text(record.request_headers[i], requests[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_text(record.response_headers[i], responses[i]);
    }
    log_headers_destroy(headers);
    tel_access_log_shutdown(log, 1000);
    tel_access_log_destroy(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fills_in_order),
                                       cmocka_unit_test(test_secrets_are_redacted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
