/*
 * Log records as OTLP: emitted through the public API, encoded, and read back field by field. The
 * field numbers here are those of the .proto files, written down once more on purpose.
 */
#include "logs/logger.h"
#include "otlp/encode.h"

#include "support.h"

struct bench {
    struct tel_logger *logger;
    struct tel_resource *resource;
    struct tel__encoder encoder;
    struct tel_buffer logs;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->logger =
        tel_logger_create(&(struct tel_logger_options){.shard_count = 1, .queue_size = 10});
    bench->resource = make_resource();
    assert_non_null(bench->logger);
    assert_int_equal(tel__encoder_init(&bench->encoder, bench->resource, "scope", "1.2"), 0);
    tel_buffer_init(&bench->logs, 1 << 20);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    tel_buffer_fini(&bench->logs);
    tel__encoder_fini(&bench->encoder);
    tel_resource_destroy(bench->resource);
    tel_logger_destroy(bench->logger);
    free(bench);
    return 0;
}

/* Encodes the one record that was emitted and returns it as a field of ScopeLogs. */
static struct tel__wire_field encode(struct bench *bench)
{
    size_t length;
    const void *record = tel__queue_peek(&bench->logger->queue, &length);
    assert_non_null(record);
    tel_buffer_clear(&bench->logs);
    assert_int_equal(tel__encode_log(&bench->encoder, record, &bench->logs), 0);
    tel__queue_pop(&bench->logger->queue);
    assert_int_equal(count_fields(bench->logs.data, bench->logs.length, 2), 1);
    return field_at(bench->logs.data, bench->logs.length, 2, 0);
}

static void assert_absent(const struct tel__wire_field *record, const unsigned *numbers,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(count_fields(record->bytes, record->length, numbers[i]), 0);
    }
}

static void test_smallest(void **state)
{
    struct bench *bench = *state;
    tel_logger_emit(bench->logger, 0,
                    &(struct tel_log_record){.wall_ns = 77, .severity = TEL_DEBUG});
    struct tel__wire_field got = encode(bench);
    assert_int_equal(field_in(&got, 1, 0).type, TEL__WIRE_FIXED64);
    assert_int_equal(field_in(&got, 1, 0).value, 77);
    assert_int_equal(field_in(&got, 11, 0).type, TEL__WIRE_FIXED64);
    assert_true(field_in(&got, 11, 0).value > 77);
    static const unsigned absent[] = {5, 6, 7, 8, 9, 10, 12};
    assert_absent(&got, absent, COUNT(absent));
}

