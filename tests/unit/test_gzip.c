/* What was packed is what zlib unpacks, also when the buffers are used again. */
#include "gzip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static void assert_unpacks_to(const struct tel_buffer *packed, const struct tel_buffer *plain)
{
    static char out[1 << 20];
    z_stream stream = {.next_in = (Bytef *)packed->data,
                       .avail_in = (uInt)packed->length,
                       .next_out = (Bytef *)out,
                       .avail_out = sizeof(out)};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, plain->length);
    assert_memory_equal(out, plain->data, plain->length);
    inflateEnd(&stream);
}

static void test_round_trips(void **state)
{
    static const size_t lengths[] = {1, 100, 65536, 1000000, 7};
    struct tel_buffer plain, packed;
    (void)state;
    tel_buffer_init(&plain, 2 << 20);
    tel_buffer_init(&packed, 2 << 20);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        tel_buffer_clear(&plain);
        for (size_t k = 0; k < lengths[i]; k++) {
            tel_buffer_append_char(&plain, (char)(k * k >> 3));
        }
        assert_int_equal(gzip_compress(&plain, &packed), 0);
        assert_unpacks_to(&packed, &plain);
    }
    tel_buffer_fini(&plain);
    tel_buffer_fini(&packed);
}

static void test_no_room_is_an_error(void **state)
{
    struct tel_buffer plain, packed;
    (void)state;
    tel_buffer_init(&plain, 1024);
    tel_buffer_init(&packed, 8);
    tel_buffer_append_string(&plain, "does not fit into eight bytes");
    assert_int_equal(gzip_compress(&plain, &packed), -ENOMEM);
    tel_buffer_fini(&plain);
    tel_buffer_fini(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_no_room_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
