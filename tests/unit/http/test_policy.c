/*
 * The table of inputs and answers: a row an input, each sent whole, byte by byte, and in pieces of
 * seven; the answer, the calls of the service, and whether the connection stays must be the same.
 */
#include <stdio.h>
#include <string.h>

#include "harness.h"

#define H       "Host: a\r\n"
#define END     "\r\n"
#define R(line) line " HTTP/1.1\r\n" H END /* a plain request */

struct row {
    const char *input;
    const char *log;     /* of the service's calls */
    const char *status;  /* of a refusal; NULL: `answer` is the whole answer */
    const char *answer;  /* or the refusal's detail */
    const char *headers; /* of the refusal */
};

#define MALFORMED  "400 Bad Request", "the request is malformed", ""
#define BAD_HOST   "400 Bad Request", "exactly one valid Host header is required", ""
#define BAD_TARGET "400 Bad Request", "the request target has a form that is not allowed here", ""
#define BAD_FRAME  "400 Bad Request", "the length of the body is ambiguous or malformed", ""
#define VERSION    "505 HTTP Version Not Supported", "only HTTP/1.0 and HTTP/1.1 are served here", ""
#define METHOD     "501 Not Implemented", "the method is not known here", ""
#define CODING     "501 Not Implemented", "only the transfer coding chunked is known here", ""
#define CONNECTS \
    "405 Method Not Allowed", "CONNECT is not served here", "Allow: GET, HEAD, OPTIONS\r\n"
#define EXPECTS "417 Expectation Failed", "only 100-continue can be expected", ""
#define SERVED  NULL, HELLO, ""
#define GET_OK  "open handle GET / 200 ok\n"

