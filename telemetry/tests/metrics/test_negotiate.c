/*
 * Accept headers: those that real scrapers send, and those that nobody should.
 */
#include "expose.h"

#define TEXT TEL_EXPOSITION_TEXT
#define OM   TEL_EXPOSITION_OPENMETRICS
#define PB   TEL_EXPOSITION_PROTOBUF

#define PB_RANGE \
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

struct accept_case {
    const char *accept;
    enum tel_exposition_format format;
};

static void assert_all(const struct accept_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *accept = cases[i].accept;
        size_t length = accept != NULL ? strlen(accept) : 0;
        /* An exact copy, without a NUL, so that a read beyond the end is seen. */
        struct tel_buffer copy;
        tel_buffer_init(&copy, length);
        tel_buffer_append(&copy, accept, length);
        char *exact = tel_buffer_take(&copy, NULL);
        enum tel_exposition_format format = tel_exposition_negotiate(exact, length);
        if (format != cases[i].format) {
            fail_msg("Accept: %s gave format %d", accept != NULL ? accept : "(none)", (int)format);
        }
        free(exact);
    }
}

static void test_what_scrapers_send(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        /* Prometheus 2.42, and with native histograms */
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
         "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         OM},
        {PB_RANGE ",application/openmetrics-text;version=1.0.0;q=0.8,"
                  "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;"
                  "q=0.5,*/*;q=0.1",
         PB},
        /* Prometheus 3, and with native histograms */
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
         "application/openmetrics-text;version=0.0.1;q=0.5,"
         "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
         "*/*;q=0.2",
         OM},
        {PB_RANGE ";escaping=allow-utf-8;q=0.7,application/openmetrics-text;version=1.0.0;"
                  "escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         PB},
        /* curl, a browser, nobody */
        {"*/*", TEXT},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT},
        {"", TEXT},
        {NULL, TEXT},
    };
    assert_all(cases, COUNT(cases));
}

static void test_a_format_must_be_named_in_full(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"application/openmetrics-text", OM},
        {"Application/OpenMetrics-Text; Version=\"1.0.0\"", OM},
        {"application/openmetrics-text;version=0.0.1", OM},
        {"application/openmetrics-text;version=2.0.0", TEXT},
        {"application/*", TEXT},
        {"application/openmetrics", TEXT},
        {"application/openmetrics-text-not", TEXT},
        {PB_RANGE, PB},
        {"application/vnd.google.protobuf", TEXT},
        {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", TEXT},
        {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
         TEXT},
        {"application/vnd.google.protobuf;proto=other.Message;encoding=delimited", TEXT},
    };
    assert_all(cases, COUNT(cases));
}

static void test_quality_decides(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"text/plain;q=0.5, application/openmetrics-text;q=0.6", OM},
        {"text/plain;q=0.6, application/openmetrics-text;q=0.5", TEXT},
        {"text/plain;q=0.501, application/openmetrics-text;q=0.502", OM},
        {"text/plain;q=0, application/openmetrics-text;q=0.001", OM},
        {"application/openmetrics-text;q=0", TEXT},
        {"application/openmetrics-text;q=0, " PB_RANGE ";q=0.0", TEXT},
        /* A tie goes to the first named. */
        {"application/openmetrics-text, " PB_RANGE, OM},
        {PB_RANGE ", application/openmetrics-text", PB},
        {"text/plain, application/openmetrics-text", TEXT},
        {"application/openmetrics-text, text/plain", OM},
        {"application/openmetrics-text;q=0.5, */*;q=0.5", OM},
        {"*/*, application/openmetrics-text", TEXT},
        /* The most specific range that matches text has its word, not the best. */
        {"*/*;q=1, text/plain;q=0.1, application/openmetrics-text;q=0.5", OM},
        {"text/*;q=0.9, text/plain;q=0.1, application/openmetrics-text;q=0.5", OM},
        {"text/plain;q=0.9, */*;q=0.1, application/openmetrics-text;q=0.5", TEXT},
        /* The best of several of the same. */
        {"text/plain;q=0.2, application/openmetrics-text;version=1.0.0;q=0.1,"
         "application/openmetrics-text;version=0.0.1;q=0.3",
         OM},
    };
    assert_all(cases, COUNT(cases));
}

