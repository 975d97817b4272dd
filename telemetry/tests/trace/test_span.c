/*
 * Spans as the exporter sees them: ids, parents, times, and what is kept of a span that is not
 * sampled. What is set on a span is in test_span_items.c.
 */
#include "spans.h"

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

    const struct tel__span_record *record = peek_span(tracer);
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
    const struct tel__span_record *record = peek_span(tracer);
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
    assert_int_equal(peek_span(tracer)->tracestate_length, 0);
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
    assert_null(peek_span(tracer));
    tel_tracer_destroy(tracer);
}

static void test_time_never_runs_backwards_in_a_span(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(always_on, 4);
    struct tel_span span;
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "n", .start_wall_ns = 5000});
    tel_span_end(&span, 4000); /* the wall clock was set back meanwhile */
    assert_true(peek_span(tracer)->end_wall_ns == 5000);
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
    const struct tel__span_record *record = peek_span(tracer);
    struct tel_item event;
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
        cmocka_unit_test(test_what_is_not_sampled_keeps_nothing_but_its_ids),
        cmocka_unit_test(test_time_never_runs_backwards_in_a_span),
        cmocka_unit_test(test_times_left_out_are_now),
        cmocka_unit_test(test_after_the_end_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
