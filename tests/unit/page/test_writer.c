/* Whatever is written is one line of JSON that a reader takes, and says what was meant. */
#include "page/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void assert_written(struct tel_buffer *out, const char *expected)
{
    tel_buffer_append_char(out, '\0');
    assert_int_equal(out->error, 0);
    assert_string_equal(out->data, expected);
    json_t *read = json_loads(out->data, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    assert_non_null(read);
    json_decref(read);
    tel_buffer_fini(out);
}

static void test_every_kind(void **state)
{
    static const uint8_t bytes[] = {0x00, 0xab, 0xff};
    struct tel_buffer out;
    struct writer json = writer_of(&out);
    (void)state;
    tel_buffer_init(&out, 4096);
    writer_open(&json, NULL, '{');
    writer_null(&json, "null");
    writer_bool(&json, "bool", true);
    writer_u64(&json, "u64", (uint64_t)1 << 53);
    writer_ms(&json, "ms", 1700000000123456789u);
    writer_double(&json, "double", 2.5e-05);
    writer_text(&json, "text", "a\"b", 3);
    writer_text(&json, "no text", NULL, 0);
    writer_text(&json, "empty", "", 0);
    writer_string(&json, "string", "s");
    writer_string(&json, "no string", NULL);
    writer_hex(&json, "hex", bytes, sizeof(bytes));
    writer_value(&json, "own");
    tel_buffer_append_string(&out, "[1]");
    writer_close(&json, '}');
    assert_written(&out, "{\"null\":null,\"bool\":true,\"u64\":9007199254740992,"
                         "\"ms\":1700000000123.456,\"double\":2.5e-05,\"text\":\"a\\\"b\","
                         "\"no text\":null,\"empty\":\"\",\"string\":\"s\",\"no string\":null,"
                         "\"hex\":\"00abff\",\"own\":[1]}");
}

static void test_commas_within_and_behind(void **state)
{
    struct tel_buffer out;
    struct writer json = writer_of(&out);
    (void)state;
    tel_buffer_init(&out, 4096);
    writer_open(&json, NULL, '[');
    writer_open(&json, NULL, '[');
    writer_close(&json, ']');
    writer_open(&json, NULL, '{');
    writer_open(&json, "a", '[');
    writer_u64(&json, NULL, 1);
    writer_u64(&json, NULL, 2);
    writer_close(&json, ']');
    writer_bool(&json, "b", false);
    writer_close(&json, '}');
    writer_null(&json, NULL);
    writer_close(&json, ']');
    assert_written(&out, "[[],{\"a\":[1,2],\"b\":false},null]");
}

/* Every byte there is, in a key's place and in a value's: no line break, and UTF-8 for the reader. */
static void test_any_bytes(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        const char text[] = {'x', (char)byte, 'y', '\0'};
        struct tel_buffer out;
        struct writer json = writer_of(&out);
        tel_buffer_init(&out, 4096);
        writer_open(&json, NULL, '{');
        writer_string(&json, text, text);
        writer_close(&json, '}');
        assert_int_equal(out.error, 0);
        assert_null(memchr(out.data, '\n', out.length));
        assert_null(memchr(out.data, '\r', out.length));
        json_t *read = json_loadb(out.data, out.length, 0, NULL);
        assert_non_null(read);
        assert_int_equal(json_object_size(read), 1);
        json_decref(read);
        tel_buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_commas_within_and_behind),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
