/*
 * Foreign text in messages: cut between characters, without control characters.
 */
#include "faults/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void text_is_cut_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        size_t cut;
    } rows[] = {
        {"", 0, 0},        {"abc", 3, 3},         {"abc", 2, 2},
        {"a\u00e9", 3, 3}, {"a\u00e9", 2, 1},     {"\u20ac", 2, 0},
        {"\u20ac", 3, 3},  {"x\U0001f600", 4, 1}, {"\U0001f600y", 4, 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(text_cut(rows[i].text, strlen(rows[i].text), rows[i].most), rows[i].cut);
    }
}

static void quoted_text_is_short_and_plain(void **state)
{
    static const struct {
        const char *text;
        const char *quoted;
    } rows[] = {
        {"", "``"},
        {"abc", "`abc`"},
        {"a\n\x1b[31m\x7f", "`a??[31m?`"},
        {"gr\u00fcn", "`gr\u00fcn`"},
        {"\u20ac\U0001f600", "`\u20ac\U0001f600`"},
        {"a\xe2\x82", "`a??`"}, /* cut by others */
        {"\xe2\x82'", "`?\?'`"},
        {"\xf0\x9f\x98 \x80", "`?\?\? ?`"},
        {"\xc3", "`?`"},
        {"\xff\xf8", "`??`"},
        {"123456789012345678901234567890123456789012345678",
         "`123456789012345678901234567890123456789012345678`"},
        {"1234567890123456789012345678901234567890123456789",
         "`123456789012345678901234567890123456789012345678…`"},
        {"12345678901234567890123456789012345678901234567\u00fc",
         "`12345678901234567890123456789012345678901234567…`"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tel_buffer out;
        tel_buffer_init(&out, 256);
        text_append_quoted(&out, rows[i].text, strlen(rows[i].text));
        tel_buffer_append_char(&out, '\0');
        assert_string_equal(out.data, rows[i].quoted);
        tel_buffer_fini(&out);
    }
}

static void plain_is_printable_ascii_that_is_short(void **state)
{
    static const char fits[] = "123456789012345678901234567890123456789012345678";
    (void)state;
    assert_true(text_is_plain("", 0));
    assert_true(text_is_plain("1.5m ~", 6));
    assert_true(text_is_plain(fits, TEXT_SHOWN_BYTES));
    assert_false(text_is_plain("1234567890123456789012345678901234567890123456789", 49));
    assert_false(text_is_plain("a\tb", 3));
    assert_false(text_is_plain("\x7f", 1));
    assert_false(text_is_plain("\u00fc", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(quoted_text_is_short_and_plain),
        cmocka_unit_test(plain_is_printable_ascii_that_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
