/*
 * Spans as the exporter sees them: what was set on a span is in its record, and what did not fit is
 * counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/record.h"

static struct tel_tracer *make_tracer(struct tel_sampler sampler, size_t queue_size)
{
    struct tel_tracer *tracer = tel_tracer_create(&(struct tel_tracer_options){
        .shard_count = 1, .sampler = sampler, .queue_size = queue_size});
    assert_non_null(tracer);
    return tracer;
}

static const struct tel_sampler always_on = {TEL_SAMPLER_ALWAYS_ON, 1, true};
static const struct tel_sampler always_off = {TEL_SAMPLER_ALWAYS_OFF, 1, true};

/* The record's items as text: `key=value` an attribute, `@name/time` an event, `>id/flags` a link,
 * `.key=value` what is nested. */
static void describe(const struct tel__span_record *record, char *out, size_t size)
{
    struct tel__item item;
    size_t position = 0;
    size_t at = 0;
    out[0] = '\0';
    while (tel__item_next(record, &position, &item)) {
        const struct tel_attribute *attribute = &item.attribute;
        const char *dot = item.what == TEL__ITEM_NESTED ? "." : "";
        if (item.what == TEL__ITEM_EVENT) {
            at += (size_t)snprintf(out + at, size - at, "@%s/%llu ", attribute->key,
                                   (unsigned long long)item.wall_ns);
        } else if (item.what == TEL__ITEM_LINK) {
            at += (size_t)snprintf(out + at, size - at, ">%02x%02x/%d ", item.trace_id[0],
                                   item.span_id[0], item.flags);
        } else if (attribute->type == TEL_VALUE_STRING) {
            at +=
                (size_t)snprintf(out + at, size - at, "%s%s=%.*s ", dot, attribute->key,
                                 (int)attribute->value.string.length, attribute->value.string.data);
        } else if (attribute->type == TEL_VALUE_INT) {
            at += (size_t)snprintf(out + at, size - at, "%s%s=%lld ", dot, attribute->key,
                                   (long long)attribute->value.integer);
        } else if (attribute->type == TEL_VALUE_BOOL) {
            at += (size_t)snprintf(out + at, size - at, "%s%s=%s ", dot, attribute->key,
                                   attribute->value.boolean ? "true" : "false");
        } else {
            at += (size_t)snprintf(out + at, size - at, "%s%s=%g ", dot, attribute->key,
                                   attribute->value.real);
        }
        assert_true(at < size);
    }
}

static void assert_items(struct tel_tracer *tracer, const char *expected)
{
    char text[4096];
    const struct tel__span_record *record = tel__tracer_peek(tracer);
    assert_non_null(record);
    describe(record, text, sizeof(text));
    assert_string_equal(text, expected);
    tel__tracer_pop(tracer);
}

static void begin(struct tel_span *span, struct tel_tracer *tracer)
{
    memset(span, 0xa5, sizeof(*span)); /* begin must not count on a clean struct */
    tel_span_begin(span, tracer, 0,
                   &(struct tel_span_start){.name = "name", .kind = TEL_SPAN_SERVER});
}

