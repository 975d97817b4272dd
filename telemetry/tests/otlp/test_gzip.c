/*
 * gzip: what zlib unpacks is what was put in, over all its pieces.
 */
#include "otlp/gzip.h"

#include <zlib.h>

#include "support.h"

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
        const struct tel__bytes pieces[] = {{bytes, cases[i].head},
                                            {bytes + cases[i].head, cases[i].rest}};
        assert_int_equal(tel__gzip(pieces, 2, &packed), 0);
        assert_unpacks(&packed, bytes, length);
        free(bytes);
    }
    tel_buffer_fini(&packed);
}

static void test_ceiling(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    struct tel_buffer packed;
    fill(bytes, sizeof(bytes), true);
    tel_buffer_init(&packed, 50000);
    assert_int_equal(tel__gzip(&(struct tel__bytes){bytes, sizeof(bytes)}, 1, &packed), -EMSGSIZE);
    tel_buffer_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
