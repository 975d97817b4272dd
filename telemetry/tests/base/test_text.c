/*
 * Text: what is UTF-8, where it may be cut, percent-decoding, hex digits, copies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Words are looked at whole, the last one together with bytes of the one before it: wherever the one
 * bad byte lies, it is found, and no byte beyond the text is read (it ends where its memory ends). */
static void test_one_bad_byte_at_every_place_of_every_length(void **state)
{
    (void)state;
    for (size_t length = 1; length <= 33; length++) {
        char *text = malloc(length);
        assert_non_null(text);
        memset(text, 'a', length);
        assert_true(tel__utf8_is_valid(text, length));
        for (size_t at = 0; at < length; at++) {
            text[at] = (char)0x80;
            if (tel__utf8_is_valid(text, length)) {
                fail_msg("byte %zu of %zu", at, length);
            }
            text[at] = 'a';
        }
        free(text);
    }
}

/* Character by character, where one may be malformed. */
static void test_characters(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        size_t character;
    } cases[] = {
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\x7f\x80", 2, 1},
        {"\xc3\xa9z", 3, 2},
        {"\xe2\x82\xac", 3, 3},
        {"\xf0\x9f\x98\x80", 4, 4},
        {"\xc3", 1, 0},
        {"\xe2\x82\xac", 2, 0}, /* the rest lies beyond the length */
        {"\xed\xa0\x80", 3, 0},
        {"\x80", 1, 0},
        {"\xff", 1, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(tel__utf8_character(cases[i].bytes, cases[i].length), cases[i].character);
    }
}

static void test_tokens(void **state)
{
    (void)state;
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (int byte = 0; byte < 256; byte++) {
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool wanted = letter || (byte >= '0' && byte <= '9') ||
                      memchr(others, byte, sizeof(others) - 1) != NULL;
        assert_int_equal(tel__token_length((char[]){(char)byte}, 1), wanted);
    }
    assert_int_equal(tel__token_length("text/plain", 10), 4);
    assert_int_equal(tel__token_length("token", 3), 3);
    assert_int_equal(tel__token_length("", 0), 0);
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

static void test_hex_is_two_lowercase_digits_a_byte(void **state)
{
    (void)state;
    uint8_t bytes[256];
    char digits[2 * 256 + 1];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
    }
    char *end = tel__hex_encode(digits, bytes, sizeof(bytes));
    assert_ptr_equal(end, digits + 512);
    for (int i = 0; i < 256; i++) {
        char expected[3];
        snprintf(expected, sizeof(expected), "%02x", i);
        assert_memory_equal(digits + 2 * i, expected, 2);
        assert_int_equal(tel__hex_digit(digits[2 * i], false), i >> 4);
        assert_int_equal(tel__hex_digit(digits[2 * i + 1], false), i & 15);
    }
    /* Whatever the count, nothing is written behind the last digit. */
    for (size_t count = 0; count <= 20; count++) {
        memset(digits, '.', sizeof(digits));
        assert_ptr_equal(tel__hex_encode(digits, bytes + 0xf0 - count, count), digits + 2 * count);
        assert_int_equal(digits[2 * count], '.');
        assert_true(count == 0 || memcmp(digits + 2 * count - 2, "ef", 2) == 0);
    }
}

static void test_copy_takes_what_it_is_told(void **state)
{
    (void)state;
    static const char from[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (size_t length = 0; length < sizeof(from); length++) {
        char to[sizeof(from)];
        memset(to, '.', sizeof(to));
        tel__copy(to, from, length);
        assert_memory_equal(to, from, length);
        assert_int_equal(to[length], '.');
    }
    tel__copy(NULL, NULL, 0); /* nothing from nowhere is fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_one_bad_byte_at_every_place_of_every_length),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_percent_decoding),
        cmocka_unit_test(test_hex_digits),
        cmocka_unit_test(test_hex_is_two_lowercase_digits_a_byte),
        cmocka_unit_test(test_copy_takes_what_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