static void test_a_record_has_all_of_the_span(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    const struct tel_context parent = {.valid = true,
                                       .remote = true,
                                       .trace_id = {1, 2, 3},
                                       .span_id = {9},
                                       .flags = TEL_FLAG_SAMPLED,
                                       .tracestate_length = 3,
                                       .tracestate = "a=1"};
    struct tel_span span;
    memset(&span, 0xa5, sizeof(span));
    tel_span_begin(
        &span, tracer, 0,
        &(struct tel_span_start){
            .name = "GET", .kind = TEL_SPAN_SERVER, .start_wall_ns = 1000, .parent = &parent});
    assert_true(tel_span_is_recording(&span));
    assert_true(tel_span_is_sampled(&span));
    tel_span_set_name(&span, "GET /cart");
    tel_span_set_string(&span, "method", "GET", 3);
    tel_span_set_status(&span, TEL_STATUS_ERROR);
    tel_span_end(&span, 3000);

    const struct tel__span_record *record = tel__tracer_peek(tracer);
    assert_non_null(record);
    assert_true(record->start_wall_ns == 1000 && record->end_wall_ns == 3000);
    assert_memory_equal(record->trace_id, parent.trace_id, 16);
    assert_memory_equal(record->parent_span_id, parent.span_id, 8);
    assert_memory_equal(record->span_id, span.span_id, 8);
    assert_true(record->has_parent && record->parent_remote);
    assert_int_equal(record->flags, TEL_FLAG_SAMPLED); /* random as the caller said: not */
    assert_int_equal(record->kind, TEL_SPAN_SERVER);
    assert_int_equal(record->status, TEL_STATUS_ERROR);
    assert_int_equal(record->name_length, 9);
    assert_int_equal(record->tracestate_length, 3);
    assert_memory_equal(record->bytes, "GET /carta=1", 12);
    assert_items(tracer, "method=GET ");
    tel_tracer_destroy(tracer);
}

static void test_a_root_makes_its_own_ids(void **state)
{
    (void)state;
    static const uint8_t zero[16] = {0};
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    struct tel_span one;
    struct tel_span two;
    begin(&one, tracer);
    begin(&two, tracer);
    assert_memory_not_equal(one.trace_id, zero, 16);
    assert_memory_not_equal(one.span_id, zero, 8);
    assert_memory_not_equal(one.trace_id, two.trace_id, 16);
    assert_memory_not_equal(one.span_id, two.span_id, 8);
    assert_int_equal(one.flags, TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM);
    tel_span_end(&one, 0);
    const struct tel__span_record *record = tel__tracer_peek(tracer);
    assert_false(record->has_parent);
    assert_false(record->parent_remote);
    assert_memory_equal(record->parent_span_id, zero, 8);
    tel_tracer_destroy(tracer);
}

static void test_a_child_span_follows_its_parent(void **state)
{
    (void)state;
    static const struct tel_sampler samplers[] = {{TEL_SAMPLER_ALWAYS_ON, 1, true},
                                                  {TEL_SAMPLER_ALWAYS_OFF, 1, true}};
    for (int i = 0; i < 2; i++) {
        struct tel_tracer *tracer = make_tracer(samplers[i], 4);
        struct tel_span parent;
        struct tel_span child;
        const struct tel_context loser = {.valid = true, .remote = true, .trace_id = {7}};
        begin(&parent, tracer);
        tel_span_begin(&child, tracer, 0,
                       &(struct tel_span_start){.name = "work",
                                                .kind = TEL_SPAN_INTERNAL,
                                                .parent_span = &parent,
                                                .parent = &loser});
        assert_memory_equal(child.trace_id, parent.trace_id, 16);
        assert_memory_equal(child.parent_span_id, parent.span_id, 8);
        assert_int_equal(child.flags, parent.flags);
        assert_int_equal(tel_span_is_sampled(&child), i == 0);
        assert_true(child.has_parent);
        assert_false(child.parent_remote);
        tel_tracer_destroy(tracer);
    }
}

static void test_the_random_flag_is_passed_on(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_off, 4);
    for (uint8_t flags = 0; flags < 4; flags++) {
        const struct tel_context parent = {.valid = true, .trace_id = {1}, .flags = flags};
        struct tel_span span;
        tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.parent = &parent});
        assert_int_equal(span.flags, flags);
    }
    tel_tracer_destroy(tracer);
}

static void test_an_invalid_parent_is_no_parent(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    const struct tel_context parent = {
        .trace_id = {1}, .span_id = {2}, .tracestate_length = 3, .tracestate = "a=1"};
    struct tel_span span;
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "n", .parent = &parent});
    assert_false(span.has_parent);
    assert_memory_not_equal(span.trace_id, parent.trace_id, 16);
    tel_span_end(&span, 0);
    assert_int_equal(tel__tracer_peek(tracer)->tracestate_length, 0);
    tel_tracer_destroy(tracer);
}

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

