/*
 * A span's attributes, events and links: what was set is in its record, and what did not fit is
 * counted.
 */
#include "spans.h"

static void test_items_keep_their_order_and_their_owners(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    const uint8_t trace_id[16] = {0xab};
    const uint8_t span_id[8] = {0xcd};
    const struct tel_attribute bytes = {.key = "bytes", .type = TEL_VALUE_INT, .value.integer = 42};
    const struct tel_attribute pair[] = {
        {.key = "why", .type = TEL_VALUE_STRING, .value.string = {"because", 7}},
        {.key = "sure", .type = TEL_VALUE_BOOL, .value.boolean = true}};
    struct tel_span span;
    begin(&span, tracer);
    tel_span_set_int(&span, "status", 200);
    tel_span_add_event(&span, "read", 111, &bytes, 1);
    tel_span_set_bool(&span, "late", false); /* of the span, though it comes after an event */
    tel_span_add_event(&span, "done", 222, NULL, 0);
    tel_span_add_link(&span, trace_id, span_id, 1, pair, 2);
    tel_span_set_double(&span, "ratio", 0.5);
    tel_span_end(&span, 0);
    assert_items(tracer, "status=200 @read/111 .bytes=42 late=false @done/222 >abcd/1 "
                         ".why=because .sure=true ratio=0.5 ");
    tel_tracer_destroy(tracer);
}

static void assert_holds(const struct tel_span *span, const char *expected)
{
    char text[1024] = "";
    struct tel_item item;
    size_t position = 0;
    while (tel_span_next_item(span, &position, &item)) {
        describe_item(&item, text, sizeof(text));
    }
    assert_false(tel_span_next_item(span, &position, &item)); /* it stays at the end */
    assert_string_equal(text, expected);
}

/* What a span holds can be read from itself, also when it has ended and its record is on its way. */
static void test_a_span_can_be_read(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    const struct tel_attribute bytes = {.key = "bytes", .type = TEL_VALUE_INT, .value.integer = 42};
    struct tel_span span;
    begin(&span, tracer);
    assert_holds(&span, "");
    tel_span_set_string(&span, "path", "/cart", 5);
    assert_holds(&span, "path=/cart ");
    tel_span_add_event(&span, "read", 111, &bytes, 1);
    tel_span_add_link(&span, span.trace_id, (const uint8_t[8]){0xcd}, 1, NULL, 0);
    char whole[64];
    snprintf(whole, sizeof(whole), "path=/cart @read/111 .bytes=42 >%02xcd/1 ", span.trace_id[0]);
    tel_span_end(&span, 0);
    assert_holds(&span, whole);
    assert_items(tracer, whole);
    begin(&span, tracer);
    assert_holds(&span, "");
    tel_span_end(&span, 0);
    tel_tracer_destroy(tracer);
}

static void test_an_unsampled_span_holds_nothing(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_off, 4);
    struct tel_span span;
    begin(&span, tracer);
    tel_span_set_string(&span, "path", "/cart", 5);
    tel_span_end(&span, 0);
    assert_holds(&span, "");
    tel_tracer_destroy(tracer);
}

static void test_setting_a_key_again_replaces_it(void **state)
{
    (void)state;
    static const char route[] = "route";
    static const char code[] = "code";
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    const struct tel_attribute nested = {.key = code, .type = TEL_VALUE_INT, .value.integer = 1};
    struct tel_span span;
    begin(&span, tracer);
    tel_span_set_string(&span, route, "/first", 6);
    tel_span_set_int(&span, code, 200);
    tel_span_add_event(&span, "e", 1, &nested, 1); /* an event's attribute is another's */
    tel_span_set_string(&span, route, "/a much longer one", 18);
    tel_span_set_string(&span, code, "now a string", 12);
    tel_span_set_int(&span, code, 500);
    tel_span_end(&span, 0);
    assert_items(tracer, "@e/1 .code=1 route=/a much longer one code=500 ");
    assert_int_equal(span.dropped_attributes, 0);
    tel_tracer_destroy(tracer);
}

/* Whatever a value's type was, another takes its place, and the key stands once. */
static void test_a_value_of_any_type_replaces_one_of_any_type(void **state)
{
    (void)state;
    static const char key[] = "k";
    static const char *const texts[] = {"k=text ", "k=7 ", "k=true ", "k=0.5 "};
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    for (int first = 0; first < 4; first++) {
        for (int last = 0; last < 4; last++) {
            struct tel_span span;
            begin(&span, tracer);
            for (int turn = 0; turn < 2; turn++) {
                switch (turn == 0 ? first : last) {
                case 0:
                    tel_span_set_string(&span, key, "text", 4);
                    break;
                case 1:
                    tel_span_set_int(&span, key, 7);
                    break;
                case 2:
                    tel_span_set_bool(&span, key, true);
                    break;
                default:
                    tel_span_set_double(&span, key, 0.5);
                }
            }
            tel_span_end(&span, 0);
            assert_items(tracer, texts[last]);
        }
    }
    tel_tracer_destroy(tracer);
}

