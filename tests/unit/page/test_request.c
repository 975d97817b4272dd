/*
 * A finished request as JSON: what the signals are made of goes in, an object comes out that fits its
 * slot, whatever the request was like.
 */
#include "page/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define MS            1000000ull
#define END_NS        1700000000123456789ull
#define TEXT(literal) ((struct tel_text){(literal), sizeof(literal) - 1})

static const uint64_t bounds[] = {5 * MS, 1000 * MS};
static const char *const labels[] = {"route"};

/* All that a request is shown with. */
static struct tel_registry *registry;
static struct tel_series *series;
static struct tel_tracer *tracer;
static struct tel_access_log *access_log;
static struct tel_span span;
static struct tel_access_record record;
static struct tel_exemplar exemplar;
static struct page_request request;
static struct page_record slot;
static struct tel_buffer line;

static void make_series(void)
{
    struct tel_family *family =
        tel_family_create(registry, &(struct tel_family_options){.name = "w_seconds",
                                                                 .type = TEL_HISTOGRAM,
                                                                 .label_names = labels,
                                                                 .label_count = 1,
                                                                 .bounds_ns = bounds,
                                                                 .bound_count = 2});
    assert_non_null(family);
    series = tel_family_series(family, 0, (const char *const[]){"/demo/hello"});
}

static void begin_span(struct tel_span *one, const char *name, enum tel_span_kind kind,
                       const struct tel_span *parent)
{
    tel_span_begin(
        one, tracer, 0,
        &(struct tel_span_start){
            .name = name, .kind = kind, .start_wall_ns = END_NS - 2 * MS, .parent_span = parent});
}

static int make(void **state)
{
    (void)state;
    registry = tel_registry_create(1);
    make_series();
    tracer = tel_tracer_create(&(struct tel_tracer_options){
        .shard_count = 1, .sampler = {.root = TEL_SAMPLER_ALWAYS_ON}, .queue_size = 16});
    access_log = tel_access_log_create(
        &(struct tel_access_log_options){.path = "/dev/null",
                                         .fields = "date time cs-uri x-route cs(User-Agent)",
                                         .shard_count = 1});
    assert_non_null(access_log);
    begin_span(&span, "GET /demo/hello", TEL_SPAN_SERVER, NULL);
    record = (struct tel_access_record){.end_wall_ns = END_NS,
                                        .duration_ns = 2 * MS,
                                        .uri_stem = TEXT("/demo/hello"),
                                        .uri_query = TEXT("delay=5"),
                                        .status = 200,
                                        .traced = true,
                                        .route = TEXT("/demo/hello"),
                                        .request_headers = {TEXT("curl \"8\"")}};
    memset(record.trace_id, 0xab, sizeof(record.trace_id));
    memset(record.span_id, 0xcd, sizeof(record.span_id));
    exemplar = (struct tel_exemplar){.wall_ns = END_NS};
    request = (struct page_request){.span = &span,
                                    .end_ns = 12345,
                                    .method = "GET",
                                    .record = &record,
                                    .access_log = access_log,
                                    .series = series,
                                    .exemplar = &exemplar,
                                    .sampled = true};
    for (int i = 0; i < 3; i++) { /* two in the bucket and before it, one after it */
        tel_histogram_observe(series, 0, i == 2 ? 3000 * MS : 2 * MS, NULL);
    }
    tel_buffer_init(&line, 1024 * 1024);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    tel_buffer_fini(&line);
    tel_access_log_destroy(access_log);
    tel_tracer_destroy(tracer);
    tel_registry_destroy(registry);
    return 0;
}