/* Many more keys than the filter has bits: what it takes for seen must still be told apart. */
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
    const struct tel__span_record *record = tel__tracer_peek(tracer);
    struct tel__item item;
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

    const struct tel__span_record *record = tel__tracer_peek(tracer);
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
        const struct tel__span_record *record = tel__tracer_peek(tracer);
        assert_non_null(record);
        assert_int_equal(record->name_length, 1024);
        assert_int_equal(record->tracestate_length, TEL_TRACESTATE_MAX);
        assert_int_equal(record->bytes[1024], 's');
        tel__tracer_pop(tracer);
    }
    tel_tracer_destroy(tracer);
}

static void test_what_is_not_sampled_keeps_nothing_but_its_ids(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_off, 4);
    struct tel_span span;
    begin(&span, tracer);
    assert_false(tel_span_is_recording(&span));
    assert_false(tel_span_is_sampled(&span));
    tel_span_set_int(&span, "a", 1);
    tel_span_add_event(&span, "e", 1, NULL, 0);
    tel_span_add_link(&span, span.trace_id, span.span_id, 0, NULL, 0);
    assert_int_equal(span.used, 0);
    assert_int_equal(span.dropped_attributes + span.dropped_events + span.dropped_links, 0);
    tel_span_end(&span, 0);
    assert_null(tel__tracer_peek(tracer));
    tel_tracer_destroy(tracer);
}

static void test_time_never_runs_backwards_in_a_span(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    struct tel_span span;
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "n", .start_wall_ns = 5000});
    tel_span_end(&span, 4000); /* the wall clock was set back meanwhile */
    assert_true(tel__tracer_peek(tracer)->end_wall_ns == 5000);
    tel_tracer_destroy(tracer);
}

static void test_times_left_out_are_now(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    struct tel_span span;
    begin(&span, tracer);
    tel_span_add_event(&span, "e", 0, NULL, 0);
    tel_span_end(&span, 0);
    const struct tel__span_record *record = tel__tracer_peek(tracer);
    struct tel__item event;
    size_t position = 0;
    assert_true(tel__item_next(record, &position, &event));
    assert_true(record->start_wall_ns > 1500000000ull * 1000000000ull);
    assert_true(record->end_wall_ns >= record->start_wall_ns);
    assert_true(event.wall_ns >= record->start_wall_ns);
    tel_tracer_destroy(tracer);
}

static void test_after_the_end_nothing_changes(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    struct tel_tracer_stats stats;
    struct tel_span span;
    begin(&span, tracer);
    tel_span_end(&span, 0);
    tel_span_set_int(&span, "late", 1);
    tel_span_end(&span, 0);
    tel_tracer_get_stats(tracer, &stats);
    assert_int_equal(stats.ended, 1);
    assert_int_equal(stats.queued, 1);
    assert_items(tracer, "");
    tel_tracer_destroy(tracer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_has_all_of_the_span),
        cmocka_unit_test(test_a_root_makes_its_own_ids),
        cmocka_unit_test(test_a_child_span_follows_its_parent),
        cmocka_unit_test(test_the_random_flag_is_passed_on),
        cmocka_unit_test(test_an_invalid_parent_is_no_parent),
        cmocka_unit_test(test_items_keep_their_order_and_their_owners),
        cmocka_unit_test(test_setting_a_key_again_replaces_it),
        cmocka_unit_test(test_many_keys_do_not_replace_each_other),
        cmocka_unit_test(test_what_does_not_fit_is_counted),
        cmocka_unit_test(test_the_largest_span_finds_room_in_the_smallest_queue),
        cmocka_unit_test(test_what_is_not_sampled_keeps_nothing_but_its_ids),
        cmocka_unit_test(test_time_never_runs_backwards_in_a_span),
        cmocka_unit_test(test_times_left_out_are_now),
        cmocka_unit_test(test_after_the_end_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