static void test_a_full_span_still_replaces(void **state)
{
    (void)state;
    static const char keys[TEL_SPAN_BYTES][1];
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    char large[64] = "";
    struct tel_span span;
    size_t count = 0;
    begin(&span, tracer);
    while (span.dropped_attributes == 0) {
        tel_span_set_bool(&span, keys[count++], false);
    }
    tel_span_set_bool(&span, keys[3], true); /* the same size in its place */
    assert_int_equal(span.dropped_attributes, 1);
    tel_span_set_string(&span, keys[3], large, sizeof(large)); /* too large: what was there stays */
    assert_int_equal(span.dropped_attributes, 2);
    tel_span_end(&span, 0);

    const struct tel__span_record *record = peek_span(tracer);
    struct tel_item item;
    size_t position = 0;
    size_t found = 0;
    while (tel__item_next(record, &position, &item)) {
        found++;
        assert_int_equal(item.attribute.value.boolean, item.attribute.key == keys[3]);
    }
    assert_int_equal(found, count - 1); /* all but the one that was dropped; none twice */
    tel_tracer_destroy(tracer);
}

/* So many keys that some share a bit of the filter: what it takes for seen must still be told apart. */
static void test_many_keys_do_not_replace_each_other(void **state)
{
    (void)state;
    static const char keys[150][2];
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    struct tel_span span;
    begin(&span, tracer);
    for (int i = 0; i < 150; i++) {
        tel_span_set_int(&span, keys[i], i);
    }
    tel_span_end(&span, 0);
    const struct tel__span_record *record = peek_span(tracer);
    struct tel_item item;
    size_t position = 0;
    for (int i = 0; i < 150; i++) {
        assert_true(tel__item_next(record, &position, &item));
        assert_ptr_equal(item.attribute.key, keys[i]);
        assert_int_equal(item.attribute.value.integer, i);
    }
    assert_false(tel__item_next(record, &position, &item));
    tel_tracer_destroy(tracer);
}

static void test_what_does_not_fit_is_counted(void **state)
{
    (void)state;
    static const char keys[8][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    char text[1000];
    struct tel_span span;
    memset(text, 'x', sizeof(text));
    begin(&span, tracer);
    for (int i = 0; i < 8; i++) { /* three of a thousand bytes fit into 3072 */
        tel_span_set_string(&span, keys[i], text, sizeof(text));
    }
    assert_int_equal(span.dropped_attributes, 5);
    tel_span_set_string(&span, keys[0], text, 900);          /* replacing is no question of room */
    tel_span_set_string(&span, keys[0], text, sizeof(text)); /* back again: as large as before */
    assert_int_equal(span.dropped_attributes, 5);
    tel_span_set_int(&span, keys[7], 1); /* a small one still fits */
    assert_int_equal(span.dropped_attributes, 5);

    const struct tel_attribute large = {
        .key = "large", .type = TEL_VALUE_STRING, .value.string = {text, sizeof(text)}};
    uint16_t used = span.used;
    tel_span_add_event(&span, "event", 1, &large, 1); /* with all it has or not at all */
    tel_span_add_link(&span, span.trace_id, span.span_id, 0, &large, 1);
    assert_int_equal(span.dropped_events, 1);
    assert_int_equal(span.dropped_links, 1);
    assert_int_equal(span.used, used);
    tel_span_end(&span, 0);

    const struct tel__span_record *record = peek_span(tracer);
    assert_int_equal(record->dropped_attributes, 5);
    assert_int_equal(record->dropped_events, 1);
    assert_int_equal(record->dropped_links, 1);
    tel_tracer_destroy(tracer);
}

static void test_the_largest_span_finds_room_in_the_smallest_queue(void **state)
{
    (void)state;
    static const char keys[3][2] = {"a", "b", "c"};
    struct tel_tracer *tracer = make_tracer(always_on, 1);
    char name[3000];
    struct tel_context parent = {.valid = true, .trace_id = {1}, .flags = TEL_FLAG_SAMPLED};
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    parent.tracestate_length = TEL_TRACESTATE_MAX;
    memset(parent.tracestate, 's', TEL_TRACESTATE_MAX);
    for (int round = 0; round < 20; round++) {
        struct tel_span span;
        tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = name, .parent = &parent});
        for (int i = 0; i < 3; i++) {
            tel_span_set_string(&span, keys[i], name, 1000);
        }
        tel_span_end(&span, 0);
        const struct tel__span_record *record = peek_span(tracer);
        assert_non_null(record);
        assert_int_equal(record->name_length, 1024);
        assert_int_equal(record->tracestate_length, TEL_TRACESTATE_MAX);
        assert_int_equal(record->bytes[1024], 's');
        pop_span(tracer);
    }
    tel_tracer_destroy(tracer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_keep_their_order_and_their_owners),
        cmocka_unit_test(test_a_span_can_be_read),
        cmocka_unit_test(test_an_unsampled_span_holds_nothing),
        cmocka_unit_test(test_setting_a_key_again_replaces_it),
        cmocka_unit_test(test_a_value_of_any_type_replaces_one_of_any_type),
        cmocka_unit_test(test_a_full_span_still_replaces),
        cmocka_unit_test(test_many_keys_do_not_replace_each_other),
        cmocka_unit_test(test_what_does_not_fit_is_counted),
        cmocka_unit_test(test_the_largest_span_finds_room_in_the_smallest_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
