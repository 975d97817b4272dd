/*
 * gzip: what zlib unpacks is what was put in, over all its pieces.
 */
#include "telemetry/gzip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_unpacks(const struct tel_buffer *packed, const void *bytes, size_t length)
{
    z_stream stream = {.next_in = (Bytef *)packed->data, .avail_in = (uInt)packed->length};
    uint8_t *out = malloc(length + 1);
    assert_non_null(out);
    stream.next_out = out;
    stream.avail_out = (uInt)length + 1;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, length);
    assert_int_equal(stream.avail_in, 0);
    assert_memory_equal(out, bytes, length);
    inflateEnd(&stream);
    free(out);
}

static void fill(uint8_t *bytes, size_t length, bool random)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = random ? (uint8_t)(seed >> 24) : (uint8_t)(i / 100);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    static const struct {
        size_t head;
        size_t rest;
        bool random; /* grows by compression */
    } cases[] = {{0, 0, false},      {1, 0, false},        {0, 1, false},      {300, 70000, false},
                 {300, 70000, true}, {16384, 16384, true}, {1, 1000000, false}};
    struct tel_buffer packed;
    tel_buffer_init(&packed, 2 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = cases[i].head + cases[i].rest;
        uint8_t *bytes = malloc(length + 1);
        assert_non_null(bytes);
        fill(bytes, length, cases[i].random);
        const struct iovec pieces[] = {{bytes, cases[i].head},
                                       {bytes + cases[i].head, cases[i].rest}};
        assert_int_equal(tel_gzip(pieces, 2, &packed), 0);
        assert_unpacks(&packed, bytes, length);
        free(bytes);
    }
    tel_buffer_fini(&packed);
}

/* Down to the last byte: a buffer that may hold just the result holds it. */
static void test_ceiling(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    const struct iovec piece = {bytes, sizeof(bytes)};
    struct tel_buffer packed;
    fill(bytes, sizeof(bytes), true);
    tel_buffer_init(&packed, 2 * sizeof(bytes));
    assert_int_equal(tel_gzip(&piece, 1, &packed), 0);
    size_t needed = packed.length;
    tel_buffer_fini(&packed);

    tel_buffer_init(&packed, needed);
    assert_int_equal(tel_gzip(&piece, 1, &packed), 0);
    assert_unpacks(&packed, bytes, sizeof(bytes));
    tel_buffer_fini(&packed);

    const size_t limits[] = {0, 1, 50000, needed - 1};
    for (size_t i = 0; i < COUNT(limits); i++) {
        tel_buffer_init(&packed, limits[i]);
        assert_int_equal(tel_gzip(&piece, 1, &packed), -EMSGSIZE);
        assert_true(packed.length <= limits[i]);
        tel_buffer_fini(&packed);
    }
}

/* A body that compresses well leaves a small buffer behind, whatever went in. */
static void test_memory_is_of_what_comes_out(void **state)
{
    (void)state;
    static uint8_t zeros[1 << 20];
    struct tel_buffer packed;
    tel_buffer_init(&packed, 4 << 20);
    assert_int_equal(tel_gzip(&(struct iovec){zeros, sizeof(zeros)}, 1, &packed), 0);
    assert_unpacks(&packed, zeros, sizeof(zeros));
    assert_true(packed.capacity <= 65536);
    tel_buffer_fini(&packed);
}

static void test_a_piece_beyond_4_gib_is_refused(void **state)
{
    (void)state;
    if (sizeof(size_t) == 4) {
        skip(); /* there is none */
    }
    char byte = 0;
    struct tel_buffer packed;
    tel_buffer_init(&packed, 1000);
    const struct iovec piece = {&byte, (size_t)UINT32_MAX + 1};
    assert_int_equal(tel_gzip(&piece, 1, &packed), -EMSGSIZE);
    tel_buffer_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_memory_is_of_what_comes_out),
        cmocka_unit_test(test_a_piece_beyond_4_gib_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
