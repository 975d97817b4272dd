/*
 * The logger: what lies in its queue after emit, and the equation
 *
 *     emitted = dropped + queued + taken by the exporter
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "logs/logger.h"
#include "telemetry/clock.h"
#include "trace/item.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct tel_logger *make_logger(size_t shard_count, size_t queue_size)
{
    struct tel_logger *logger = tel_logger_create(
        &(struct tel_logger_options){.shard_count = shard_count, .queue_size = queue_size});
    assert_non_null(logger);
    return logger;
}

static const struct tel__log_record *peek_record(struct tel_logger *logger)
{
    size_t length;
    const struct tel__log_record *record = tel__queue_peek(&logger->queue, &length);
    if (record != NULL) {
        assert_int_equal(length, offsetof(struct tel__log_record, bytes) + record->body_length +
                                     record->items_length);
    }
    return record;
}

static struct tel_logger_stats assert_equation(const struct tel_logger *logger, uint64_t taken)
{
    struct tel_logger_stats stats;
    tel_logger_get_stats(logger, &stats);
    assert_int_equal(stats.emitted,
                     stats.dropped_queue_full + stats.dropped_shutdown + stats.queued + taken);
    return stats;
}

static void emit_body(struct tel_logger *logger, size_t shard, const char *body)
{
    tel_logger_emit(
        logger, shard,
        &(struct tel_log_record){.severity = TEL_WARN, .body = body, .body_length = strlen(body)});
}

static void test_options_out_of_range(void **state)
{
    (void)state;
    static const struct tel_logger_options cases[] = {{.shard_count = 0, .queue_size = 10},
                                                      {.shard_count = 1000000, .queue_size = 10},
                                                      {.shard_count = 1, .queue_size = 100000000}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        errno = 0;
        assert_null(tel_logger_create(&cases[i]));
        assert_int_equal(errno, EINVAL);
    }
    tel_logger_destroy(NULL);
}

static void test_whole_record(void **state)
{
    (void)state;
    struct tel_tracer *tracer = tel_tracer_create(&(struct tel_tracer_options){
        .shard_count = 1, .sampler = {TEL_SAMPLER_ALWAYS_ON, 1, true}, .queue_size = 1});
    struct tel_logger *logger = make_logger(1, 10);
    struct tel_span span;
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "n"});
    const struct tel_attribute attributes[] = {
        {.key = "http.route", .type = TEL_VALUE_STRING, .value.string = {"/cart", 5}},
        {.key = "http.response.status_code", .type = TEL_VALUE_INT, .value.integer = 204},
        {.key = "seconds", .type = TEL_VALUE_DOUBLE, .value.real = 0.25},
        {.key = "cached", .type = TEL_VALUE_BOOL, .value.boolean = true}};
    tel_logger_emit(logger, 0,
                    &(struct tel_log_record){.wall_ns = 12345,
                                             .severity = TEL_ERROR,
                                             .event_name = "cart.emptied",
                                             .body = "cart emptied, and more",
                                             .body_length = 12,
                                             .span = &span,
                                             .attributes = attributes,
                                             .attribute_count = COUNT(attributes)});
    const struct tel__log_record *record = peek_record(logger);
    assert_int_equal(record->wall_ns, 12345);
    assert_true(record->observed_wall_ns > record->wall_ns);
    assert_int_equal(record->severity, TEL_ERROR);
    assert_string_equal(record->event_name, "cart.emptied");
    assert_true(record->traced);
    assert_memory_equal(record->trace_id, span.trace_id, 16);
    assert_memory_equal(record->span_id, span.span_id, 8);
    assert_int_equal(record->flags, TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM);
    assert_int_equal(record->body_length, 12);
    assert_memory_equal(record->bytes, "cart emptied", 12);
    assert_int_equal(record->dropped_attributes, 0);
    size_t position = 0;
    struct tel_item item;
    for (size_t i = 0; i < COUNT(attributes); i++) {
        assert_true(tel__items_step(record->bytes + 12, record->items_length, &position, &item));
        assert_ptr_equal(item.attribute.key, attributes[i].key);
        assert_int_equal(item.attribute.type, attributes[i].type);
    }
    assert_true(item.attribute.value.boolean);
    assert_false(tel__items_step(record->bytes + 12, record->items_length, &position, &item));
    tel_span_end(&span, 0);
    tel_logger_destroy(logger);
    tel_tracer_destroy(tracer);
}

static void test_bare_record_is_of_now(void **state)
{
    (void)state;
    struct tel_logger *logger = make_logger(1, 10);
    uint64_t before = tel_clock_wall_ns();
    tel_logger_emit(logger, 0, &(struct tel_log_record){.severity = TEL_DEBUG});
    const struct tel__log_record *record = peek_record(logger);
    assert_true(record->wall_ns >= before && record->wall_ns <= tel_clock_wall_ns());
    assert_int_equal(record->wall_ns, record->observed_wall_ns);
    assert_false(record->traced);
    assert_null(record->event_name);
    assert_int_equal(record->body_length, 0);
    assert_int_equal(record->items_length, 0);
    tel_logger_destroy(logger);
}

/* Cut at a character's border, never within one. */
static void test_a_long_body_is_cut(void **state)
{
    (void)state;
    static char body[TEL_LOG_BODY_MAX + 10];
    struct tel_logger *logger = make_logger(1, 10);
    memset(body, 'x', sizeof(body) - 1);
    memcpy(body + TEL_LOG_BODY_MAX - 1, "\xc3\xa9", 2); /* the limit stands in its middle */
    emit_body(logger, 0, body);
    assert_int_equal(peek_record(logger)->body_length, TEL_LOG_BODY_MAX - 1);
    tel_logger_destroy(logger);
}