/* clang-format off */
static const struct row rows[] = {
    /* Host, RFC 9112 3.2 */
    {R("GET /"), GET_OK, SERVED},
    {"GET / HTTP/1.1\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\n" H "host: b\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "open POST / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", GET_OK, SERVED},
    {"GET / HTTP/1.1\r\nHost: \r\n\r\n", GET_OK, SERVED},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", GET_OK, SERVED},
    {"GET / HTTP/1.1\r\nHost: a \t \r\n\r\n", GET_OK, SERVED},
    {"GET / HTTP/1.0\r\n\r\n", GET_OK, NULL, HELLO_CLOSE, ""},
    {"GET / HTTP/1.0\r\n" H H "\r\n", "open GET / 400 bad_host\n", BAD_HOST},
    {"GET http://b/ HTTP/1.1\r\n\r\n", "open GET http://b/ 400 bad_host\n", BAD_HOST},

    /* Lines and fields, 2.2, 5 */
    {"GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X:\r\n b\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X:\r\n \r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n 0\r\n\r\n", "open GET / 400 bad_framing\n", BAD_FRAME},
    {"GET / HTTP/1.1\r\n " H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H ": v\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n: v\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X@: b\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X: a\x01" "b\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X: caf\xc3\xa9\r\n\r\n", GET_OK, SERVED},
    {"GET / HTTP/1.1\n" H "\r\n", "open GET  400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\n" H "\rX", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\rHost: a\r\r", "open GET  400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1\r\r", "open GET  400 bad_request\n", MALFORMED},
    {"BREW / HTTP/1.1\rHost: a\r\r", "open _OTHER  400 bad_request\n", MALFORMED},
    {"BREW /\rX HTTP/1.1\r\n" H "\r\n", "open _OTHER  400 bad_request\n", MALFORMED},
    {"GET / HTTP/2.0\rX\r\n" H "\r\n", "open GET  400 bad_request\n", MALFORMED},
    {"\r\n\r\n" R("GET /"), GET_OK, SERVED},
    {"\nGET / HTTP/1.1\r\n" H "\r\n", "open _OTHER  400 bad_request\n", MALFORMED},
    {"\r\rGET / HTTP/1.1\r\n" H "\r\n", "open _OTHER  400 bad_request\n", MALFORMED},
    {"\rGET / HTTP/1.1\r\n" H "\r\n", "open _OTHER  400 bad_request\n", MALFORMED},
    {" GET / HTTP/1.1\r\n" H "\r\n", "open _OTHER  400 bad_request\n", MALFORMED},

    /* Framing, 6.1, 6.3 */
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "open POST / 501 unknown_coding\n", CODING},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", "open POST / 501 unknown_coding\n", CODING},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunkedx\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;q=1\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: +4\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: -4\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0x4\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 4 4\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n\r\n", "open POST / 400 bad_framing\n", BAD_FRAME},
    {"POST / HTTP/1.1\r\n" H "Content-Length : 4\r\n\r\n", "open POST / 400 bad_request\n", MALFORMED},
    {"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "open handle POST / 200 ok\n", SERVED},

    /* Versions and protocols, 2.3 */
    {"GET / HTTP/2.0\r\n" H "\r\n", "open GET / 505 bad_version\n", VERSION},
    {"GET / HTTP/1.2\r\n" H "\r\n", "open GET / 505 bad_version\n", VERSION},
    {"GET / HTTP/0.9\r\n" H "\r\n", "open GET / 505 bad_version\n", VERSION},
    {"GET / HTTP/3.0\r\n" H "\r\n", "open GET / 505 bad_version\n", VERSION},
    {"GET / HTTP/1.10\r\n" H "\r\n", "open GET / 505 bad_version\n", VERSION},
    {"GET / HTTP/4294967297.1\r\n" H "\r\n", "open GET / 505 bad_version\n", VERSION},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "open _OTHER * 505 bad_version\n", VERSION},
    {"PRI * HTTP/1.1\r\n" H "\r\n", "open _OTHER * 501 unknown_method\n", METHOD},
    {"GET / http/1.1\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.x\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/.1\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1..1\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / RTSP/1.0\r\n\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"DESCRIBE rtsp://a/ RTSP/1.0\r\n\r\n", "open _OTHER rtsp://a/ 400 bad_request\n", MALFORMED},
    {"SOURCE / ICE/1.0\r\n\r\n", "open _OTHER / 400 bad_request\n", MALFORMED},
    {"GET /\r\n", "open GET  400 bad_request\n", MALFORMED},
    {"GET / \r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET  / HTTP/1.1\r\n" H "\r\n", "open GET  400 bad_request\n", MALFORMED},
    {"GET /  HTTP/1.1\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / HTTP/1.1 \r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},
    {"GET / x HTTP/1.1\r\n" H "\r\n", "open GET / 400 bad_request\n", MALFORMED},

    /* Methods, 3, 9110 9.1 */
    {R("BREW /pot"), "open _OTHER /pot 501 unknown_method\n", METHOD},
    {R("get /"), "open _OTHER / 501 unknown_method\n", METHOD},
    {R("GETS /"), "open _OTHER / 501 unknown_method\n", METHOD},
    {R("PROPFIND /"), "open _OTHER / 501 unknown_method\n", METHOD},
    {R("DESCRIBE /"), "open _OTHER / 501 unknown_method\n", METHOD},
    {R("M-SEARCH *"), "open _OTHER * 501 unknown_method\n", METHOD},
    {"BREW / HTTP/1.1\r\n" H "X y\r\n\r\n", "open _OTHER / 501 unknown_method\n", METHOD},
    {"BREW / HTTP/2.0\r\n" H "\r\n", "open _OTHER / 505 bad_version\n", VERSION},
    {"BREW / BREW/1.0\r\n" H "\r\n", "open _OTHER / 400 bad_request\n", MALFORMED},
    {R("BREW /\x01"), "open _OTHER /\x01 400 bad_target\n", BAD_TARGET},
    {R("G@T /"), "open _OTHER  400 bad_request\n", MALFORMED},
    {R("GET\t/"), "open _OTHER  400 bad_request\n", MALFORMED},
    {"\x16\x03\x01\x02", "open _OTHER  400 bad_request\n", MALFORMED},
    {"{\"json\": 1}", "open _OTHER  400 bad_request\n", MALFORMED},
    {R("CONNECT a:443"), "open CONNECT a:443 405 method_refused\n", CONNECTS},
    {R("HEAD /"), "open handle HEAD / 200 ok\n", NULL, HELLO_HEAD, ""},
    {R("DELETE /"), "open handle DELETE / 200 ok\n", SERVED},
    {R("TRACE /"), "open handle TRACE / 200 ok\n", SERVED},

    /* Targets, 3.2 */
    {R("GET /a?b=c&d"), "open handle GET /a?b=c&d 200 ok\n", SERVED},
    {R("GET /#f"), "open GET /#f 400 bad_target\n", BAD_TARGET},
    {R("GET /?q#f"), "open GET /?q#f 400 bad_target\n", BAD_TARGET},
    {R("GET *"), "open GET * 400 bad_target\n", BAD_TARGET},
    {R("OPTIONS *"), "open handle OPTIONS * 200 ok\n", SERVED},
    {R("OPTIONS *x"), "open OPTIONS *x 400 bad_target\n", BAD_TARGET},
    {R("GET a:80"), "open GET  400 bad_target\n", BAD_TARGET},
    {R("CONNECT /"), "open CONNECT / 400 bad_target\n", BAD_TARGET},
    {R("GET http://b/x?y"), "open handle GET http://b/x?y 200 ok\n", SERVED},
    {R("GET HTTPS://b"), "open handle GET HTTPS://b 200 ok\n", SERVED},
    {R("GET http://u@b/"), "open GET http://u@b/ 400 bad_target\n", BAD_TARGET},
    {R("GET http:///x"), "open GET http:///x 400 bad_target\n", BAD_TARGET},
    {R("GET ftp://b/"), "open GET ftp://b/ 400 bad_target\n", BAD_TARGET},
    {R("GET /\x80"), "open GET  400 bad_target\n", BAD_TARGET},
    {R("GET /a\tb"), "open GET  400 bad_target\n", BAD_TARGET},

    /* Upgrade, 9110 7.8 */
    {"GET / HTTP/1.1\r\n" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", GET_OK, SERVED},
    {"POST / HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nab", "open handle POST / 200 ok\n", SERVED},

    /* Expect, 9110 10.1.1 */
    {"POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nab", "open handle POST / 200 ok\n", NULL, "HTTP/1.1 100 Continue\r\n\r\n" HELLO, ""},
    {"GET / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", GET_OK, SERVED},
    {"POST / HTTP/1.1\r\n" H "Expect: tea\r\nContent-Length: 2\r\n\r\n", "open POST / 417 expectation_failed\n", EXPECTS},
    {"POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\nExpect: tea\r\n\r\n", "open POST / 417 expectation_failed\n", EXPECTS},
    {"GET / HTTP/1.0\r\nExpect: tea\r\n\r\n", GET_OK, NULL, HELLO_CLOSE, ""},
    {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", "open handle POST / 200 ok\n", NULL, HELLO_CLOSE, ""},

    /* Persistence, 9.3, 9.6 */
    {"GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n" R("GET /2"), GET_OK, NULL, HELLO_CLOSE, ""},
    {"GET / HTTP/1.1\r\n" H "Connection: a, Close\r\n\r\n", GET_OK, NULL, HELLO_CLOSE, ""},
    {"GET / HTTP/1.1\r\n" H "Connection: close \t\r\n\r\n", GET_OK, NULL, HELLO_CLOSE, ""},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", GET_OK, NULL, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n", ""},
    {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", GET_OK, NULL, HELLO_CLOSE, ""},
    {R("GET /close") R("GET /2"), "open handle GET /close 200 ok\n", NULL, HELLO_CLOSE, ""},
    {R("GET /a") R("HEAD /b") R("GET /c"), "open handle GET /a 200 ok\nopen handle HEAD /b 200 ok\nopen handle GET /c 200 ok\n", NULL, HELLO HELLO_HEAD HELLO, ""},
    {R("GET /204"), "open handle GET /204 204 ok\n", NULL, "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n\r\n", ""},
    {R("GET /304"), "open handle GET /304 304 ok\n", NULL, "HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain\r\n\r\n", ""},
};
/* clang-format on */

static void check(const struct row *row, size_t piece)
{
    struct harness harness;
    harness_init(&harness);
    harness_send(&harness, row->input, strlen(row->input), piece);
    const char *answer =
        row->status != NULL ? harness_refusal(row->status, row->answer, row->headers) : row->answer;
    harness_expect_out(&harness, answer);
    harness_expect_log(&harness, row->log);
    /* Who says close, closes; who does not, goes on. */
    assert_int_equal(harness.ended, strstr(answer, "Connection: close") != NULL);
    if (!harness.ended) {
        harness_send_text(&harness, R("GET /next"));
        harness_expect_out(&harness, HELLO);
        harness_expect_log(&harness, "open handle GET /next 200 ok\n");
    }
    harness_fini(&harness);
}

static void input_has_its_answer(void **state)
{
    const struct row *row = *state;
    check(row, 0);
    check(row, 1);
    check(row, 7);
}

/* A NUL cannot stand in the table's strings. */
static void a_nul_is_refused_wherever_it_stands(void **state)
{
    static const char request[] = "GET /index HTTP/1.1\r\nHost: a\r\nX: value\r\n\r\n";
    (void)state;
    for (size_t at = 0; at < sizeof request - 3; at++) {
        char bytes[sizeof request];
        struct harness harness;
        memcpy(bytes, request, sizeof request);
        bytes[at] = '\0';
        harness_init(&harness);
        harness_send(&harness, bytes, sizeof request - 1, 0);
        assert_int_equal(harness_log_lines(&harness), 1);
        assert_int_equal(harness.last.response.status, 400);
        assert_true(harness.ended);
        harness_fini(&harness);
    }
}

/* Two readers who see different requests in the same bytes are how one is smuggled: whatever stands
 * for a line end or a separator, the answer is either 400 or one request. */
static void what_follows_a_refusal_is_never_a_request(void **state)
{
    static const char *const heads[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\vchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct harness harness;
        harness_init(&harness);
        harness_push(&harness, heads[i], strlen(heads[i]));
        harness_send_text(&harness, "0\r\n\r\n" R("GET /smuggled"));
        assert_int_equal(harness_log_lines(&harness), 1);
        assert_int_equal(harness.last.response.status, 400);
        harness_fini(&harness);
    }
}

#define ROWS (sizeof rows / sizeof rows[0])

/* A test a row; its name is the input, escaped. */
static void name_row(char *name, size_t size, size_t index)
{
    size_t at = (size_t)snprintf(name, size, "%zu ", index);
    for (const char *byte = rows[index].input; *byte != '\0' && at + 5 < size; byte++) {
        const bool plain = *byte >= ' ' && *byte < 127;
        at += (size_t)snprintf(name + at, size - at, plain ? "%c" : "\\%02x", *byte & 255);
    }
}

int main(void)
{
    static char names[ROWS][96];
    static struct CMUnitTest tests[ROWS + 2];
    for (size_t i = 0; i < ROWS; i++) {
        name_row(names[i], sizeof names[i], i);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = input_has_its_answer,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(a_nul_is_refused_wherever_it_stands);
    tests[ROWS + 1] =
        (struct CMUnitTest)cmocka_unit_test(what_follows_a_refusal_is_never_a_request);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
