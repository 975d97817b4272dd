/*
 * The wire format, byte for byte as the encoding guide has it: bytes out for values in, and back.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/wire.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define TEXT_OF(bytes) (bytes), (sizeof(bytes) - 1)

static void assert_put(const uint8_t *out, const uint8_t *end, const char *expected, size_t length)
{
    assert_int_equal(end - out, length);
    assert_memory_equal(out, expected, length);
}

/* What was appended; the buffer is finished with. */
static void assert_appended(struct tel_buffer *out, const char *expected, size_t length)
{
    assert_int_equal(out->error, 0);
    assert_int_equal(out->length, length);
    if (length > 0) {
        assert_memory_equal(out->data, expected, length);
    }
    tel_buffer_fini(out);
}

static void test_varints(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t length;
    } cases[] = {
        {0, TEXT_OF("\x00")},
        {1, TEXT_OF("\x01")},
        {127, TEXT_OF("\x7f")},
        {128, TEXT_OF("\x80\x01")},
        {150, TEXT_OF("\x96\x01")},
        {300, TEXT_OF("\xac\x02")},
        {16383, TEXT_OF("\xff\x7f")},
        {16384, TEXT_OF("\x80\x80\x01")},
        {UINT64_MAX, TEXT_OF("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[TEL__WIRE_VARINT_MAX];
        uint8_t *end = tel__wire_put_varint(out, cases[i].value);
        assert_put(out, end, cases[i].bytes, cases[i].length);
        assert_int_equal(tel__wire_varint_size(cases[i].value), cases[i].length);
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
        assert_true(tel__wire_zigzag(cases[i].value) == cases[i].expected);
    }
}

static void test_put(void **state)
{
    (void)state;
    uint8_t out[64];
    uint8_t *at = tel__wire_put_uint(out, 4, 150);
    at = tel__wire_put_fixed64(at, 7, 0x1122334455667788);
    at = tel__wire_put_fixed32(at, 16, 0x301); /* a tag of two bytes */
    at = tel__wire_put_double(at, 3, -1.5);
    at = tel__wire_put_bytes(at, 5, "GET", 3);
    at = tel__wire_put_bytes(at, 5, NULL, 0);
    at = tel__wire_put_length(at, 6, 300);
    at = tel__wire_put_raw(at, "xyz", 3);
    at = tel__wire_put_raw(at, NULL, 0);
    assert_put(out, at,
               TEXT_OF("\x20\x96\x01"
                       "\x39\x88\x77\x66\x55\x44\x33\x22\x11"
                       "\x85\x01\x01\x03\x00\x00"
                       "\x19\x00\x00\x00\x00\x00\x00\xf8\xbf"
                       "\x2a\x03GET"
                       "\x2a\x00"
                       "\x32\xac\x02"
                       "xyz"));
}

/* Whoever adds up a message's size beforehand gets the size that is then put. */
static void test_sizes_are_what_is_put(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    static const size_t lengths[] = {0, 1, 127, 128, 16383, 16384};
    uint8_t out[TEL__WIRE_HEAD_MAX];
    for (size_t i = 0; i < COUNT(values); i++) {
        assert_int_equal(tel__wire_put_uint(out, 15, values[i]) - out,
                         tel__wire_uint_size(values[i]));
    }
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t head = (size_t)(tel__wire_put_length(out, 15, lengths[i]) - out);
        assert_int_equal(head + lengths[i], tel__wire_bytes_size(lengths[i]));
    }
    assert_int_equal(tel__wire_put_double(out, 15, 0.1) - out, TEL__WIRE_DOUBLE_SIZE);
    assert_int_equal(tel__wire_put_uint(out, 2047, UINT64_MAX) - out, TEL__WIRE_HEAD_MAX);
}

static void test_append(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    tel__wire_append_uint(&out, 1, 150);
    tel__wire_append_bytes(&out, 2, "testing", 7);
    tel__wire_append_bytes(&out, 2, NULL, 0); /* an empty field is a field */
    tel__wire_append_double(&out, 3, 1.0);
    tel__wire_append_uint(&out, 16, 1);
    assert_appended(&out, TEXT_OF("\x08\x96\x01"
                                  "\x12\x07testing"
                                  "\x12\x00"
                                  "\x19\x00\x00\x00\x00\x00\x00\xf0\x3f"
                                  "\x80\x01\x01"));
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *wanted;
        size_t wanted_length;
    } cases[] = {
        {TEXT_OF(""), TEXT_OF("")},
        {TEXT_OF("plain"), TEXT_OF("\x2a\x05plain")},
        {TEXT_OF("caf\xc3\xa9"), TEXT_OF("\x2a\x05"
                                         "caf\xc3\xa9")},
        {TEXT_OF("b\xff."), TEXT_OF("\x2a\x03"
                                    "b?.")},
        {TEXT_OF("\xc3\xa9\xff"), TEXT_OF("\x2a\x03???")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_buffer out;
        tel_buffer_init(&out, 100);
        tel__wire_append_text(&out, 5, cases[i].text, cases[i].length);
        assert_appended(&out, cases[i].wanted, cases[i].wanted_length);
    }
}

/* Messages within messages, of which the outermost has no tag: it is one of a stream. */
static void test_nested(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    size_t outer = tel__wire_open(&out, 0);
    size_t inner = tel__wire_open(&out, 3);
    tel__wire_append_uint(&out, 1, 150);
    tel__wire_close(&out, inner);
    size_t empty = tel__wire_open(&out, 17);
    tel__wire_close(&out, empty);
    tel__wire_close(&out, outer);
    assert_appended(&out, TEXT_OF("\x08"
                                  "\x1a\x03\x08\x96\x01"
                                  "\x8a\x01\x00"));
}