/* One that does not fit is left out and counted; a smaller one behind it still goes in. */
static void test_too_many_attributes(void **state)
{
    (void)state;
    static char value[TEL_ATTRIBUTE_VALUE_MAX];
    struct tel_attribute attributes[10];
    struct tel_logger *logger = make_logger(1, 10);
    memset(value, 'v', sizeof(value));
    for (size_t i = 0; i < COUNT(attributes); i++) {
        attributes[i] = (struct tel_attribute){
            .key = "k", .type = TEL_VALUE_STRING, .value.string = {value, sizeof(value)}};
    }
    attributes[9].value.string.length = 1;
    tel_logger_emit(
        logger, 0,
        &(struct tel_log_record){.attributes = attributes, .attribute_count = COUNT(attributes)});
    const struct tel__log_record *record = peek_record(logger);
    assert_int_equal(record->dropped_attributes, 6); /* three of 1 KiB fit, and the small one */
    assert_true(record->items_length <= TEL_LOG_BYTES_MAX);
    assert_int_equal(record->bytes[record->items_length - 1], 'v');
    tel_logger_destroy(logger);
}

static void test_every_record_is_in_one_term(void **state)
{
    (void)state;
    struct tel_logger *logger = make_logger(2, 4);
    uint64_t taken = 0;
    for (int i = 0; i < 3; i++) {
        emit_body(logger, 0, "a");
    }
    emit_body(logger, 1, "b");
    struct tel_logger_stats stats = assert_equation(logger, taken);
    assert_int_equal(stats.emitted, 4);
    assert_int_equal(stats.dropped_queue_full, 1);
    assert_int_equal(stats.queued, 3);
    assert_int_equal(stats.queue_capacity, 4);
    assert_non_null(peek_record(logger));
    tel__queue_pop(&logger->queue);
    taken++;
    assert_equation(logger, taken);
    tel_logger_close(logger);
    emit_body(logger, 0, "late");
    stats = assert_equation(logger, taken);
    assert_int_equal(stats.dropped_shutdown, 1);
    tel_logger_destroy(logger);
}

static void test_without_a_queue_all_is_dropped(void **state)
{
    (void)state;
    struct tel_logger *logger = make_logger(1, 0);
    emit_body(logger, 0, "a");
    assert_null(peek_record(logger));
    assert_int_equal(assert_equation(logger, 0).dropped_queue_full, 1);
    tel_logger_destroy(logger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_whole_record),
        cmocka_unit_test(test_bare_record_is_of_now),
        cmocka_unit_test(test_a_long_body_is_cut),
        cmocka_unit_test(test_too_many_attributes),
        cmocka_unit_test(test_every_record_is_in_one_term),
        cmocka_unit_test(test_without_a_queue_all_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