static void test_spaces_and_quotes(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"  application/openmetrics-text  ;  version=1.0.0 ; q=0.9 , text/plain;q=0.1", OM},
        {"\tapplication/openmetrics-text\t;\tversion=1.0.0\t", OM},
        {", ,application/openmetrics-text,,", OM},
        {"application/openmetrics-text;", OM},
        {"application/openmetrics-text;;version=1.0.0", OM},
        {"text/plain;x=\"a,application/openmetrics-text\"", TEXT},
        {"text/plain;x=\"\\\",\";q=0.1, application/openmetrics-text", OM},
        {"text/html;x=\", \", application/openmetrics-text", OM},
    };
    assert_all(cases, COUNT(cases));
}

/* What cannot be parsed is passed over; the rest counts. */
static void test_malformed_ranges_are_passed_over(void **state)
{
    (void)state;
    static const struct accept_case cases[] = {
        {"application/openmetrics-text;q=2", TEXT},
        {"application/openmetrics-text;q=1.001", TEXT},
        {"application/openmetrics-text;q=0.1234", TEXT},
        {"application/openmetrics-text;q=-1", TEXT},
        {"application/openmetrics-text;q=.5", TEXT},
        {"application/openmetrics-text;q=0,5", TEXT}, /* a range `5` follows */
        {"application/openmetrics-text;q=", TEXT},
        {"application/openmetrics-text;q", TEXT},
        {"application/openmetrics-text;q = 1", TEXT},
        {"application/openmetrics-text version=1.0.0", TEXT},
        {"application /openmetrics-text", TEXT},
        {"application/", TEXT},
        {"/openmetrics-text", TEXT},
        {"garbage", TEXT},
        {"application/openmetrics-text;x=\"open", TEXT},
        {"application/openmetrics-text;x=\"\\", TEXT},
        {"garbage;;\"x,y\", application/openmetrics-text", OM},
        {"text/plain;q=x, application/openmetrics-text;q=0.1", OM},
        {"application/openmetrics-text;q=1.000", OM},
        {"application/openmetrics-text;q=1.", OM},
        {"application/openmetrics-text;q=0.", TEXT},
    };
    assert_all(cases, COUNT(cases));
}

static void test_bytes_that_are_no_text(void **state)
{
    (void)state;
    static const char with_nul[] = "application/openmetrics-text\0;q=1";
    assert_int_equal(tel_exposition_negotiate(with_nul, sizeof(with_nul) - 1), TEXT);
    static const char high[] = "\xFF\xFE/\x80, application/openmetrics-text";
    assert_int_equal(tel_exposition_negotiate(high, sizeof(high) - 1), OM);
}

static void test_content_types(void **state)
{
    (void)state;
    assert_string_equal(tel_exposition_content_type(TEXT),
                        "text/plain; version=0.0.4; charset=utf-8");
    assert_string_equal(tel_exposition_content_type(OM),
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_string_equal(tel_exposition_content_type(PB),
                        "application/vnd.google.protobuf; "
                        "proto=io.prometheus.client.MetricFamily; encoding=delimited");
    /* Who asks for exactly what a format is called gets it. */
    for (int format = TEXT; format <= PB; format++) {
        const char *type = tel_exposition_content_type((enum tel_exposition_format)format);
        assert_int_equal(tel_exposition_negotiate(type, strlen(type)), format);
    }
}

static void test_gzip(void **state)
{
    static const struct {
        const char *header;
        bool gzip;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZIP", true},
        {"gzip, deflate, br", true},
        {"deflate, gzip;q=1.0", true},
        {"gzip;q=0", false},
        {"gzip;q=0.000", false},
        {"*", true},
        {"*;q=0", false},
        {"gzip;q=0, *", false}, /* the name wins over the wildcard */
        {"*;q=0, gzip", true},
        {"identity", false},
        {"xgzip", false},
        {"gzip2", false},
        {"br;q=1.0, gzip ; q=0.5", true},
        {"identity;q=\"x,gzip\"", false}, /* within quotes */
        {"gzip;q=2, br", false},          /* malformed: passed over */
        {"gzip/x", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *header = cases[i].header;
        size_t length = header != NULL ? strlen(header) : 0;
        if (tel_exposition_accepts_gzip(header, length) != cases[i].gzip) {
            fail_msg("'%s' should %sallow gzip", cases[i].header, cases[i].gzip ? "" : "not ");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_scrapers_send),
        cmocka_unit_test(test_a_format_must_be_named_in_full),
        cmocka_unit_test(test_quality_decides),
        cmocka_unit_test(test_spaces_and_quotes),
        cmocka_unit_test(test_malformed_ranges_are_passed_over),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_content_types),
        cmocka_unit_test(test_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
