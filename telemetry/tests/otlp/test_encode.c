/*
 * Spans as OTLP: recorded through the public API, encoded, and read back field by field. The field
 * numbers here are those of the .proto files, written down once more on purpose.
 */
#include "otlp/encode.h"

#include "support.h"

struct bench {
    struct tel_tracer *tracer;
    struct tel_resource *resource;
    struct tel__encoder encoder;
    struct tel_buffer spans;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->tracer = make_tracer(100);
    bench->resource = make_resource();
    assert_int_equal(tel__encoder_init(&bench->encoder, bench->resource, "scope", "1.2"), 0);
    tel_buffer_init(&bench->spans, 1 << 20);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    tel_buffer_fini(&bench->spans);
    tel__encoder_fini(&bench->encoder);
    tel_resource_destroy(bench->resource);
    tel_tracer_destroy(bench->tracer);
    free(bench);
    return 0;
}

/* Encodes the one span that was ended and returns it as a field of ScopeSpans. */
static struct tel__wire_field encode(struct bench *bench)
{
    const struct tel__span_record *record = peek_span(bench->tracer);
    assert_non_null(record);
    tel_buffer_clear(&bench->spans);
    assert_int_equal(tel__encode_span(&bench->encoder, record, &bench->spans), 0);
    pop_span(bench->tracer);
    assert_int_equal(count_fields(bench->spans.data, bench->spans.length, 2), 1);
    return field_at(bench->spans.data, bench->spans.length, 2, 0);
}

static size_t count_in(const struct tel__wire_field *message, unsigned number)
{
    return count_fields(message->bytes, message->length, number);
}

/* The AnyValue of the attribute `key` among the fields `number`. */
static struct tel__wire_field value_of(const struct tel__wire_field *message, unsigned number,
                                       const char *key)
{
    for (size_t i = 0; i < count_in(message, number); i++) {
        struct tel__wire_field attribute = field_in(message, number, i);
        struct tel__wire_field name = field_in(&attribute, 1, 0);
        if (name.length == strlen(key) && memcmp(name.bytes, key, name.length) == 0) {
            return field_in(&attribute, 2, 0);
        }
    }
    fail_msg("no attribute %s", key);
    return (struct tel__wire_field){0};
}

static void test_smallest(void **state)
{
    struct bench *bench = *state;
    struct tel_span span;
    tel_span_begin(
        &span, bench->tracer, 0,
        &(struct tel_span_start){.name = "work", .kind = TEL_SPAN_INTERNAL, .start_wall_ns = 1000});
    uint8_t trace_id[16];
    uint8_t span_id[8];
    memcpy(trace_id, span.trace_id, sizeof(trace_id));
    memcpy(span_id, span.span_id, sizeof(span_id));
    tel_span_end(&span, 3000);
    struct tel__wire_field got = encode(bench);
    assert_memory_equal(field_in(&got, 1, 0).bytes, trace_id, 16);
    assert_int_equal(field_in(&got, 1, 0).length, 16);
    assert_memory_equal(field_in(&got, 2, 0).bytes, span_id, 8);
    struct tel__wire_field name = field_in(&got, 5, 0);
    assert_text(&name, "work");
    assert_int_equal(field_in(&got, 6, 0).value, 1);
    assert_int_equal(field_in(&got, 7, 0).value, 1000);
    assert_int_equal(field_in(&got, 7, 0).type, TEL__WIRE_FIXED64);
    assert_int_equal(field_in(&got, 8, 0).value, 3000);
    assert_int_equal(field_in(&got, 16, 0).type, TEL__WIRE_FIXED32);
    assert_int_equal(field_in(&got, 16, 0).value, 0x103); /* sampled, random, not remote, known */
    static const unsigned absent[] = {3, 4, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < COUNT(absent); i++) {
        assert_int_equal(count_in(&got, absent[i]), 0);
    }
}

