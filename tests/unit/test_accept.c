/* What a client wants, by RFC 9110's q-values: the most specific range decides. */
#include "accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct http_slice slice(const char *text)
{
    return (struct http_slice){text, text != NULL ? strlen(text) : 0};
}

static void test_media_quality(void **state)
{
    static const struct {
        const char *accept;
        unsigned html;
        unsigned json;
    } cases[] = {
        {NULL, 1000, 1000},
        {"", 1000, 1000},
        {"*/*", 1000, 1000},
        {"text/html", 1000, 0},
        {"TEXT/Html", 1000, 0},
        {"text/*", 1000, 0},
        {"text/*;q=0.5, application/json", 500, 1000},
        {"text/html;q=0.2, */*;q=0.9", 200, 900},
        {"*/*;q=0.9, text/html;q=0.2", 200, 900}, /* order does not matter */
        {"text/*;q=0.3,text/html;q=0.7,*/*;q=0.1", 700, 100},
        {"text/html;level=1;q=0.4", 400, 0},
        {"text/html ; q=0.25 ,application/json", 250, 1000},
        {"text/html;q=0", 0, 0},
        {"text/html;q=0.001", 1, 0},
        {"text/html;q=1.000", 1000, 0},
        {"text/html;Q=0.5", 500, 0},
        {"text/html;q=2", 1000, 0},       /* not a quality: as if not said */
        {"text/html;q=1.5", 1000, 0},     /* nor is this; it is cut to 1 */
        {"text/html;q=0.12345", 1000, 0}, /* at most three digits */
        {"text/html;q=x", 1000, 0},
        {"text/html;q=0.x", 1000, 0},
        {"text/html;level=1", 1000, 0}, /* parameters, and none of them a quality */
        {"text/html;q=", 1000, 0},
        {",,,text/html,,", 1000, 0},
        {"html", 0, 0},
        {"/", 0, 0},
        {"*/html", 0, 0},
        {"text/", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_slice accept = slice(cases[i].accept);
        unsigned html = accept_media_quality(accept, "text", "html");
        unsigned json = accept_media_quality(accept, "application", "json");
        if (html != cases[i].html || json != cases[i].json) {
            fail_msg("'%s': html %u, json %u", cases[i].accept, html, json);
        }
    }
}

/* Several lines are one list, whatever stands between them. */
static void test_lines_of_a_request(void **state)
{
    static const struct {
        const char *lines[3];
        unsigned html;
        unsigned json;
    } cases[] = {
        {{NULL}, 1000, 1000},
        {{"text/html"}, 1000, 0},
        {{"application/json;q=0.5", "text/html"}, 1000, 500},
        {{"text/*;q=0.3", "*/*;q=0.1", "text/html;q=0"}, 0, 100},
        {{"", "text/html;q=0.2"}, 200, 0},
        {{"", ""}, 1000, 1000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_field fields[6];
        struct http_request *request = calloc(1, sizeof(*request));
        assert_non_null(request);
        request->fields = fields;
        for (size_t line = 0; line < 3 && cases[i].lines[line] != NULL; line++) {
            fields[2 * line] = (struct http_field){slice("X-Between"), slice("text/html;q=0.9")};
            fields[2 * line + 1] =
                (struct http_field){slice("ACCEPT"), slice(cases[i].lines[line])};
            request->field_count += 2;
            request->known_count[HTTP_KNOWN_ACCEPT]++;
            request->known[HTTP_KNOWN_ACCEPT] = &fields[1];
        }
        assert_int_equal(accept_request_quality(request, "text", "html"), cases[i].html);
        assert_int_equal(accept_request_quality(request, "application", "json"), cases[i].json);
        free(request);
    }
}

static void test_content_type(void **state)
{
    static const struct {
        const char *value;
        bool json;
    } cases[] = {
        {"application/json", true},
        {"Application/JSON", true},
        {"application/json; charset=utf-8", true},
        {"application/json;x=\"application/xml\"", true},
        {" application/json ;", true},
        {NULL, false},
        {"", false},
        {";", false},
        {"*/*", false}, /* a kind of content, no wish */
        {"application/*", false},
        {"application/jso", false},
        {"application/json5", false},
        {"application/json, text/plain", false},
        {"text/plain; a=application/json", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (accept_media_is(slice(cases[i].value), "application/json") != cases[i].json) {
            fail_msg("case %zu: %s", i, cases[i].value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_quality),
        cmocka_unit_test(test_lines_of_a_request),
        cmocka_unit_test(test_content_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