static void test_severities(void **state)
{
    struct bench *bench = *state;
    static const struct {
        enum tel_severity severity;
        uint64_t number;
        const char *text;
    } cases[] = {{TEL_DEBUG, 5, "DEBUG"},
                 {TEL_INFO_LEVEL, 9, "INFO"},
                 {TEL_WARN, 13, "WARN"},
                 {TEL_ERROR, 17, "ERROR"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        tel_logger_emit(bench->logger, 0, &(struct tel_log_record){.severity = cases[i].severity});
        struct tel__wire_field got = encode(bench);
        struct tel__wire_field text = field_in(&got, 3, 0);
        assert_int_equal(field_in(&got, 2, 0).value, cases[i].number);
        assert_text(&text, cases[i].text);
    }
    tel_logger_emit(bench->logger, 0, &(struct tel_log_record){.severity = (enum tel_severity)9});
    struct tel__wire_field got = encode(bench);
    static const unsigned absent[] = {2, 3};
    assert_absent(&got, absent, COUNT(absent)); /* UNSPECIFIED */
}

static void test_whole_record(void **state)
{
    struct bench *bench = *state;
    struct tel_tracer *tracer = make_tracer(1);
    struct tel_span span;
    tel_span_begin(&span, tracer, 0, &(struct tel_span_start){.name = "n"});
    const struct tel_attribute attributes[] = {
        {.key = "http.route", .type = TEL_VALUE_STRING, .value.string = {"/cart", 5}},
        {.key = "http.response.status_code", .type = TEL_VALUE_INT, .value.integer = 204},
        {.key = "cart.gift", .type = TEL_VALUE_BOOL, .value.boolean = true},
        {.key = "cart.weight", .type = TEL_VALUE_DOUBLE, .value.real = 1.5}};
    tel_logger_emit(bench->logger, 0,
                    &(struct tel_log_record){.severity = TEL_INFO_LEVEL,
                                             .event_name = "cart.emptied",
                                             .body = "GET /cart 204",
                                             .body_length = 13,
                                             .span = &span,
                                             .attributes = attributes,
                                             .attribute_count = COUNT(attributes)});
    struct tel__wire_field got = encode(bench);
    struct tel__wire_field body = field_in(&got, 5, 0);
    struct tel__wire_field text = field_in(&body, 1, 0);
    assert_text(&text, "GET /cart 204");
    text = field_in(&got, 12, 0);
    assert_text(&text, "cart.emptied");
    assert_int_equal(field_in(&got, 9, 0).length, 16);
    assert_memory_equal(field_in(&got, 9, 0).bytes, span.trace_id, 16);
    assert_int_equal(field_in(&got, 10, 0).length, 8);
    assert_memory_equal(field_in(&got, 10, 0).bytes, span.span_id, 8);
    assert_int_equal(field_in(&got, 8, 0).type, TEL__WIRE_FIXED32);
    assert_int_equal(field_in(&got, 8, 0).value, TEL_FLAG_SAMPLED | TEL_FLAG_RANDOM);
    struct tel__wire_field attribute = field_in(&got, 6, 1);
    text = field_in(&attribute, 1, 0);
    assert_text(&text, "http.response.status_code");
    struct tel__wire_field value = field_in(&attribute, 2, 0);
    assert_int_equal(field_in(&value, 3, 0).value, 204);
    attribute = field_in(&got, 6, 2);
    value = field_in(&attribute, 2, 0);
    assert_int_equal(field_in(&value, 2, 0).value, 1);
    attribute = field_in(&got, 6, 3);
    value = field_in(&attribute, 2, 0);
    const double weight = 1.5;
    uint64_t bits;
    memcpy(&bits, &weight, sizeof(bits));
    assert_int_equal(field_in(&value, 4, 0).value, bits);
    assert_int_equal(count_fields(got.bytes, got.length, 6), 4);
    tel_span_end(&span, 0);
    tel_tracer_destroy(tracer);
}

/* As a string it would make a receiver refuse the whole request. */
static void test_a_body_that_is_not_utf8_goes_as_bytes(void **state)
{
    struct bench *bench = *state;
    tel_logger_emit(bench->logger, 0,
                    &(struct tel_log_record){.body = "GET /\xff", .body_length = 6});
    struct tel__wire_field got = encode(bench);
    struct tel__wire_field body = field_in(&got, 5, 0);
    struct tel__wire_field bytes = field_in(&body, 7, 0);
    assert_text(&bytes, "GET /\xff");
    assert_int_equal(count_fields(body.bytes, body.length, 1), 0);
}

static void test_what_was_left_out_is_said(void **state)
{
    struct bench *bench = *state;
    static char value[TEL_ATTRIBUTE_VALUE_MAX];
    struct tel_attribute attributes[6];
    for (size_t i = 0; i < COUNT(attributes); i++) {
        attributes[i] = (struct tel_attribute){
            .key = "k", .type = TEL_VALUE_STRING, .value.string = {value, sizeof(value)}};
    }
    tel_logger_emit(
        bench->logger, 0,
        &(struct tel_log_record){.attributes = attributes, .attribute_count = COUNT(attributes)});
    struct tel__wire_field got = encode(bench);
    assert_int_equal(count_fields(got.bytes, got.length, 6), 3);
    assert_int_equal(field_in(&got, 7, 0).value, 3);
}

/* All or nothing: what does not fit leaves the records before it as they were. */
static void test_no_room(void **state)
{
    struct bench *bench = *state;
    struct tel_buffer small;
    size_t length;
    tel_logger_emit(bench->logger, 0, &(struct tel_log_record){.body = "a body", .body_length = 6});
    const void *record = tel__queue_peek(&bench->logger->queue, &length);
    for (size_t limit = 1; limit < 60; limit++) {
        tel_buffer_init(&small, limit);
        assert_int_equal(tel__encode_log(&bench->encoder, record, &small), -EMSGSIZE);
        assert_int_equal(small.length, 0);
        assert_int_equal(small.error, 0);
        tel_buffer_fini(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_smallest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_severities, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_body_that_is_not_utf8_goes_as_bytes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_was_left_out_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
