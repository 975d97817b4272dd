/*
 * Lines: one request, every field, in both conventions; and what happens to bytes that the format
 * does not allow. Records in, bytes out.
 */
#include "support.h"

#include "access_log/line.h"
#include "access_log/pack.h"

/* The line of a record, without its newline, in static memory. */
static const char *line_of(const char *list, bool iis, const struct tel_access_record *record)
{
    static char line[256 * 1024];
    struct tel__fields fields;
    char message[2048];
    assert_int_equal(tel__fields_compile(&fields, list, iis, message, sizeof(message)), 0);
    char *packed = malloc(fields.record_max + 1);
    assert_non_null(packed);
    tel__pack(&fields, record, packed);

    struct tel_buffer out;
    struct tel__dates dates = {.second = 0};
    tel_buffer_init(&out, fields.line_max);
    tel__line_append(&out, &fields, &dates, packed);
    assert_int_equal(out.error, 0);
    assert_true(out.length > 0 && out.length < sizeof(line));
    assert_int_equal(out.data[out.length - 1], '\n');
    memcpy(line, out.data, out.length - 1);
    line[out.length - 1] = '\0';
    tel_buffer_fini(&out);
    free(packed);
    return line;
}

static void test_default_line(void **state)
{
    (void)state;
    struct tel_access_record record = example_record();
    assert_string_equal(
        line_of(tel_access_fields_default, false, &record),
        "2026-11-21\t10:20:30.456789\t0.001234\t192.0.2.7\t50123\t2001:db8::1\t8080\tGET\t"
        "/demo/hello\tdelay=5\tHTTP/1.1\tlocalhost:8080\t200\t120\t345\t\"curl/8.1\"\t"
        "\"https://example.org/\"\t0af7651916cd43dd8448eb211c80319c\tb7ad6b7169203331\t"
        "/demo/hello\t-\t-");
}

static void test_iis_line(void **state)
{
    (void)state;
    struct tel_access_record record = example_record();
    record.request_headers[0] = text("Mozilla/5.0 (X11)");
    assert_string_equal(line_of(tel_access_fields_iis, true, &record),
                        "2026-11-21 10:20:30 2001:db8::1 GET /demo/hello delay=5 8080 - 192.0.2.7 "
                        "Mozilla/5.0+(X11) https://example.org/ 200 0 0 1");
}

/* A request of which nothing is known: the parser gave up, the client is gone. */
static void test_nothing_known(void **state)
{
    (void)state;
    struct tel_access_record record = {.end_wall_ns = 0};
    assert_string_equal(line_of(tel_access_fields_default, false, &record),
                        "1970-01-01\t00:00:00.000000\t0.000000\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t0\t0"
                        "\t-\t-\t-\t-\t-\t-\t-");
    assert_string_equal(line_of(tel_access_fields_iis, true, &record),
                        "1970-01-01 00:00:00 - - - - - - - - - - 0 0 0");
}

/* One field at a time. */
static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        uint64_t duration_ns, received, sent, end_wall_ns;
        uint16_t status;
        const char *expected;
        const char *iis;
    } cases[] = {
        {.field = "time-taken", .expected = "0.000000", .iis = "0"},
        {.field = "time-taken", .duration_ns = 999, .expected = "0.000000", .iis = "0"},
        {.field = "time-taken", .duration_ns = 999999999, .expected = "0.999999", .iis = "999"},
        {.field = "time-taken",
         .duration_ns = 61000000000,
         .expected = "61.000000",
         .iis = "61000"},
        {.field = "time-taken",
         .duration_ns = UINT64_MAX,
         .expected = "18446744073.709551",
         .iis = "18446744073709"},
        {.field = "time", .end_wall_ns = 1000, .expected = "00:00:00.000001", .iis = "00:00:00"},
        {.field = "time",
         .end_wall_ns = 86399999999999,
         .expected = "23:59:59.999999",
         .iis = "23:59:59"},
        {.field = "date", .end_wall_ns = UINT64_MAX, .expected = "2554-07-21", .iis = "2554-07-21"},
        {.field = "sc-status", .status = 404, .expected = "404", .iis = "404"},
        {.field = "sc-status", .status = UINT16_MAX, .expected = "65535", .iis = "65535"},
        {.field = "cs-bytes", .received = 7, .expected = "7", .iis = "7"},
        {.field = "sc-bytes", .sent = 8, .expected = "8", .iis = "8"},
        {.field = "bytes", .received = 7, .sent = 8, .expected = "15", .iis = "15"},
        {.field = "cached", .expected = "0", .iis = "0"},
        {.field = "cs-username", .expected = "-", .iis = "-"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_access_record record = {
            .end_wall_ns = cases[i].end_wall_ns,
            .duration_ns = cases[i].duration_ns,
            .status = cases[i].status,
            .bytes_received = cases[i].received,
            .bytes_sent = cases[i].sent,
        };
        assert_string_equal(line_of(cases[i].field, false, &record), cases[i].expected);
        assert_string_equal(line_of(cases[i].field, true, &record), cases[i].iis);
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *expected;
    } cases[] = {
        {"::1", "::1 443"},
        {"::", ":: 443"},
        {"::ffff:192.0.2.1", "192.0.2.1 443"}, /* IPv4 on a socket of both families */
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6 443"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
        assert_int_equal(inet_pton(AF_INET6, cases[i].address, &address.sin6_addr), 1);
        struct tel_access_record record = {.client = (const struct sockaddr *)&address};
        assert_string_equal(line_of("c-ip c-port", true, &record), cases[i].expected);
    }
}