static struct tel__wire_field only_field(const void *bytes, size_t length)
{
    struct tel__wire_reader reader = tel__wire_read(bytes, length);
    struct tel__wire_field field;
    assert_true(tel__wire_next(&reader, &field));
    assert_ptr_equal(reader.at, reader.end);
    return field;
}

/* A nested message may end up with a length of one byte, or of more: then its content moves. */
static void test_nested_of_any_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 127, 128, 300, 16383, 16384, 70000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct tel_buffer out;
        tel_buffer_init(&out, 1 << 20);
        size_t outer = tel__wire_open(&out, 1);
        size_t inner = tel__wire_open(&out, 17);
        for (size_t k = 0; k < sizes[i]; k++) {
            tel_buffer_append_char(&out, (char)k);
        }
        tel__wire_close(&out, inner);
        tel__wire_close(&out, outer);
        assert_int_equal(out.error, 0);
        struct tel__wire_field field = only_field(out.data, out.length);
        assert_int_equal(field.number, 1);
        field = only_field(field.bytes, field.length);
        assert_int_equal(field.number, 17);
        assert_int_equal(field.length, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(field.bytes[k], (uint8_t)k);
        }
        tel_buffer_fini(&out);
    }
}

static void test_ceiling(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 130);
    size_t start = tel__wire_open(&out, 1);
    assert_non_null(tel__wire_room(&out, 128));
    tel__wire_end(&out, (uint8_t *)out.data + out.length + 128);
    tel__wire_close(&out, start); /* its length needs a byte more than there is */
    assert_int_equal(out.error, -EMSGSIZE);
    assert_null(tel__wire_room(&out, 1));
    assert_int_equal(tel__wire_open(&out, 1), 0);
    tel_buffer_fini(&out);
}

static void test_after_an_error_nothing_happens(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, TEL__WIRE_HEAD_MAX);
    tel__wire_append_uint(&out, 1, 1);
    tel__wire_append_bytes(&out, 2, "x", 1); /* would fit if it were not for the room it asks */
    assert_int_equal(out.error, -EMSGSIZE);
    assert_int_equal(out.length, 2);
    size_t message = tel__wire_open(&out, 1);
    tel__wire_append_uint(&out, 1, 1);
    tel__wire_append_double(&out, 1, 1);
    tel__wire_append_bytes(&out, 1, NULL, 0);
    tel__wire_append_text(&out, 1, "\xff", 1);
    tel__wire_close(&out, message);
    assert_int_equal(out.length, 2);
    assert_memory_equal(out.data, "\x08\x01", 2);
    tel_buffer_fini(&out);
}

static void test_reading(void **state)
{
    (void)state;
    static const char message[] = "\x08\x96\x01"                         /* 1: varint 150 */
                                  "\x11\x01\x00\x00\x00\x00\x00\x00\x80" /* 2: fixed64 */
                                  "\x1a\x02hi"                           /* 3: bytes */
                                  "\x25\x02\x00\x00\x00";                /* 4: fixed32 */
    struct tel__wire_reader reader = tel__wire_read(TEXT_OF(message));
    struct tel__wire_field field;
    assert_true(tel__wire_next(&reader, &field));
    assert_int_equal(field.value, 150);
    assert_true(tel__wire_next(&reader, &field));
    assert_true(field.value == 0x8000000000000001u);
    assert_true(tel__wire_next(&reader, &field));
    assert_int_equal(field.type, TEL__WIRE_BYTES);
    assert_int_equal(field.length, 2);
    assert_memory_equal(field.bytes, "hi", 2);
    assert_true(tel__wire_next(&reader, &field));
    assert_int_equal(field.number, 4);
    assert_int_equal(field.value, 2);
    assert_false(tel__wire_next(&reader, &field));
    assert_false(reader.bad);
}

static void test_reading_nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t length;
    } cases[] = {
        {"a tag without end", TEXT_OF("\x80")},
        {"field number 0", TEXT_OF("\x00\x01")},
        {"a group", TEXT_OF("\x0b")},
        {"wire type 7", TEXT_OF("\x0f")},
        {"a varint cut", TEXT_OF("\x08\x96")},
        {"a varint of eleven bytes", TEXT_OF("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {"a varint over 64 bits", TEXT_OF("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")},
        {"fixed64 cut", TEXT_OF("\x09\x01\x02\x03")},
        {"fixed32 cut", TEXT_OF("\x0d\x01\x02\x03")},
        {"bytes longer than the rest", TEXT_OF("\x0a\x05hi")},
        {"a length of 2^63", TEXT_OF("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")},
        {"a field number over 2^29", TEXT_OF("\xf8\xff\xff\xff\xff\x7f\x01")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__wire_reader reader = tel__wire_read(cases[i].bytes, cases[i].length);
        struct tel__wire_field field;
        if (tel__wire_next(&reader, &field) || !reader.bad) {
            fail_msg("%s", cases[i].what);
        }
        assert_false(tel__wire_next(&reader, &field)); /* and stays bad */
    }
    struct tel__wire_reader empty = tel__wire_read(NULL, 0);
    struct tel__wire_field field;
    assert_false(tel__wire_next(&empty, &field));
    assert_false(empty.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varints), cmocka_unit_test(test_zigzag),
        cmocka_unit_test(test_put),     cmocka_unit_test(test_sizes_are_what_is_put),
        cmocka_unit_test(test_append),  cmocka_unit_test(test_text),
        cmocka_unit_test(test_nested),  cmocka_unit_test(test_nested_of_any_length),
        cmocka_unit_test(test_ceiling), cmocka_unit_test(test_after_an_error_nothing_happens),
        cmocka_unit_test(test_reading), cmocka_unit_test(test_reading_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
