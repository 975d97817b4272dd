/*
 * Protobuf pieces, byte for byte, against what the encoding guide says.
 */
#include "expose.h"
#include "metrics/wire.h"

static void assert_bytes(struct tel_buffer *out, const char *expected, size_t length)
{
    assert_int_equal(out->error, 0);
    assert_int_equal(out->length, length);
    assert_memory_equal(out->data, expected, length);
    tel_buffer_fini(out);
}
#define ASSERT_BYTES(out, literal) assert_bytes(out, literal, sizeof(literal) - 1)

static void test_varints(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t length;
    } cases[] = {
        {0, "\x00", 1},
        {1, "\x01", 1},
        {127, "\x7F", 1},
        {128, "\x80\x01", 2},
        {150, "\x96\x01", 2},
        {16384, "\x80\x80\x01", 3},
        {UINT64_MAX, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char bytes[TEL__WIRE_VARINT_MAX];
        char *end = tel__put_varint(bytes, cases[i].value);
        assert_int_equal(end - bytes, cases[i].length);
        assert_memory_equal(bytes, cases[i].bytes, cases[i].length);
    }
}

static void test_zigzag(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        uint64_t expected;
    } cases[] = {
        {0, 0},
        {-1, 1},
        {1, 2},
        {-2, 3},
        {3, 6},
        {-159, 317},
        {INT64_MAX, UINT64_MAX - 1},
        {INT64_MIN, UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(tel__zigzag(cases[i].value), cases[i].expected);
    }
}

static void test_fields(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    tel__wire_varint(&out, 1, 150);
    tel__wire_bytes(&out, 2, "testing", 7);
    tel__wire_double(&out, 3, 1.0);
    tel__wire_varint(&out, 16, 1); /* a tag of two bytes */
    ASSERT_BYTES(&out, "\x08\x96\x01"
                       "\x12\x07testing"
                       "\x19\x00\x00\x00\x00\x00\x00\xF0\x3F"
                       "\x80\x01\x01");
}

static void test_nested_messages_close_over_their_content(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    size_t outer = tel__wire_open(&out, 0);
    size_t inner = tel__wire_open(&out, 3);
    tel__wire_varint(&out, 1, 150);
    tel__wire_close(&out, inner);
    size_t empty = tel__wire_open(&out, 4);
    tel__wire_close(&out, empty);
    tel__wire_close(&out, outer);
    ASSERT_BYTES(&out, "\x07"
                       "\x1A\x03\x08\x96\x01"
                       "\x22\x00");
}

static void test_a_long_message_has_a_long_length(void **state)
{
    (void)state;
    char content[200];
    memset(content, 'x', sizeof(content));
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    size_t message = tel__wire_open(&out, 1);
    tel_buffer_append(&out, content, sizeof(content));
    tel__wire_close(&out, message);
    assert_int_equal(out.length, 3 + sizeof(content));
    assert_memory_equal(out.data, "\x0A\xC8\x01xxx", 6);
    tel_buffer_fini(&out);
}

static void test_after_an_error_nothing_happens(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 8);
    size_t message = tel__wire_open(&out, 1);
    tel__wire_bytes(&out, 1, "too long", 8);
    tel__wire_close(&out, message);
    assert_int_equal(out.error, -EMSGSIZE);
    assert_true(out.length <= 8);
    tel_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varints),
        cmocka_unit_test(test_zigzag),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nested_messages_close_over_their_content),
        cmocka_unit_test(test_a_long_message_has_a_long_length),
        cmocka_unit_test(test_after_an_error_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
