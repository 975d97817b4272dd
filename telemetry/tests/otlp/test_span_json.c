/*
 * The console's line: a span in, one line of JSON out.
 */
#include "otlp/span_json.h"

#include "support.h"

/* The line of the one span that was ended, NUL-terminated. */
static char *line_of(struct tel_tracer *tracer)
{
    static char line[16384];
    struct tel_buffer out;
    const struct tel__span_record *record = peek_span(tracer);
    assert_non_null(record);
    tel_buffer_init(&out, sizeof(line) - 1);
    tel__span_json_append(&out, record, "shop");
    pop_span(tracer);
    assert_int_equal(out.error, 0);
    memcpy(line, out.data, out.length);
    line[out.length] = '\0';
    tel_buffer_fini(&out);
    return line;
}

static void test_whole_line(void **state)
{
    (void)state;
    static const struct tel_attribute size[] = {
        {.key = "size", .type = TEL_VALUE_INT, .value.integer = 7}};
    struct tel_tracer *tracer = make_tracer(10);
    struct tel_context parent = {.valid = true, .flags = TEL_FLAG_SAMPLED};
    struct tel_span span;
    memset(parent.trace_id, 0xab, 16);
    memset(parent.span_id, 0xcd, 8);
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = "GET /\"x\"",
                                            .kind = TEL_SPAN_SERVER,
                                            .start_wall_ns = 1700000000123456789u,
                                            .parent = &parent});
    memset(span.span_id, 0x12, 8);
    tel_span_set_string(&span, "text", TEXT_OF("a\n\xff"));
    tel_span_set_int(&span, "int", -5);
    tel_span_add_event(&span, "one", 1700000000000000000u, size, 1);
    tel_span_set_bool(&span, "bool", true);
    tel_span_add_link(&span, parent.trace_id, parent.span_id, 1, size, 1);
    tel_span_add_event(&span, "two", 1700000000000001000u, NULL, 0);
    tel_span_set_double(&span, "double", 0.5);
    tel_span_set_status(&span, TEL_STATUS_ERROR);
    tel_span_end(&span, 1700000000124706789u);
    assert_string_equal(
        line_of(tracer),
        "{\"name\":\"GET /\\\"x\\\"\",\"kind\":\"SERVER\","
        "\"trace_id\":\"abababababababababababababababab\",\"span_id\":\"1212121212121212\","
        "\"parent_span_id\":\"cdcdcdcdcdcdcdcd\",\"start\":\"2023-11-14T22:13:20.123456Z\","
        "\"end\":\"2023-11-14T22:13:20.124706Z\",\"duration_ms\":1.250000,\"status\":\"ERROR\","
        "\"attributes\":{\"text\":\"a\\n\xef\xbf\xbd\",\"int\":-5,\"bool\":true,\"double\":0.5},"
        "\"events\":[{\"name\":\"one\",\"time\":\"2023-11-14T22:13:20.000000Z\","
        "\"attributes\":{\"size\":7}},{\"name\":\"two\",\"time\":\"2023-11-14T22:13:20.000001Z\","
        "\"attributes\":{}}],"
        "\"links\":[{\"trace_id\":\"abababababababababababababababab\","
        "\"span_id\":\"cdcdcdcdcdcdcdcd\",\"attributes\":{\"size\":7}}],"
        "\"resource\":{\"service.name\":\"shop\"}}\n");
    tel_tracer_destroy(tracer);
}

static void test_bare(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(10);
    struct tel_span span;
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = "", .kind = TEL_SPAN_INTERNAL});
    tel_span_end(&span, 0);
    const char *line = line_of(tracer);
    assert_non_null(strstr(line, "\"kind\":\"INTERNAL\""));
    assert_non_null(strstr(line, "\"parent_span_id\":\"\","));
    assert_non_null(
        strstr(line, "\"status\":\"UNSET\",\"attributes\":{},\"events\":[],\"links\":[],"));
    tel_tracer_destroy(tracer);
}

/* JSON has no word for them. */
static void test_numbers_that_are_none(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(10);
    struct tel_span span;
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = "n", .kind = TEL_SPAN_CLIENT});
    tel_span_set_double(&span, "nan", __builtin_nan(""));
    tel_span_set_double(&span, "inf", -__builtin_inf());
    tel_span_end(&span, 0);
    const char *line = line_of(tracer);
    assert_non_null(strstr(line, "\"nan\":\"NaN\",\"inf\":\"-Inf\""));
    assert_non_null(strstr(line, "\"kind\":\"CLIENT\""));
    tel_tracer_destroy(tracer);
}

/* Whatever stands in it, it is one line. */
static void test_one_line(void **state)
{
    (void)state;
    struct tel_tracer *tracer = make_tracer(10);
    struct tel_span span;
    char value[256];
    for (int i = 0; i < 256; i++) {
        value[i] = (char)i;
    }
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = "a\nb", .kind = TEL_SPAN_CLIENT});
    tel_span_set_string(&span, "all", value, sizeof(value));
    tel_span_end(&span, 0);
    const char *line = line_of(tracer);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    tel_tracer_destroy(tracer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_line),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