static void test_parent(void **state)
{
    struct bench *bench = *state;
    struct tel_context context = {.trace_id = {1},
                                  .span_id = {2},
                                  .flags = TEL_FLAG_SAMPLED,
                                  .valid = true,
                                  .remote = true,
                                  .tracestate_length = 3};
    memcpy(context.tracestate, "a=b", 3);
    struct tel_span server;
    tel_span_begin(
        &server, bench->tracer, 0,
        &(struct tel_span_start){.name = "GET /", .kind = TEL_SPAN_SERVER, .parent = &context});
    struct tel_span child;
    tel_span_begin(&child, bench->tracer, 0,
                   &(struct tel_span_start){
                       .name = "work", .kind = TEL_SPAN_INTERNAL, .parent_span = &server});
    uint8_t server_id[8];
    memcpy(server_id, server.span_id, sizeof(server_id));
    tel_span_end(&child, 0);
    tel_span_end(&server, 0);

    struct tel__wire_field got = encode(bench);
    assert_memory_equal(field_in(&got, 1, 0).bytes, context.trace_id, 16);
    assert_memory_equal(field_in(&got, 4, 0).bytes, server_id, 8);
    assert_int_equal(field_in(&got, 16, 0).value, 0x101); /* its parent is here */
    got = encode(bench);
    assert_memory_equal(field_in(&got, 4, 0).bytes, context.span_id, 8);
    struct tel__wire_field tracestate = field_in(&got, 3, 0);
    assert_text(&tracestate, "a=b");
    assert_int_equal(field_in(&got, 16, 0).value, 0x301); /* remote */
    assert_int_equal(field_in(&got, 6, 0).value, 2);
}

static void test_values(void **state)
{
    struct bench *bench = *state;
    struct tel_span span;
    tel_span_begin(&span, bench->tracer, 0,
                   &(struct tel_span_start){.name = "b\xff", .kind = TEL_SPAN_CLIENT});
    tel_span_set_string(&span, "text", TEXT_OF("caf\xc3\xa9"));
    tel_span_set_string(&span, "not text", TEXT_OF("b\xff\xfe"));
    tel_span_set_string(&span, "empty", "", 0);
    tel_span_set_bool(&span, "yes", true);
    tel_span_set_bool(&span, "no", false);
    tel_span_set_int(&span, "zero", 0);
    tel_span_set_int(&span, "minus", -1);
    tel_span_set_int(&span, "most", INT64_MAX);
    tel_span_set_double(&span, "half", 0.5);
    tel_span_set_status(&span, TEL_STATUS_ERROR);
    tel_span_end(&span, 0);
    struct tel__wire_field got = encode(bench);

    struct tel__wire_field name = field_in(&got, 5, 0);
    assert_text(&name, "b?"); /* a name has no other form than text */
    struct tel__wire_field value = value_of(&got, 9, "text");
    value = field_in(&value, 1, 0);
    assert_text(&value, "caf\xc3\xa9");
    value = value_of(&got, 9, "not text");
    assert_int_equal(count_in(&value, 1), 0);
    value = field_in(&value, 7, 0);
    assert_text(&value, "b\xff\xfe");
    value = value_of(&got, 9, "empty"); /* a value that is set, not one that is missing */
    assert_int_equal(field_in(&value, 1, 0).length, 0);
    value = value_of(&got, 9, "yes");
    assert_int_equal(field_in(&value, 2, 0).value, 1);
    value = value_of(&got, 9, "no");
    assert_int_equal(field_in(&value, 2, 0).value, 0);
    value = value_of(&got, 9, "zero");
    assert_int_equal(field_in(&value, 3, 0).value, 0);
    value = value_of(&got, 9, "minus");
    assert_true(field_in(&value, 3, 0).value == UINT64_MAX);
    value = value_of(&got, 9, "most");
    assert_true(field_in(&value, 3, 0).value == INT64_MAX);
    value = value_of(&got, 9, "half");
    assert_true(field_in(&value, 4, 0).value == 0x3fe0000000000000u);
    struct tel__wire_field status = field_in(&got, 15, 0);
    assert_int_equal(field_in(&status, 3, 0).value, 2);
    assert_int_equal(field_in(&got, 6, 0).value, 3);
}