/* Bare values: no whitespace, no control, nothing but ASCII, nothing that means something else. */
static void test_bare_text(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *expected;
        const char *iis;
    } cases[] = {
        {NULL, "-", "-"},
        {"", "-", "-"},
        {"-", "%2D", "%2D"},
        {"--", "--", "--"},
        {"/a/%20b", "/a/%20b", "/a/%20b"},
        {"/a b", "/a%20b", "/a+b"},
        {"/a+b", "/a+b", "/a+b"},
        {"a\tb\nc\rd", "a%09b%0Ac%0Dd", "a%09b%0Ac%0Dd"},
        {"\x01\x1f\x7f", "%01%1F%7F", "%01%1F%7F"},
        {"/\xc3\xbc", "/%C3%BC", "/%C3%BC"},
        {"\xff\xfe", "%FF%FE", "%FF%FE"},
        {"\"quoted\"", "%22quoted%22", "%22quoted%22"},
        {"#Fields: x", "%23Fields:%20x", "%23Fields:+x"},
        {"back\\", "back%5C", "back%5C"},
        {"!$&'()*,;<=>?@[]^`{|}~", "!$&'()*,;<=>?@[]^`{|}~", "!$&'()*,;<=>?@[]^`{|}~"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_access_record record = {.uri_stem = text(cases[i].value)};
        assert_string_equal(line_of("cs-uri-stem", false, &record), cases[i].expected);
        assert_string_equal(line_of("cs-uri-stem", true, &record), cases[i].iis);
    }
}

/* A header is always a string, except where IIS has none. */
static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *expected;
        const char *iis;
    } cases[] = {
        {NULL, "-", "-"},
        {"", "\"\"", "-"},
        {"-", "\"-\"", "%2D"},
        {"a b", "\"a b\"", "a+b"},
        {"say \"hi\"", "\"say \"\"hi\"\"\"", "say+%22hi%22"},
        {"\"", "\"\"\"\"", "%22"},
        {"a\tb\x7f", "\"a%09b%7F\"", "a%09b%7F"},
        {"\xc3\xbc#\\%", "\"%C3%BC#\\%\"", "%C3%BC%23%5C%"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_access_record record = {
            .request_headers = {text(cases[i].value)},
            .response_headers = {text(cases[i].value)},
        };
        assert_string_equal(line_of("cs(A)", false, &record), cases[i].expected);
        assert_string_equal(line_of("sc(A)", false, &record), cases[i].expected);
        assert_string_equal(line_of("cs(A)", true, &record), cases[i].iis);
    }
}

/* A byte of value zero within a text is a control like others. */
static void test_nul_bytes(void **state)
{
    (void)state;
    struct tel_access_record record = {.uri_stem = {"a\0b", 3}, .request_headers = {{"\0", 1}}};
    assert_string_equal(line_of("cs-uri-stem cs(A)", false, &record), "a%00b\t\"%00\"");
}

static void test_uri(void **state)
{
    (void)state;
    static const struct {
        const char *stem, *query, *expected;
    } cases[] = {
        {"/a", NULL, "/a"},      {"/a", "", "/a"},
        {"/a", "b=c", "/a?b=c"}, {"/a", "b c\x01", "/a?b%20c%01"},
        {NULL, NULL, "-"},       {"/", "-", "/?-"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_access_record record = {
            .uri_stem = text(cases[i].stem),
            .uri_query = text(cases[i].query),
        };
        assert_string_equal(line_of("cs-uri", false, &record), cases[i].expected);
    }
}

static void test_computer_name(void **state)
{
    (void)state;
    char name[TEL__COMPUTER_MAX + 1] = "";
    gethostname(name, TEL__COMPUTER_MAX);
    struct tel_access_record record = example_record();
    assert_string_equal(line_of("s-computername", false, &record), name);
}

/* The cached second is renewed, also backwards. */
static void test_dates_follow(void **state)
{
    (void)state;
    static const struct {
        uint64_t second;
        const char *date, *time;
    } cases[] = {
        {0, "1970-01-01", "00:00:00"},          {0, "1970-01-01", "00:00:00"},
        {951782399, "2000-02-28", "23:59:59"},  {951782400, "2000-02-29", "00:00:00"},
        {1795256430, "2026-11-21", "10:20:30"}, {1, "1970-01-01", "00:00:01"},
    };
    struct tel__dates dates = {.second = 0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tel__dates_set(&dates, cases[i].second * 1000000000ull + 999999999);
        assert_string_equal(dates.date, cases[i].date);
        assert_string_equal(dates.time, cases[i].time);
    }
}

/* The longest line there can be fits into what was announced as the most. */
static void test_longest_line(void **state)
{
    (void)state;
    static char worst[TEL_ACCESS_VALUE_MAX];
    memset(worst, 0xff, sizeof(worst));
    struct tel_text text = {worst, sizeof(worst)};
    struct tel_access_record record = example_record();
    record.method = record.uri_stem = record.uri_query = record.version = record.host = text;
    record.route = record.error = record.fault = text;
    for (size_t i = 0; i < TEL_ACCESS_HEADERS_MAX; i++) {
        record.request_headers[i] = record.response_headers[i] = text;
    }
    record.end_wall_ns = record.duration_ns = record.bytes_sent = UINT64_MAX;
    /* line_of() gives the buffer no more than line_max, so an overrun would be an error there. */
    assert_true(strlen(line_of("date time time-taken cs-uri cs-host sc(A) sc(B) cs(A) sc-bytes "
                               "cs-method cs-version x-route x-error x-fault",
                               false, &record)) > 11 * 3 * TEL_ACCESS_VALUE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_line),  cmocka_unit_test(test_iis_line),
        cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_bare_text),
        cmocka_unit_test(test_headers),       cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_uri),           cmocka_unit_test(test_computer_name),
        cmocka_unit_test(test_dates_follow),  cmocka_unit_test(test_longest_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
