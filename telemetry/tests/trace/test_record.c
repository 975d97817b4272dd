/*
 * Packing and reading items: what goes in comes out, byte for byte, wherever it lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/item.h"

static const struct tel_item items[] = {
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "string", .type = TEL_VALUE_STRING, .value.string = {"text", 4}}},
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "empty", .type = TEL_VALUE_STRING, .value.string = {NULL, 0}}},
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "nul", .type = TEL_VALUE_STRING, .value.string = {"a\0b", 3}}},
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "yes", .type = TEL_VALUE_BOOL, .value.boolean = true}},
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "no", .type = TEL_VALUE_BOOL, .value.boolean = false}},
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "int", .type = TEL_VALUE_INT, .value.integer = INT64_MIN}},
    {.what = TEL_ITEM_ATTRIBUTE,
     .attribute = {.key = "double", .type = TEL_VALUE_DOUBLE, .value.real = -0.25}},
    {.what = TEL_ITEM_EVENT, .attribute = {.key = "event"}, .wall_ns = UINT64_MAX - 1},
    {.what = TEL_ITEM_NESTED,
     .attribute = {.key = "of the event", .type = TEL_VALUE_INT, .value.integer = 7}},
    {.what = TEL_ITEM_LINK, .trace_id = {1, 2, 3}, .span_id = {4, 5}, .flags = 0x81},
    {.what = TEL_ITEM_NESTED,
     .attribute = {.key = "of the link", .type = TEL_VALUE_STRING, .value.string = {"x", 1}}},
};
#define ITEMS (sizeof(items) / sizeof(items[0]))

static void assert_same_value(const struct tel_attribute *got, const struct tel_attribute *want)
{
    assert_int_equal(got->type, want->type);
    switch (want->type) {
    case TEL_VALUE_STRING:
        assert_int_equal(got->value.string.length, want->value.string.length);
        if (want->value.string.length > 0) {
            assert_memory_equal(got->value.string.data, want->value.string.data,
                                want->value.string.length);
        }
        break;
    case TEL_VALUE_BOOL:
        assert_int_equal(got->value.boolean, want->value.boolean);
        break;
    case TEL_VALUE_INT:
        assert_true(got->value.integer == want->value.integer);
        break;
    case TEL_VALUE_DOUBLE:
        assert_true(got->value.real == want->value.real);
        break;
    }
}

static void assert_same_item(const struct tel_item *got, const struct tel_item *want)
{
    assert_int_equal(got->what, want->what);
    assert_ptr_equal(got->attribute.key, want->attribute.key); /* the address, not a copy */
    switch (want->what) {
    case TEL_ITEM_ATTRIBUTE:
    case TEL_ITEM_NESTED:
        assert_same_value(&got->attribute, &want->attribute);
        break;
    case TEL_ITEM_EVENT:
        assert_true(got->wall_ns == want->wall_ns);
        break;
    case TEL_ITEM_LINK:
        assert_memory_equal(got->trace_id, want->trace_id, 16);
        assert_memory_equal(got->span_id, want->span_id, 8);
        assert_int_equal(got->flags, want->flags);
        break;
    }
}

static void test_size_is_what_pack_writes_and_unpack_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        size_t size = tel__item_size(&items[i]);
        char *bytes = malloc(size); /* exactly: a byte more and the sanitizer says so */
        struct tel_item got;
        assert_non_null(bytes);
        assert_ptr_equal(tel__item_pack(bytes, &items[i]), bytes + size);
        assert_ptr_equal(tel__item_unpack(bytes, &got), bytes + size);
        assert_same_item(&got, &items[i]);
        free(bytes);
    }
}

static void test_long_strings_are_cut_between_characters(void **state)
{
    (void)state;
    char text[TEL_ATTRIBUTE_VALUE_MAX + 10];
    char packed[TEL_ATTRIBUTE_VALUE_MAX + 64];
    struct tel_item item = {.what = TEL_ITEM_ATTRIBUTE,
                            .attribute = {.key = "k", .type = TEL_VALUE_STRING}};
    struct tel_item got;
    memset(text, 'x', sizeof(text));
    item.attribute.value.string.data = text;
    item.attribute.value.string.length = sizeof(text);
    tel__item_pack(packed, &item);
    tel__item_unpack(packed, &got);
    assert_int_equal(got.attribute.value.string.length, TEL_ATTRIBUTE_VALUE_MAX);

    memcpy(text + TEL_ATTRIBUTE_VALUE_MAX - 1, "\xe2\x82\xac", 3); /* a euro sign over the edge */
    tel__item_pack(packed, &item);
    tel__item_unpack(packed, &got);
    assert_int_equal(got.attribute.value.string.length, TEL_ATTRIBUTE_VALUE_MAX - 1);
}

/* A record by hand: name and tracestate lie before the items, which makes them unaligned. */
static void test_next_walks_a_record(void **state)
{
    (void)state;
    static const char text[] = "namestate=1";
    struct tel__span_record *record = calloc(1, sizeof(*record) + 1024);
    assert_non_null(record);
    record->name_length = 4;
    record->tracestate_length = 7;
    memcpy(record->bytes, text, 11);
    char *at = record->bytes + 11;
    for (size_t i = 0; i < ITEMS; i++) {
        at = tel__item_pack(at, &items[i]);
    }
    record->items_length = (uint16_t)(at - record->bytes - 11);

    size_t position = 0;
    struct tel_item got;
    for (size_t i = 0; i < ITEMS; i++) {
        assert_true(tel__item_next(record, &position, &got));
        assert_same_item(&got, &items[i]);
    }
    assert_false(tel__item_next(record, &position, &got));
    assert_int_equal(position, record->items_length);
    free(record);
}

static void test_a_record_without_items_ends_at_once(void **state)
{
    (void)state;
    struct tel__span_record record = {0};
    struct tel_item item;
    size_t position = 0;
    assert_false(tel__item_next(&record, &position, &item));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_is_what_pack_writes_and_unpack_reads),
        cmocka_unit_test(test_long_strings_are_cut_between_characters),
        cmocka_unit_test(test_next_walks_a_record),
        cmocka_unit_test(test_a_record_without_items_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