/* An attribute belongs to what it was added to, wherever it stands among the others. */
static void test_events_and_links(void **state)
{
    struct bench *bench = *state;
    static const struct tel_attribute two[] = {
        {.key = "size", .type = TEL_VALUE_INT, .value.integer = 7},
        {.key = "why", .type = TEL_VALUE_STRING, .value.string = {"x", 1}}};
    static const uint8_t trace_id[16] = {9};
    static const uint8_t span_id[8] = {8};
    struct tel_span span;
    tel_span_begin(&span, bench->tracer, 0,
                   &(struct tel_span_start){.name = "n", .kind = TEL_SPAN_SERVER});
    tel_span_set_int(&span, "before", 1);
    tel_span_add_event(&span, "first", 111, two, 2);
    tel_span_set_int(&span, "between", 2);
    tel_span_add_link(&span, trace_id, span_id, TEL_FLAG_SAMPLED, two, 1);
    tel_span_add_event(&span, "second", 222, NULL, 0);
    tel_span_set_int(&span, "after", 3);
    tel_span_end(&span, 0);
    struct tel__wire_field got = encode(bench);

    assert_int_equal(count_in(&got, 9), 3);
    assert_int_equal(count_in(&got, 11), 2);
    assert_int_equal(count_in(&got, 13), 1);
    struct tel__wire_field event = field_in(&got, 11, 0);
    struct tel__wire_field name = field_in(&event, 2, 0);
    assert_text(&name, "first");
    assert_int_equal(field_in(&event, 1, 0).value, 111);
    assert_int_equal(count_in(&event, 3), 2);
    struct tel__wire_field value = value_of(&event, 3, "size");
    assert_int_equal(field_in(&value, 3, 0).value, 7);
    event = field_in(&got, 11, 1);
    assert_int_equal(field_in(&event, 1, 0).value, 222);
    assert_int_equal(count_in(&event, 3), 0);
    struct tel__wire_field link = field_in(&got, 13, 0);
    assert_memory_equal(field_in(&link, 1, 0).bytes, trace_id, 16);
    assert_memory_equal(field_in(&link, 2, 0).bytes, span_id, 8);
    assert_int_equal(field_in(&link, 6, 0).value, TEL_FLAG_SAMPLED);
    assert_int_equal(count_in(&link, 4), 1);
}

static void test_dropped_counts(void **state)
{
    struct bench *bench = *state;
    struct tel_span span;
    tel_span_begin(&span, bench->tracer, 0,
                   &(struct tel_span_start){.name = "n", .kind = TEL_SPAN_SERVER});
    span.dropped_attributes = 1;
    span.dropped_events = 200;
    span.dropped_links = UINT16_MAX;
    tel_span_end(&span, 0);
    struct tel__wire_field got = encode(bench);
    assert_int_equal(field_in(&got, 10, 0).value, 1);
    assert_int_equal(field_in(&got, 12, 0).value, 200);
    assert_int_equal(field_in(&got, 14, 0).value, UINT16_MAX);
}

/* A span that has no room leaves no trace: what is there can still go out. */
static void test_whole_or_not_at_all(void **state)
{
    struct bench *bench = *state;
    end_spans(bench->tracer, 2);
    const struct tel__span_record *record = peek_span(bench->tracer);
    assert_int_equal(tel__encode_span(&bench->encoder, record, &bench->spans), 0);
    size_t one = bench->spans.length;
    for (size_t room = 0; room < one; room++) {
        bench->spans.limit = one + room;
        bench->spans.capacity = one + room; /* as if it had been allocated so */
        assert_int_equal(tel__encode_span(&bench->encoder, record, &bench->spans), -EMSGSIZE);
        assert_int_equal(bench->spans.length, one);
        assert_int_equal(bench->spans.error, 0);
    }
    pop_span(bench->tracer);
    pop_span(bench->tracer);
}

/* Head and spans together are one request, whatever their lengths. */
static void test_request(void **state)
{
    struct bench *bench = *state;
    struct tel_buffer head;
    tel_buffer_init(&head, TEL__ENCODE_HEAD_MAX);
    for (size_t count = 1; count <= 60; count += 7) {
        tel_buffer_clear(&bench->spans);
        end_spans(bench->tracer, count);
        for (size_t i = 0; i < count; i++) {
            const struct tel__span_record *record = peek_span(bench->tracer);
            assert_int_equal(tel__encode_span(&bench->encoder, record, &bench->spans), 0);
            pop_span(bench->tracer);
        }
        assert_int_equal(tel__encode_head(&bench->encoder, bench->spans.length, &head), 0);
        tel_buffer_append(&head, bench->spans.data, bench->spans.length);
        assert_int_equal(count_spans(head.data, head.length), count);

        struct tel__wire_field resource_spans = field_at(head.data, head.length, 1, 0);
        struct tel__wire_field resource = field_in(&resource_spans, 1, 0);
        struct tel__wire_field value = value_of(&resource, 1, "service.name");
        value = field_in(&value, 1, 0);
        assert_text(&value, "shop");
        struct tel__wire_field schema = field_in(&resource_spans, 3, 0);
        assert_text(&schema, TEL__SCHEMA_URL);
        struct tel__wire_field scope_spans = field_in(&resource_spans, 2, 0);
        struct tel__wire_field scope = field_in(&scope_spans, 1, 0);
        struct tel__wire_field text = field_in(&scope, 1, 0);
        assert_text(&text, "scope");
        text = field_in(&scope, 2, 0);
        assert_text(&text, "1.2");
    }
    tel_buffer_fini(&head);
}

