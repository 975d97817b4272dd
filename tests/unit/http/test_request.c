/*
 * Names, and what a handler sees of a request.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "http/internal.h"

static struct http_slice slice(const char *text)
{
    return (struct http_slice){text, strlen(text)};
}

static void methods(void **state)
{
    (void)state;
    for (int method = HTTP_METHOD_GET; method < HTTP_METHODS; method++) {
        const char *name = http_method_name((enum http_method)method);
        assert_string_not_equal(name, "_OTHER");
        assert_int_equal(request_method(slice(name)), method);
    }
    assert_string_equal(http_method_name(HTTP_METHOD_NONE), "_OTHER");
    assert_string_equal(http_method_name(HTTP_METHOD_OTHER), "_OTHER");
    assert_int_equal(request_method(slice("get")), HTTP_METHOD_OTHER);
    assert_int_equal(request_method(slice("GETS")), HTTP_METHOD_OTHER);
    assert_int_equal(request_method(slice("GE")), HTTP_METHOD_OTHER);
}

static void known_headers_are_found_whatever_their_case(void **state)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"Host", HTTP_KNOWN_HOST},
        {"Accept", HTTP_KNOWN_ACCEPT},
        {"Accept-Encoding", HTTP_KNOWN_ACCEPT_ENCODING},
        {"User-Agent", HTTP_KNOWN_USER_AGENT},
        {"Traceparent", HTTP_KNOWN_TRACEPARENT},
        {"Tracestate", HTTP_KNOWN_TRACESTATE},
        {"Baggage", HTTP_KNOWN_BAGGAGE},
        {"Authorization", HTTP_KNOWN_AUTHORIZATION},
        {"Content-Type", HTTP_KNOWN_CONTENT_TYPE},
        {"Expect", HTTP_KNOWN_EXPECT},
        {"Referer", HTTP_KNOWN_REFERER},
        {"Connection", HEADER_CONNECTION},
        {"Transfer-Encoding", HEADER_TRANSFER_ENCODING},
        {"Upgrade", HEADER_UNKNOWN},
        {"Hos", HEADER_UNKNOWN},
        {"Hosts", HEADER_UNKNOWN},
        {"X-Something-Quite-Long-Indeed", HEADER_UNKNOWN},
        {"", HEADER_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[64];
        const size_t length = strlen(rows[i].name);
        for (int upper = 0; upper < 2; upper++) {
            memset(name, ':', sizeof name); /* what follows a name must not matter */
            for (size_t j = 0; j < length; j++) {
                name[j] = (char)(upper ? toupper(rows[i].name[j]) : tolower(rows[i].name[j]));
            }
            assert_int_equal(request_header_number((struct http_slice){name, length}),
                             rows[i].number);
        }
        /* One letter off is another header. */
        for (size_t j = 0; j < length && rows[i].number != HEADER_UNKNOWN; j++) {
            memcpy(name, rows[i].name, length);
            name[j] = name[j] == '-' ? '_' : (char)(name[j] ^ 1);
            assert_int_equal(request_header_number((struct http_slice){name, length}),
                             HEADER_UNKNOWN);
        }
    }
}

static void lists(void **state)
{
    struct http_slice list = slice(" a ,,\tb c , ,d");
    struct http_slice element;
    (void)state;
    assert_true(request_list_next(&list, &element));
    assert_true(slice_is(element, "A"));
    assert_true(request_list_next(&list, &element));
    assert_true(slice_is(element, "b c"));
    assert_true(request_list_next(&list, &element));
    assert_true(slice_is(element, "d"));
    assert_false(request_list_next(&list, &element));
    list = slice(" , ");
    assert_false(request_list_next(&list, &element));
}

/* ---- what a handler sees --------------------------------------------------------------------- */

static char seen[2048];

static void append(const char *what, struct http_slice value)
{
    const size_t at = strlen(seen);
    snprintf(seen + at, sizeof seen - at, "%s=%.*s%s|", what, (int)value.length,
             value.data != NULL ? value.data : "", value.data != NULL ? "" : "(absent)");
}

static void look(struct http_exchange *exchange, void *argument)
{
    const struct http_request *request = &exchange->request;
    (void)argument;
    seen[0] = '\0';
    append("method", request->method_text);
    append("target", request->target);
    append("path", request->path);
    append("query", request->query);
    append("authority", request->authority);
    append("x-b", http_request_header(request, "x-b"));
    append("x-c", http_request_header(request, "x-c"));
    for (size_t i = 0; i < request->field_count; i++) {
        append("name", request->fields[i].name);
        append("value", request->fields[i].value);
    }
    if (request->known[HTTP_KNOWN_ACCEPT] != NULL) {
        append("accept", request->known[HTTP_KNOWN_ACCEPT]->value);
    }
    assert_int_equal(request->known_count[HTTP_KNOWN_ACCEPT], 2);
    assert_null(request->known[HTTP_KNOWN_REFERER]);
    assert_int_equal(request->minor_version, 1);
    exchange->response.status = 204;
    http_exchange_respond(exchange);
}

static void requests_are_whole_whatever_the_pieces(void **state)
{
    static const char input[] = "\r\nPOST http://there:81/p/q?r=s HTTP/1.1\r\nHost: here\r\n"
                                "accept:one\r\nX-B:  two words \t\r\nACCEPT: three\r\nX-E:\r\n"
                                "Content-Length: 3\r\n\r\nabc";
    static const char want[] =
        "method=POST|target=http://there:81/p/q?r=s|path=/p/q|query=r=s|authority=there:81|"
        "x-b=two words|x-c=(absent)|name=Host|value=here|name=accept|value=one|name=X-B|"
        "value=two words|name=ACCEPT|value=three|name=X-E|value=|name=Content-Length|value=3|"
        "accept=one|";
    (void)state;
    for (size_t piece = 0; piece < 20; piece++) {
        struct harness harness;
        harness_init(&harness);
        harness.service.handle = look;
        harness_send(&harness, input, sizeof input - 1, piece);
        assert_string_equal(seen, want);
        assert_int_equal(harness.last.request.head_bytes, sizeof input - 1 - 3);
        assert_int_equal(harness.last.request.body_bytes, 3);
        harness_fini(&harness);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),
        cmocka_unit_test(known_headers_are_found_whatever_their_case),
        cmocka_unit_test(lists),
        cmocka_unit_test(requests_are_whole_whatever_the_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
