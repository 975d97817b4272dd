/*
 * The buffer's promises: content is always a prefix of what was meant, the first error sticks, and
 * numbers look the same whatever the locale.
 */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faults.h"
#include "telemetry/buffer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_content(const struct tel_buffer *buffer, const char *expected)
{
    assert_int_equal(buffer->length, strlen(expected));
    assert_memory_equal(buffer->length > 0 ? buffer->data : "", expected, buffer->length);
}

static void test_small_appends_make_one_text(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 1000);
    assert_null(buffer.data); /* nothing is allocated for nothing */
    tel_buffer_append_string(&buffer, "answer");
    tel_buffer_append_char(&buffer, ' ');
    tel_buffer_append_u64(&buffer, 42);
    tel_buffer_append(&buffer, "!?", 1);
    tel_buffer_append(&buffer, NULL, 0);
    tel_buffer_append_format(&buffer, " %s=%d", "x", -1);
    tel_buffer_append_hex(&buffer, (const uint8_t[]){0x00, 0xaf, 0x10}, 3);
    assert_content(&buffer, "answer 42! x=-100af10");
    assert_int_equal(buffer.error, 0);
    tel_buffer_fini(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
}

static void test_the_ceiling_leaves_a_prefix_and_an_error_that_sticks(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 8);
    tel_buffer_append_string(&buffer, "12345");
    tel_buffer_append_string(&buffer, "67890"); /* would be 10 */
    assert_int_equal(buffer.error, -EMSGSIZE);
    tel_buffer_append_char(&buffer, 'x'); /* would fit, but there would be a hole before it */
    tel_buffer_append_u64(&buffer, 1);
    tel_buffer_append_format(&buffer, "%d", 1);
    assert_null(tel_buffer_extend(&buffer, 1));
    assert_int_equal(tel_buffer_reserve(&buffer, 0), -EMSGSIZE);
    assert_content(&buffer, "12345");

    tel_buffer_clear(&buffer);
    tel_buffer_append_string(&buffer, "12345678"); /* exactly the ceiling */
    assert_int_equal(buffer.error, 0);
    assert_content(&buffer, "12345678");
    assert_true(buffer.capacity <= 8);
    tel_buffer_fini(&buffer);
}

static void test_lengths_that_overflow_are_too_long(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, SIZE_MAX);
    tel_buffer_append_char(&buffer, 'a');
    assert_null(tel_buffer_extend(&buffer, SIZE_MAX));
    assert_int_equal(buffer.error, -EMSGSIZE);
    tel_buffer_clear(&buffer);
    tel_buffer_append_hex(&buffer, (const uint8_t *)"", SIZE_MAX / 2 + 1);
    assert_int_equal(buffer.error, -EMSGSIZE);
    tel_buffer_fini(&buffer);
}

static void test_an_allocator_that_refuses_is_enomem(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, SIZE_MAX);
    tel_buffer_append_string(&buffer, "kept");
    faults_refuse(FAULTS_GROWTH);
    assert_int_equal(tel_buffer_reserve(&buffer, 100000), -ENOMEM);
    faults_stop();
    assert_int_equal(buffer.error, -ENOMEM);
    assert_content(&buffer, "kept");
    tel_buffer_fini(&buffer);
}

static void test_reserve_makes_what_follows_safe(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 10000);
    assert_int_equal(tel_buffer_reserve(&buffer, 5000), 0);
    assert_int_equal(buffer.length, 0);
    const char *before = buffer.data;
    for (int i = 0; i < 5000; i++) {
        tel_buffer_append_char(&buffer, 'x');
    }
    assert_ptr_equal(buffer.data, before); /* it did not move */
    assert_int_equal(tel_buffer_reserve(&buffer, 5001), -EMSGSIZE);
    tel_buffer_fini(&buffer);
}

static void test_extend_counts_room_as_used(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100);
    assert_non_null(tel_buffer_extend(&buffer, 0)); /* no bytes is no error */
    assert_int_equal(buffer.length, 0);
    memcpy(tel_buffer_extend(&buffer, 3), "abc", 3);
    assert_content(&buffer, "abc");
    tel_buffer_fini(&buffer);
}

