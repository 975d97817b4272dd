/*
 * Line ends: the verdict and the byte it falls on, whatever the pieces.
 */
#include <string.h>

#include "harness.h"
#include "http/lines.h"

struct row {
    const char *bytes;
    enum lines_verdict verdict;
    size_t taken;
    size_t first; /* length of the first line, 0: incomplete */
};

static const struct row heads[] = {
    {"GET /\r\n\r\n", LINES_END, 9, 7},
    {"GET /\r\nA: b\r\n\r\nbody\n", LINES_END, 15, 7},
    {"GET /\r\nA: b\r\n", LINES_MORE, 13, 7},
    {"GET /\r", LINES_MORE, 6, 0},
    {"GET /\n\r\n", LINES_MALFORMED, 6, 0},
    {"GET /\r\n\n", LINES_MALFORMED, 8, 7},
    {"GET /\r\nA: b\n\r\n", LINES_MALFORMED, 12, 7},
    {"GET /\r\n A: b\r\n\r\n", LINES_MALFORMED, 8, 7},
    {"GET /\r\nA: b\r\n\tc\r\n\r\n", LINES_MALFORMED, 14, 7},
    {"GET /\r\n\r\r\n\r\n", LINES_END, 12, 7}, /* a bare CR is the parser's business */
    {"GET /0123456789012\r\n", LINES_MORE, 20, 20},
    {"GET /01234567890123\r\n", LINES_LONG, 20, 0},
    {"GET /012345678901234567890123", LINES_LONG, 20, 0},
};

static void check(const struct row *row, size_t piece)
{
    struct lines lines;
    enum lines_verdict verdict = LINES_MORE;
    const size_t length = strlen(row->bytes);
    size_t at = 0;
    lines_init_head(&lines, 20);
    while (at < length && verdict == LINES_MORE) {
        const size_t given = piece < length - at ? piece : length - at;
        at += lines_scan(&lines, row->bytes + at, given, &verdict);
    }
    assert_int_equal(verdict, row->verdict);
    assert_int_equal(at, row->taken);
    assert_int_equal(lines.first, row->first);
}

static void verdict_does_not_depend_on_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        for (size_t piece = 1; piece < 30; piece++) {
            check(&heads[i], piece);
        }
    }
}

static void trailers_may_be_empty(void **state)
{
    struct lines lines;
    enum lines_verdict verdict;
    (void)state;
    lines_init_trailers(&lines);
    assert_int_equal(lines_scan(&lines, "\r\nGET", 5, &verdict), 2);
    assert_int_equal(verdict, LINES_END);
    lines_init_trailers(&lines);
    assert_int_equal(lines_scan(&lines, "\n", 1, &verdict), 1);
    assert_int_equal(verdict, LINES_MALFORMED);
    lines_init_trailers(&lines);
    assert_int_equal(lines_scan(&lines, " A: b", 5, &verdict), 1);
    assert_int_equal(verdict, LINES_MALFORMED);
    lines_init_trailers(&lines);
    assert_int_equal(lines_scan(&lines, "A: b\r\n\r\n", 8, &verdict), 8);
    assert_int_equal(verdict, LINES_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_does_not_depend_on_pieces),
        cmocka_unit_test(trailers_may_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
