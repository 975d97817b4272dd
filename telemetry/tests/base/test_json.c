/*
 * JSON strings: bytes in, a literal that any parser takes out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "telemetry/buffer.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const struct {
    const char *bytes;
    size_t length;
    const char *json;
} cases[] = {
    {"", 0, "\"\""},
    {"plain", 5, "\"plain\""},
    {"a\"b\\c/", 6, "\"a\\\"b\\\\c/\""},
    {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
    {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\""},
    {"a\0b", 3, "\"a\\u0000b\""},
    {"gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\""},
    {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
    {"a\xff"
     "b",
     3, "\"a" REPLACEMENT "b\""},
    {"cut\xe2\x82", 5, "\"cut" REPLACEMENT REPLACEMENT "\""},
    {"\xc3\"", 2, "\"" REPLACEMENT "\\\"\""}, /* the quote is no part of the broken character */
    {"\xed\xa0\x80", 3, "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\""},
};

static void test_strings(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tel_buffer_clear(&buffer);
        tel_buffer_append_json(&buffer, cases[i].bytes, cases[i].length);
        assert_int_equal(buffer.length, strlen(cases[i].json));
        assert_memory_equal(buffer.data, cases[i].json, buffer.length);
    }
    tel_buffer_fini(&buffer);
}

/* A string for any byte is valid UTF-8 without a control character. */
static void test_every_byte(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 1000);
    for (int byte = 0; byte < 256; byte++) {
        char text[3] = {'x', (char)byte, 'y'};
        tel_buffer_clear(&buffer);
        tel_buffer_append_json(&buffer, text, sizeof(text));
        assert_true(tel__utf8_is_valid(buffer.data, buffer.length));
        for (size_t i = 0; i < buffer.length; i++) {
            assert_true((unsigned char)buffer.data[i] >= 0x20);
        }
    }
    tel_buffer_fini(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