static void test_a_reused_buffer_keeps_its_memory(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100000);
    for (int i = 0; i < 3000; i++) {
        tel_buffer_append_string(&buffer, "0123456789");
    }
    size_t capacity = buffer.capacity;
    const char *data = buffer.data;
    tel_buffer_clear(&buffer);
    assert_int_equal(buffer.length, 0);
    tel_buffer_append_string(&buffer, "again");
    assert_int_equal(buffer.capacity, capacity);
    assert_ptr_equal(buffer.data, data);
    tel_buffer_fini(&buffer);
}

static void test_take_moves_the_bytes(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    size_t length = 99;
    tel_buffer_init(&buffer, 100);
    assert_null(tel_buffer_take(&buffer, &length));
    assert_int_equal(length, 0);
    tel_buffer_append_string(&buffer, "mine");
    char *taken = tel_buffer_take(&buffer, &length);
    assert_int_equal(length, 4);
    assert_memory_equal(taken, "mine", 4);
    assert_null(buffer.data);
    tel_buffer_append_string(&buffer, "new"); /* usable again, with the same ceiling */
    assert_content(&buffer, "new");
    assert_int_equal(buffer.limit, 100);
    free(taken);
    tel_buffer_fini(&buffer);
}

static void test_format_fits_to_the_last_byte(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 6);
    tel_buffer_append_format(&buffer, "%06d", 42); /* vsnprintf's NUL has no room here */
    assert_int_equal(buffer.error, 0);
    assert_content(&buffer, "000042");
    tel_buffer_append_format(&buffer, "%s", ""); /* nothing fits behind a full buffer */
    assert_int_equal(buffer.error, 0);
    tel_buffer_append_format(&buffer, "%c", 'x');
    assert_int_equal(buffer.error, -EMSGSIZE);
    tel_buffer_fini(&buffer);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-1, "-1"},
                 {1000000, "1000000"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100);
    for (size_t i = 0; i < COUNT(cases); i++) {
        tel_buffer_clear(&buffer);
        tel_buffer_append_i64(&buffer, cases[i].value);
        assert_content(&buffer, cases[i].text);
    }
    tel_buffer_clear(&buffer);
    tel_buffer_append_u64(&buffer, UINT64_MAX);
    assert_content(&buffer, "18446744073709551615");
    tel_buffer_fini(&buffer);
}

/* Numbers are measured before they are written: around each power of ten, with room for exactly the
 * digits there are, and with a byte less. */
static void test_integers_of_every_length(void **state)
{
    (void)state;
    uint64_t power = 1;
    for (size_t digits = 1; digits <= 20; digits++, power *= 10) {
        const uint64_t values[] = {power, power + 1, digits < 20 ? power * 10 - 1 : UINT64_MAX};
        for (size_t i = 0; i < COUNT(values); i++) {
            char expected[24];
            struct tel_buffer buffer;
            assert_int_equal(snprintf(expected, sizeof(expected), "%" PRIu64, values[i]), digits);
            tel_buffer_init(&buffer, digits);
            tel_buffer_append_u64(&buffer, values[i]);
            assert_content(&buffer, expected);
            tel_buffer_fini(&buffer);

            tel_buffer_init(&buffer, digits - 1);
            tel_buffer_append_u64(&buffer, values[i]);
            assert_int_equal(buffer.error, -EMSGSIZE);
            assert_int_equal(buffer.length, 0);
            tel_buffer_fini(&buffer);
        }
    }
}

static void test_fixed_point(void **state)
{
    (void)state;
    static const struct {
        uint64_t numerator;
        unsigned digits;
        const char *text;
    } cases[] = {
        {1234567, 6, "1.234567"},
        {5, 3, "0.005"},
        {0, 9, "0.000000000"},
        {42, 0, "42"},
        {UINT64_MAX, 0, "18446744073709551615"},
        {UINT64_MAX, 1, "1844674407370955161.5"},
        {UINT64_MAX, 18, "18.446744073709551615"},
    };
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100);
    for (size_t i = 0; i < COUNT(cases); i++) {
        tel_buffer_clear(&buffer);
        tel_buffer_append_fixed(&buffer, cases[i].numerator, cases[i].digits);
        assert_content(&buffer, cases[i].text);
    }
    tel_buffer_fini(&buffer);
}