/* What was made, read by a reader that is not ours. */
static json_t *shown(void)
{
    json_error_t error;
    tel_span_end(&span, END_NS);
    assert_true(page_request_format(&request, &line, &slot));
    assert_true(slot.length > 0 && slot.length <= PAGE_RECORD_BYTES);
    assert_null(memchr(slot.json, '\n', slot.length));
    assert_true(slot.end_ns == 12345);
    json_t *read =
        json_loadb(slot.json, slot.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (read == NULL) {
        fail_msg("%s: %.*s", error.text, (int)slot.length, slot.json);
    }
    return read;
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    assert_non_null(value);
    return value;
}

static void test_a_whole_request(void **state)
{
    (void)state;
    const struct tel_attribute bytes = {.key = "bytes", .type = TEL_VALUE_INT, .value.integer = -4};
    tel_span_set_string(&span, "http.route", "/demo/hello", 11);
    tel_span_set_int(&span, "port", 80);
    tel_span_add_event(&span, "request.read", END_NS - MS, &bytes, 1);
    tel_span_set_bool(&span, "sure", true); /* of the span, though it comes after an event */
    tel_span_add_link(&span, record.trace_id, record.span_id, 0, &bytes, 1);
    tel_span_add_event(&span, "response.end", END_NS, NULL, 0);
    tel_span_set_double(&span, "ratio", 0.5);
    tel_span_set_status(&span, TEL_STATUS_ERROR);
    memset(span.span_id, 0xcd, sizeof(span.span_id));
    json_decref(shown());
    slot.json[slot.length < PAGE_RECORD_BYTES ? slot.length : PAGE_RECORD_BYTES - 1] = '\0';
    assert_string_equal(
        slot.json,
        "{\"id\":\"cdcdcdcdcdcdcdcd\",\"trace_id\":\"abababababababababababababababab\","
        "\"sampled\":true,\"failed\":false,\"user\":true,\"end_ms\":1700000000123.456,\"duration_"
        "ms\":2.000,\"method\":\"GET\","
        "\"route\":\"/demo/hello\",\"path\":\"/demo/hello?delay=5\",\"status\":200,\"error\":null,"
        "\"fault\":null,\"bucket\":{\"le\":\"0.005\",\"index\":0,\"count\":2},"
        "\"exemplar\":\"# {trace_id=\\\"00000000000000000000000000000000\\\","
        "span_id=\\\"0000000000000000\\\"} 0.002 1700000000.123\","
        "\"series\":\"w_seconds_bucket{route=\\\"/demo/hello\\\",le=\\\"0.005\\\"}\","
        "\"log\":\"2023-11-14\\t22:13:20.123456\\t/demo/hello?delay=5\\t/demo/hello\\t"
        "\\\"curl \\\"\\\"8\\\"\\\"\\\"\","
        "\"spans\":[{\"span_id\":\"cdcdcdcdcdcdcdcd\",\"parent_id\":null,"
        "\"name\":\"GET /demo/hello\",\"kind\":\"SERVER\",\"start_ms\":1700000000121.456,"
        "\"end_ms\":1700000000123.456,\"status\":\"ERROR\","
        "\"attributes\":[[\"http.route\",\"/demo/hello\"],[\"port\",\"80\"],[\"sure\",\"true\"],"
        "[\"ratio\",\"0.5\"]],"
        "\"events\":[{\"name\":\"request.read\",\"at_ms\":1700000000122.456,"
        "\"attributes\":[[\"bytes\",\"-4\"]]},{\"name\":\"response.end\","
        "\"at_ms\":1700000000123.456,\"attributes\":[]}]}]}");
}

/* What there may be none of is null. */
static void test_what_is_missing(void **state)
{
    (void)state;
    record.status = 0;
    record.route = record.uri_stem = record.uri_query = (struct tel_text){NULL, 0};
    record.error = TEXT("client_disconnected");
    record.fault = TEXT("error,latency");
    request.exemplar = NULL;
    request.sampled = false;
    request.access_log = NULL;
    json_t *read = shown();
    static const char *const nulls[] = {"status", "route", "exemplar", "log"};
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
        assert_true(json_is_null(json_object_get(read, nulls[i])));
    }
    assert_true(json_is_false(json_object_get(read, "sampled")));
    assert_true(json_is_false(json_object_get(read, "user")));
    assert_string_equal(string_of(read, "path"), "");
    assert_string_equal(string_of(read, "error"), "client_disconnected");
    assert_string_equal(string_of(read, "fault"), "error,latency");
    assert_null(json_object_get(read, "cut"));
    json_decref(read);
}

/* A request in a histogram that keeps no exemplar, of a span that is exported, and the other way round. */
static void test_exemplar_and_sampled_are_two_things(void **state)
{
    (void)state;
    request.exemplar = NULL;
    json_t *read = shown();
    assert_true(json_is_true(json_object_get(read, "sampled")));
    assert_true(json_is_null(json_object_get(read, "exemplar")));
    json_decref(read);
    request.exemplar = &exemplar;
    request.sampled = false;
    read = shown();
    assert_true(json_is_false(json_object_get(read, "sampled")));
    assert_non_null(strstr(string_of(read, "exemplar"), "trace_id"));
    json_decref(read);
}

/* What is not exported says nothing of itself but how it ended. */
static void test_a_failure_that_is_not_exported(void **state)
{
    (void)state;
    tel_span_set_string(&span, "http.route", "/demo/hello", 11);
    request.sampled = false;
    request.failed = true;
    json_t *read = shown();
    const json_t *server = json_array_get(json_object_get(read, "spans"), 0);
    assert_true(json_is_true(json_object_get(read, "failed")));
    assert_string_equal(string_of(server, "status"), "ERROR");
    assert_int_equal(json_array_size(json_object_get(server, "attributes")), 0);
    json_decref(read);
}

