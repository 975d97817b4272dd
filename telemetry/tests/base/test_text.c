/*
 * Text: what is UTF-8, where it may be cut, and percent-decoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
        const char *what;
    } cases[] = {
        {"", true, "nothing"},
        {"plain ascii, longer than a word", true, "ASCII"},
        {"12345678\xc3\xa9", true, "after a whole word"},
        {"1234567\xc3\xa9"
         "12345678",
         true, "across a word"},
        {"\xc2\x80", true, "U+0080, the first of two bytes"},
        {"\xdf\xbf", true, "U+07FF"},
        {"\xe0\xa0\x80", true, "U+0800"},
        {"\xed\x9f\xbf", true, "U+D7FF, before the surrogates"},
        {"\xee\x80\x80", true, "U+E000, after them"},
        {"\xef\xbf\xbf", true, "U+FFFF"},
        {"\xf0\x90\x80\x80", true, "U+10000"},
        {"\xf4\x8f\xbf\xbf", true, "U+10FFFF, the last"},
        {"\x80", false, "a continuation alone"},
        {"\xc0\x80", false, "overlong NUL"},
        {"\xc1\xbf", false, "overlong, two bytes"},
        {"\xe0\x9f\xbf", false, "overlong, three bytes"},
        {"\xf0\x8f\xbf\xbf", false, "overlong, four bytes"},
        {"\xed\xa0\x80", false, "a surrogate"},
        {"\xf4\x90\x80\x80", false, "beyond U+10FFFF"},
        {"\xf5\x80\x80\x80", false, "no such first byte"},
        {"\xff", false, "no such byte"},
        {"\xc3", false, "cut after one of two"},
        {"\xe2\x82", false, "cut after two of three"},
        {"\xf0\x9f\x98", false, "cut after three of four"},
        {"\xe2\x28\xa1", false, "ASCII in the middle"},
        {"\xf0\x9f\x98\x28", false, "ASCII at the end"},
        {"good \xfe bad", false, "in the middle of a text"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (tel__utf8_is_valid(cases[i].bytes, strlen(cases[i].bytes)) != cases[i].valid) {
            fail_msg("%s", cases[i].what);
        }
    }
    assert_true(tel__utf8_is_valid("a\0b", 3)); /* NUL is a character like others */
}

static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t limit;
        size_t cut;
    } cases[] = {
        {"abc", 10, 3},
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"a\xc3\xa9z", 2, 1},
        {"a\xc3\xa9z", 3, 3},
        {"\xf0\x9f\x98\x80", 3, 0},
        {"x\xf0\x9f\x98\x80", 4, 1},
        {"\x80\x80\x80\x80\x80\x80", 5, 5}, /* no UTF-8: no character to spare */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(tel__utf8_cut(cases[i].bytes, strlen(cases[i].bytes), cases[i].limit),
                         cases[i].cut);
    }
}

static void test_percent_decoding(void **state)
{
    (void)state;
    static const struct {
        const char *coded;
        long length;
        const char *text;
    } cases[] = {
        {"", 0, ""},       {"plain", 5, "plain"},     {"a%20b", 3, "a b"}, {"%2c%3D", 2, ",="},
        {"%00", 1, "\0"},  {"%c3%A9", 2, "\xc3\xa9"}, {"100%", -1, NULL},  {"%2", -1, NULL},
        {"%zz", -1, NULL}, {"%2g", -1, NULL},         {"%%20", -1, NULL},  {"+", 1, "+"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char bytes[16];
        size_t length = strlen(cases[i].coded);
        memcpy(bytes, cases[i].coded, length);
        assert_int_equal(tel__percent_decode(bytes, length), cases[i].length);
        if (cases[i].length > 0) {
            assert_memory_equal(bytes, cases[i].text, (size_t)cases[i].length);
        }
    }
}

static void test_hex_digits(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        static const char digits[] = "0123456789abcdef";
        const char *lower = memchr(digits, byte, 16);
        int expected = lower != NULL ? (int)(lower - digits) : -1;
        assert_int_equal(tel__hex_digit((char)byte, false), expected);
        if (byte >= 'A' && byte <= 'F') {
            expected = byte - 'A' + 10;
        }
        assert_int_equal(tel__hex_digit((char)byte, true), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_percent_decoding),
        cmocka_unit_test(test_hex_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