static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-17, "-17"},
    {0.1, "0.1"},
    {0.30000000000000004, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {0.005, "0.005"},
    {1e15, "1000000000000000"},
    {9007199254740991, "9007199254740991"},
    {1e300, "1e+300"},
    {5e-324, "5e-324"}, /* the smallest there is: one digit says it all */
    {DBL_MAX, "1.7976931348623157e+308"},
    {NAN, "NaN"},
    {INFINITY, "+Inf"},
    {-INFINITY, "-Inf"},
};

static void check_doubles(void)
{
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100);
    for (size_t i = 0; i < COUNT(doubles); i++) {
        tel_buffer_clear(&buffer);
        tel_buffer_append_double(&buffer, doubles[i].value);
        assert_content(&buffer, doubles[i].text);
    }
    tel_buffer_fini(&buffer);
}

static void test_doubles_are_short_and_read_back(void **state)
{
    (void)state;
    check_doubles();
}

/* Every double must come back from its text, not only those someone thought of. */
static void test_any_double_reads_back(void **state)
{
    (void)state;
    struct tel_buffer buffer;
    tel_buffer_init(&buffer, 100);
    uint64_t bits = 0x123456789abcdefu;
    for (int i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (isnan(value)) {
            continue;
        }
        tel_buffer_clear(&buffer);
        tel_buffer_append_double(&buffer, value);
        tel_buffer_append_char(&buffer, '\0');
        assert_true(strtod(buffer.data, NULL) == value);
    }
    tel_buffer_fini(&buffer);
}

/* Makes a locale whose decimal point is a comma below `folder`, with localedef(1) of the C library.
 * Its warnings about the categories left out make it fail without -c. */
static bool make_comma_locale(const char *folder)
{
    char command[512];
    snprintf(command, sizeof(command),
             "cd '%s' && printf 'LC_NUMERIC\\ndecimal_point \",\"\\nthousands_sep \"\"\\n"
             "grouping -1\\nEND LC_NUMERIC\\n' > comma && "
             "localedef -c -i ./comma ./xx_XX >/dev/null 2>&1; test -e xx_XX/LC_NUMERIC",
             folder);
    return system(command) == 0;
}

static void test_the_locale_does_not_show(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_buffer.XXXXXX";
    assert_non_null(mkdtemp(folder));
    bool made = make_comma_locale(folder);
    setenv("LOCPATH", folder, 1);
    bool set = made && setlocale(LC_NUMERIC, "xx_XX") != NULL;
    if (set) {
        char text[8];
        snprintf(text, sizeof(text), "%.1f", 0.5);
        assert_string_equal(text, "0,5"); /* the locale is in force */
        check_doubles();
        setlocale(LC_NUMERIC, "C");
    }
    char command[64];
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
    if (!set) {
        skip(); /* no localedef here */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_appends_make_one_text),
        cmocka_unit_test(test_the_ceiling_leaves_a_prefix_and_an_error_that_sticks),
        cmocka_unit_test(test_lengths_that_overflow_are_too_long),
        cmocka_unit_test(test_an_allocator_that_refuses_is_enomem),
        cmocka_unit_test(test_reserve_makes_what_follows_safe),
        cmocka_unit_test(test_extend_counts_room_as_used),
        cmocka_unit_test(test_a_reused_buffer_keeps_its_memory),
        cmocka_unit_test(test_take_moves_the_bytes),
        cmocka_unit_test(test_format_fits_to_the_last_byte),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_integers_of_every_length),
        cmocka_unit_test(test_fixed_point),
        cmocka_unit_test(test_doubles_are_short_and_read_back),
        cmocka_unit_test(test_any_double_reads_back),
        cmocka_unit_test(test_the_locale_does_not_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