/* Where neither a line nor an exported span has it, the page has not either. */
static void test_a_query_that_no_signal_has(void **state)
{
    (void)state;
    static const struct {
        const char *fields; /* NULL: no log */
        bool sampled;
        const char *path;
    } cases[] = {
        {"time", false, "/demo/hello"},
        {"time cs-uri-stem", false, "/demo/hello"},
        {NULL, false, "/demo/hello"},
        {"time", true, "/demo/hello?delay=5"},
        {NULL, true, "/demo/hello?delay=5"},
        {"time cs-uri-query", false, "/demo/hello?delay=5"},
        {"cs-uri", false, "/demo/hello?delay=5"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel_access_log *log = NULL;
        if (cases[i].fields != NULL) {
            log = tel_access_log_create(&(struct tel_access_log_options){
                .path = "/dev/null", .fields = cases[i].fields, .shard_count = 1});
            assert_non_null(log);
        }
        request.access_log = log;
        request.sampled = cases[i].sampled;
        json_t *read = shown();
        assert_string_equal(string_of(read, "path"), cases[i].path);
        json_decref(read);
        tel_access_log_destroy(log);
    }
}

static void add_child(struct page_children *children, const char *name, size_t value_length)
{
    static char value[TEL_ATTRIBUTE_VALUE_MAX];
    struct tel_span child;
    memset(value, 'v', sizeof(value));
    begin_span(&child, name, TEL_SPAN_INTERNAL, &span);
    tel_span_set_string(&child, "value", value, value_length);
    tel_span_end(&child, END_NS - MS);
    page_children_add(children, &child);
}

static void test_children(void **state)
{
    (void)state;
    struct page_children children = {.length = 0};
    add_child(&children, "fault", 3);
    add_child(&children, "delay", 4);
    request.children = &children;
    json_t *read = shown();
    const json_t *spans = json_object_get(read, "spans");
    static const char *const names[] = {"GET /demo/hello", "fault", "delay"};
    assert_int_equal(json_array_size(spans), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *one = json_array_get(spans, i);
        assert_string_equal(string_of(one, "name"), names[i]);
        assert_string_equal(string_of(one, "kind"), i == 0 ? "SERVER" : "INTERNAL");
        if (i > 0) {
            assert_string_equal(string_of(one, "parent_id"),
                                string_of(json_array_get(spans, 0), "span_id"));
        }
    }
    assert_null(json_object_get(read, "cut"));
    json_decref(read);
}

/* As many as there is room for, each whole; that there were more is said. */
static void test_too_many_children(void **state)
{
    (void)state;
    struct page_children children = {.length = 0};
    for (int i = 0; i < 10; i++) {
        add_child(&children, "child", 500);
    }
    assert_true(children.is_cut);
    request.children = &children;
    json_t *read = shown();
    const size_t count = json_array_size(json_object_get(read, "spans"));
    assert_true(count > 2 && count < 11);
    assert_true(json_is_true(json_object_get(read, "cut")));
    json_decref(read);
}

/* Attributes that make it too long are left out, and nothing else is. */
static void test_attributes_that_do_not_fit(void **state)
{
    (void)state;
    static const char keys[3][2] = {"a", "b", "c"};
    static char value[1000];
    memset(value, '\x01', sizeof(value)); /* six bytes each */
    for (size_t i = 0; i < 3; i++) {
        tel_span_set_string(&span, keys[i], value, sizeof(value));
    }
    json_t *read = shown();
    const json_t *server = json_array_get(json_object_get(read, "spans"), 0);
    assert_int_equal(json_array_size(json_object_get(server, "attributes")), 0);
    assert_true(json_is_true(json_object_get(read, "cut")));
    assert_non_null(strstr(string_of(read, "log"), "curl"));
    assert_string_equal(string_of(read, "path"), "/demo/hello?delay=5");
    json_decref(read);
}

/* A path of many kilobytes is shortened, its log line left out. */
static void test_a_path_that_does_not_fit(void **state)
{
    (void)state;
    static char path[200 * 1024];
    memset(path, '\xff', sizeof(path));
    path[0] = '/';
    record.uri_stem = (struct tel_text){path, sizeof(path)};
    json_t *read = shown();
    assert_true(json_is_true(json_object_get(read, "cut")));
    assert_true(json_is_null(json_object_get(read, "log")));
    assert_int_equal(strlen(string_of(read, "path")), 1 + 3 * (PAGE_PATH_BYTES - 1));
    json_decref(read);
}

/* Any bytes, anywhere that a client can put them. */
static void test_any_bytes(void **state)
{
    (void)state;
    static char all[256];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)i;
    }
    const struct tel_text text = {all, sizeof(all)};
    record.uri_stem = record.uri_query = record.request_headers[0] = text;
    tel_span_set_string(&span, "all", all, sizeof(all));
    json_t *read = shown();
    assert_null(json_object_get(read, "cut"));
    json_decref(read);
}

/* Nothing that can be left out is what makes it too long. */
static void test_what_cannot_be_shown(void **state)
{
    (void)state;
    static char route[3000];
    memset(route, '\x01', sizeof(route));
    record.route = (struct tel_text){route, sizeof(route)};
    tel_span_end(&span, END_NS);
    assert_false(page_request_format(&request, &line, &slot));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        TEST(test_a_whole_request),
        TEST(test_what_is_missing),
        TEST(test_exemplar_and_sampled_are_two_things),
        TEST(test_a_failure_that_is_not_exported),
        TEST(test_a_query_that_no_signal_has),
        TEST(test_children),
        TEST(test_too_many_children),
        TEST(test_attributes_that_do_not_fit),
        TEST(test_a_path_that_does_not_fit),
        TEST(test_any_bytes),
        TEST(test_what_cannot_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
