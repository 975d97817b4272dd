/*
 * Bodies and limits: chunked framing, its extensions and trailers, and what is over a limit, each
 * sent whole, byte by byte, and in pieces of seven.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define REQUEST   "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED   REQUEST "Transfer-Encoding: chunked\r\n\r\n"
#define ECHOED    "open handle POST /echo 200 ok\n"
#define FRAMING   "open POST /echo 400 bad_framing\n"
#define TOO_LARGE "open POST /echo 413 body_too_large\n"
#define HEAD_OVER "open POST /echo 431 head_too_large\n"

/* Small limits, so that inputs on both sides of them can be read here. */
static const struct http_limits limits = {
    .request_line_bytes = 40,
    .head_bytes = 200,
    .header_count = 4,
    .body_bytes = 10,
    .idle_ms = 60000,
    .head_ms = 60000,
    .body_ms = 60000,
    .write_ms = 60000,
    .linger_ms = 60000,
};

struct row {
    const char *input;
    const char *body; /* the echo's content; NULL: refused */
    const char *log;
};

/* clang-format off */
static const struct row rows[] = {
    {CHUNKED "0\r\n\r\n", "", ECHOED},
    {CHUNKED "3\r\nabc\r\n0\r\n\r\n", "abc", ECHOED},
    {CHUNKED "1\r\na\r\n02\r\nbc\r\nA\r\n0123456789\r\n0\r\n\r\n", NULL, TOO_LARGE},
    {CHUNKED "1\r\na\r\n02\r\nbc\r\n7\r\n0123456\r\n0\r\n\r\n", "abc0123456", ECHOED},
    {CHUNKED "a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ECHOED},
    {CHUNKED "b\r\n", NULL, TOO_LARGE},
    {CHUNKED "ffffffffffffffff\r\n", NULL, TOO_LARGE},
    {CHUNKED "10000000000000000\r\n", NULL, FRAMING},
    {CHUNKED "3;a=b\r\nabc\r\n0;x\r\n\r\n", "abc", ECHOED},
    {CHUNKED "3;c;d=\"e;f\";g\r\nabc\r\n0\r\n\r\n", "abc", ECHOED},
    {CHUNKED "3;a=b;c\r\nabc\r\n0\r\n\r\n", NULL, FRAMING}, /* llhttp 8.1.0: nothing after an unquoted value */
    {CHUNKED "3;\r\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "3 ;a\r\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "3;a=\x01\r\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "+3\r\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "-3\r\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "3\nabc\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "3\r\nabcd\r\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "3\r\nabc\n0\r\n\r\n", NULL, FRAMING},
    {CHUNKED "3\r\nabcX\r\n", NULL, FRAMING},

    /* Trailers: read, bounded like a head, and forgotten. */
    {CHUNKED "0\r\nX: y\r\nZ: w\r\n\r\n", "", ECHOED},
    {CHUNKED "0\r\nContent-Length: 5\r\nConnection: close\r\nHost: evil\r\n\r\n", "", ECHOED},
    {CHUNKED "0\r\nX: 1\r\nX: 2\r\nX: 3\r\nX: 4\r\n\r\n", "", ECHOED},
    {CHUNKED "0\r\nX: 1\r\nX: 2\r\nX: 3\r\nX: 4\r\nX: 5\r\n\r\n", NULL, HEAD_OVER},
    {CHUNKED "0\r\n\n", NULL, FRAMING},
    {CHUNKED "0\r\nX: y\n\r\n", NULL, FRAMING},
    {CHUNKED "0\r\nX: y\r\n z\r\n\r\n", NULL, FRAMING},
    {CHUNKED "0\r\nno colon\r\n\r\n", NULL, FRAMING},
    {CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, FRAMING},
    {CHUNKED "0\r\nX: 0123456789012345678901234567890123456789012345678901234567890123456789"
             "0123456789012345678901234567890123456789012345678901234567890123456789"
             "0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n", NULL, HEAD_OVER},

    /* Known length. */
    {REQUEST "Content-Length: 10\r\n\r\n0123456789", "0123456789", ECHOED},
    {REQUEST "Content-Length: 0000000000000000000000003\r\n\r\nabc", "abc", ECHOED},
    {REQUEST "Content-Length: 11\r\n\r\n", NULL, TOO_LARGE},
    {REQUEST "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n", NULL, TOO_LARGE},
    {REQUEST "Content-Length: 18446744073709551615\r\n\r\n", NULL, TOO_LARGE},
    {"GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "abc", "open handle GET /echo 200 ok\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef", "hello\n", "open handle GET / 200 ok\n"},

    /* Limits of the head: four headers, 40 bytes of line, 200 of head. */
    {"GET /echo HTTP/1.1\r\nHost: a\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", "", "open handle GET /echo 200 ok\n"},
    {"GET /echo HTTP/1.1\r\nHost: a\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n", NULL, "open GET /echo 431 head_too_large\n"},
    {"GET /echo?56789012345678901234 HTTP/1.1\r\nHost: a\r\n\r\n", "", "open handle GET /echo?56789012345678901234 200 ok\n"},
    {"GET /echo?567890123456789012345 HTTP/1.1\r\nHost: a\r\n\r\n", "", "open handle GET /echo?567890123456789012345 200 ok\n"},
    {"GET /echo?5678901234567890123456 HTTP/1.1\r\nHost: a\r\n\r\n", NULL, "open GET  414 target_too_long\n"},
    {"GET /echo?56789012345678901234567890123456789012345678901234567890", NULL, "open GET  414 target_too_long\n"},
    {"AVERYLONGMETHODTHATNEVERENDSANDGOESONANDONANDONANDON", NULL, "open _OTHER  414 target_too_long\n"},
    {"GET /echo HTTP/1.1\r\nHost: a\r\nX: 0123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678901234567890123456789\r\n\r\n", NULL, "open GET /echo 431 head_too_large\n"},
    {"BREW /echo HTTP/1.1\r\nHost: a\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n", NULL, "open _OTHER /echo 501 unknown_method\n"},
};
/* clang-format on */

static void check(const struct row *row, size_t piece)
{
    struct harness harness;
    char want[256];
    harness_init_with(&harness, &limits);
    harness_send(&harness, row->input, strlen(row->input), piece);
    harness_expect_log(&harness, row->log);
    assert_int_equal(harness.ended, row->body == NULL);
    if (row->body != NULL) {
        snprintf(want, sizeof want,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(row->body), row->body);
        harness_expect_out(&harness, want);
        assert_int_equal(harness.last.request.head_bytes + harness.last.request.body_bytes,
                         strlen(row->input));
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

/* ---- what may not go on without end ------------------------------------------------------------- */

/* Sends `start`, then `again` up to `times`; returns how often it was sent before the end. */
static size_t repeat(struct harness *harness, const char *start, const char *again, size_t times)
{
    size_t sent = 0;
    harness_send_text(harness, start);
    while (sent < times && !harness->ended) {
        harness_send_text(harness, again);
        sent++;
    }
    return sent;
}

static void unbounded(const char *start, const char *again, size_t times, const char *log)
{
    struct harness harness;
    struct http_limits roomy;
    harness_defaults(&roomy);
    roomy.body_bytes = UINT64_MAX;
    harness_init_with(&harness, &roomy);
    assert_true(repeat(&harness, start, again, times) < times);
    harness_expect_log(&harness, log);
    harness_fini(&harness);
}

static void nothing_goes_on_without_end(void **state)
{
    (void)state;
    unbounded(CHUNKED "0", "00000000000000000000000000000000", 1000, FRAMING);
    unbounded(CHUNKED "1;x=", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", 1000, FRAMING);
    unbounded(CHUNKED, "1;x=0123456789012345678901234567890123456789\r\na\r\n", 1000, FRAMING);
    unbounded(CHUNKED "0\r\n", "X: 0123456789012345678901234567890123456789\r\n", 1000,
              "open POST /echo 431 head_too_large\n");
    unbounded("GET / HTTP/1.1\r\n", "X: y\r\n", 1000, "open GET / 431 head_too_large\n");
    unbounded("GET / HTTP/1.1\r\nX: ", "0123456789012345678901234567890123456789", 1000,
              "open GET / 431 head_too_large\n");
    unbounded("GET /", "0123456789012345678901234567890123456789", 1000,
              "open GET  414 target_too_long\n");
    unbounded("\r\n", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
              1000, "");
}

/* Small chunks are wasteful, not wrong. */
static void ten_thousand_small_chunks(void **state)
{
    struct harness harness;
    (void)state;
    harness_init(&harness);
    assert_int_equal(repeat(&harness, CHUNKED, "1\r\na\r\n", 10000), 10000);
    harness_send_text(&harness, "0\r\n\r\n");
    harness_expect_log(&harness, ECHOED);
    assert_int_equal(harness.last.bytes_sent, harness.raw.length);
    assert_int_equal(harness.last.request.body_bytes, 60005);
    harness_fini(&harness);
}

static void large_body_comes_back_whole(void **state)
{
    static char input[100200];
    struct harness harness;
    (void)state;
    const int head = sprintf(input, REQUEST "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 100000; i++) {
        input[head + i] = (char)('a' + i % 26);
    }
    harness_init(&harness);
    harness_send(&harness, input, (size_t)head + 100000, 0);
    assert_true(harness.raw.length > 100000);
    assert_memory_equal(harness.raw.data + harness.raw.length - 100000, input + head, 100000);
    harness_fini(&harness);
}

#define ROWS (sizeof rows / sizeof rows[0])

int main(void)
{
    static char names[ROWS][96];
    static struct CMUnitTest tests[ROWS + 3];
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof names[i], "%zu %.*s", i, (int)strcspn(rows[i].log, "\n"),
                 rows[i].log);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = input_has_its_answer,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(nothing_goes_on_without_end);
    tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(ten_thousand_small_chunks);
    tests[ROWS + 2] = (struct CMUnitTest)cmocka_unit_test(large_body_comes_back_whole);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
