/*
 * Label values: whatever bytes come in, well-formed UTF-8 of bounded length comes out.
 */
#include <stdio.h>

#include "base/text.h"
#include "expose.h"
#include "metrics/labels.h"

#define FFFD "\xEF\xBF\xBD"

static void assert_value(const struct tel__labels *labels, size_t index, const char *expected)
{
    assert_int_equal(labels->lengths[index], strlen(expected));
    assert_memory_equal(labels->values[index], expected, strlen(expected));
}

static void test_good_values_are_used_where_they_lie(void **state)
{
    (void)state;
    const char *const values[] = {"GET", "/caf\xC3\xA9", "", NULL};
    struct tel__labels labels;
    tel__labels_init(&labels, values, COUNT(values));
    assert_int_equal(labels.count, 4);
    assert_ptr_equal(labels.values[0], values[0]);
    assert_ptr_equal(labels.values[1], values[1]);
    assert_value(&labels, 1, "/caf\xC3\xA9");
    assert_int_equal(labels.lengths[2], 0); /* empty and missing are the same: left out */
    assert_int_equal(labels.lengths[3], 0);
}

static void test_bad_bytes_become_replacement_characters(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *mended;
    } cases[] = {
        {"\xFF", FFFD},
        {"a\x80z", "a" FFFD "z"},
        {"\xC3", FFFD},                            /* cut off */
        {"\xC3(", FFFD "("},                       /* what follows is kept */
        {"\xC0\x80", FFFD FFFD},                   /* overlong */
        {"\xED\xA0\x80", FFFD FFFD FFFD},          /* surrogate */
        {"\xF4\x90\x80\x80", FFFD FFFD FFFD FFFD}, /* above U+10FFFF */
        {"\xF0\x9F\x98\x80\xFE", "\xF0\x9F\x98\x80" FFFD},
        {"\xE2\x82\xC3\xA9", FFFD FFFD "\xC3\xA9"}, /* a good one right after */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__labels labels;
        tel__labels_init(&labels, &cases[i].value, 1);
        assert_value(&labels, 0, cases[i].mended);
        assert_true(tel__utf8_is_valid(labels.values[0], labels.lengths[0]));
    }
}

static void test_long_values_are_cut_between_characters(void **state)
{
    (void)state;
    for (size_t before = TEL_LABEL_VALUE_MAX - 5; before <= TEL_LABEL_VALUE_MAX + 5; before++) {
        char value[400];
        memset(value, 'x', before);
        snprintf(value + before, sizeof(value) - before, "\xF0\x9F\x98\x80 and more");
        struct tel__labels labels;
        tel__labels_init(&labels, VALUES(value), 1);
        assert_true(labels.lengths[0] <= TEL_LABEL_VALUE_MAX);
        assert_true(labels.lengths[0] > TEL_LABEL_VALUE_MAX - 4);
        assert_true(tel__utf8_is_valid(labels.values[0], labels.lengths[0]));
        assert_memory_equal(labels.values[0], value, labels.lengths[0]);
    }
}