static void test_resource(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    struct tel__encoder encoder;
    assert_int_equal(tel_resource_add(resource, "process.pid", "4711"), 0);
    assert_int_equal(tel_resource_add(resource, "host.name", "4711"), 0);
    assert_int_equal(tel__encoder_init(&encoder, resource, NULL, NULL), 0);
    struct tel__wire_field got = field_at(encoder.resource.data, encoder.resource.length, 1, 0);
    struct tel__wire_field value = value_of(&got, 1, "process.pid");
    assert_int_equal(field_in(&value, 3, 0).value, 4711); /* an int by the conventions */
    value = value_of(&got, 1, "host.name");
    assert_int_equal(count_in(&value, 1), 1);
    tel__encoder_fini(&encoder);
    tel_resource_destroy(resource);
}

/* Short keys and values take a way of their own: every length on either side of its borders. */
static void test_attributes_of_every_length(void **state)
{
    struct bench *bench = *state;
    static char key[80];
    static char value[200];
    struct tel_buffer out;
    tel_buffer_init(&out, 1024);
    memset(value, 'v', sizeof(value));
    for (size_t key_length = 1; key_length < sizeof(key); key_length++) {
        memset(key, 'k', key_length);
        key[key_length] = '\0';
        memset(bench->encoder.keys, 0, sizeof(bench->encoder.keys)); /* `key` was another one */
        for (size_t length = 0; length < sizeof(value); length++) {
            const struct tel_attribute attribute = {
                .key = key, .type = TEL_VALUE_STRING, .value.string = {value, length}};
            tel_buffer_clear(&out);
            tel__encode_attribute(&bench->encoder, &out, 9, &attribute);
            struct tel__wire_field got = field_at(out.data, out.length, 9, 0);
            struct tel__wire_field name = field_in(&got, 1, 0);
            struct tel__wire_field any = field_in(&got, 2, 0);
            struct tel__wire_field text = field_in(&any, 1, 0);
            assert_int_equal(count_fields(out.data, out.length, 9), 1);
            assert_text(&name, key);
            assert_int_equal(text.length, length);
            assert_memory_equal(text.bytes, value, length);
        }
    }
    tel_buffer_fini(&out);
}

/* Keys that are short, too long to be remembered, and so long that lengths take more than a byte. */
static void test_values_after_keys_of_every_length(void **state)
{
    struct bench *bench = *state;
    static const struct tel_attribute values[] = {
        {.type = TEL_VALUE_BOOL, .value.boolean = true},
        {.type = TEL_VALUE_INT, .value.integer = 1},
        {.type = TEL_VALUE_INT, .value.integer = INT64_MIN},
        {.type = TEL_VALUE_DOUBLE, .value.real = -0.0},
    };
    static const uint64_t wanted[] = {1, 1, UINT64_C(1) << 63, UINT64_C(1) << 63};
    static char key[200];
    struct tel_buffer out;
    tel_buffer_init(&out, 1024);
    for (size_t length = 1; length < sizeof(key); length++) {
        memset(key, 'k', length);
        memset(bench->encoder.keys, 0, sizeof(bench->encoder.keys)); /* `key` was another one */
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            struct tel_attribute attribute = values[i];
            attribute.key = key;
            tel_buffer_clear(&out);
            tel__encode_attribute(&bench->encoder, &out, 9, &attribute);
            struct tel__wire_field got = field_at(out.data, out.length, 9, 0);
            struct tel__wire_field name = field_in(&got, 1, 0);
            struct tel__wire_field any = field_in(&got, 2, 0);
            assert_int_equal(count_fields(out.data, out.length, 9), 1);
            assert_text(&name, key);
            assert_true(field_in(&any, 2 + attribute.type - TEL_VALUE_BOOL, 0).value == wanted[i]);
        }
    }
    tel_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_smallest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attributes_of_every_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values_after_keys_of_every_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_and_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dropped_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_or_not_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request, setup, teardown),
        cmocka_unit_test(test_resource),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