static void test_a_value_of_bad_bytes_only_stays_within_bounds(void **state)
{
    (void)state;
    char value[1000];
    memset(value, 0xFF, sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    struct tel__labels labels;
    tel__labels_init(&labels, VALUES(value), 1);
    assert_int_equal(labels.lengths[0], TEL_LABEL_VALUE_MAX / 3 * 3);
    assert_true(tel__utf8_is_valid(labels.values[0], labels.lengths[0]));
}

static uint64_t hash_of(const char *const *values, size_t count)
{
    struct tel__labels labels;
    tel__labels_init(&labels, values, count);
    return labels.hash;
}

static void test_hash_tells_sets_apart_and_knows_equal_ones(void **state)
{
    (void)state;
    const char copy[] = {'G', 'E', 'T', '\0'};
    assert_int_equal(hash_of(VALUES("GET", "/"), 2), hash_of(VALUES(copy, "/"), 2));
    assert_int_equal(hash_of(VALUES("GET", NULL), 2), hash_of(VALUES("GET", ""), 2));
    assert_int_not_equal(hash_of(VALUES("GET", "/"), 2), hash_of(VALUES("/", "GET"), 2));
    assert_int_not_equal(hash_of(VALUES("ab", "c"), 2), hash_of(VALUES("a", "bc"), 2));
    assert_int_not_equal(hash_of(VALUES("", "a"), 2), hash_of(VALUES("a", ""), 2));
    assert_int_not_equal(hash_of(VALUES("12345678"), 1), hash_of(VALUES("12345679"), 1));
    /* Mended alike, so one and the same series. */
    assert_int_equal(hash_of(VALUES("\xFE"), 1), hash_of(VALUES("\xFF"), 1));
}

static void assert_appended(struct tel_buffer *out, const char *expected, size_t length)
{
    assert_int_equal(out->error, 0);
    assert_int_equal(out->length, length);
    if (length > 0) {
        assert_memory_equal(out->data, expected, length);
    }
    tel_buffer_fini(out);
}

static void test_text_pairs_are_escaped_and_empty_ones_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *values[3];
        const char *text;
    } cases[] = {
        {{"1", "2", "3"}, "a=\"1\",b=\"2\",c=\"3\""},
        {{NULL, "2", ""}, "b=\"2\""},
        {{"", NULL, "3"}, "c=\"3\""},
        {{NULL, NULL, NULL}, ""},
        {{"\\", "\"", "\n"}, "a=\"\\\\\",b=\"\\\"\",c=\"\\n\""},
        {{"x\\y\"z\n", "\t\r", NULL}, "a=\"x\\\\y\\\"z\\n\",b=\"\t\r\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__labels labels;
        struct tel_buffer out;
        tel_buffer_init(&out, 1000);
        tel__labels_init(&labels, cases[i].values, 3);
        tel__labels_append_text(&out, VALUES("a", "b", "c"), &labels);
        assert_appended(&out, cases[i].text, strlen(cases[i].text));
    }
}

static void test_protobuf_pairs_are_not_escaped(void **state)
{
    (void)state;
    struct tel__labels labels;
    struct tel_buffer out;
    tel_buffer_init(&out, 1000);
    tel__labels_init(&labels, VALUES("\"\n", NULL, "3"), 3);
    tel__labels_append_protobuf(&out, VALUES("a", "b", "cc"), &labels);
    static const char expected[] = "\x0A\x07\x0A\x01"
                                   "a\x12\x02\"\n"
                                   "\x0A\x07\x0A\x02"
                                   "cc\x12\x01"
                                   "3";
    assert_appended(&out, expected, sizeof(expected) - 1);
}

static void test_help_keeps_its_quotes_in_one_format_only(void **state)
{
    (void)state;
    struct tel_buffer out;
    tel_buffer_init(&out, 100);
    tel__escape_append(&out, "a \"b\" \\ \n", 9, false);
    assert_appended(&out, "a \"b\" \\\\ \\n", 11);
    tel__escape_append(&out, "a \"b\" \\ \n", 9, true);
    assert_appended(&out, "a \\\"b\\\" \\\\ \\n", 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_values_are_used_where_they_lie),
        cmocka_unit_test(test_bad_bytes_become_replacement_characters),
        cmocka_unit_test(test_long_values_are_cut_between_characters),
        cmocka_unit_test(test_a_value_of_bad_bytes_only_stays_within_bounds),
        cmocka_unit_test(test_hash_tells_sets_apart_and_knows_equal_ones),
        cmocka_unit_test(test_text_pairs_are_escaped_and_empty_ones_left_out),
        cmocka_unit_test(test_protobuf_pairs_are_not_escaped),
        cmocka_unit_test(test_help_keeps_its_quotes_in_one_format_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
