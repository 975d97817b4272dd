/*
 * The otel_sdk_* metrics: all series from the first scrape, and what they say afterwards.
 */
#include "collector.h"

#define PROCESSOR                                         \
    "{otel_component_name=\"batching_span_processor/0\"," \
    "otel_component_type=\"batching_span_processor\""
/* `$` stands for the server's labels, where there is a server. */
#define OTLP                                              \
    "{otel_component_name=\"otlp_http_span_exporter/0\"," \
    "otel_component_type=\"otlp_http_span_exporter\"$"
#define CONSOLE                                         \
    "{otel_component_name=\"console_span_exporter/0\"," \
    "otel_component_type=\"console_span_exporter\""

static char *scrape(struct tel_registry *registry)
{
    struct tel_buffer out;
    tel_buffer_init(&out, 1 << 20);
    assert_int_equal(tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &out), 0);
    tel_buffer_append_char(&out, '\0');
    return tel_buffer_take(&out, NULL);
}

/* The sample as a line of its own, with the server's labels of `url`; NULL: there are none. */
static void format_line(char *line, size_t size, const char *sample, const char *url)
{
    const char *mark = strchr(sample, '$');
    char server[128] = "";
    if (url != NULL) {
        snprintf(server, sizeof(server), ",server_address=\"127.0.0.1\",server_port=\"%d\"",
                 atoi(strrchr(url, ':') + 1));
    }
    if (mark == NULL) {
        snprintf(line, size, "\n%s\n", sample);
    } else {
        snprintf(line, size, "\n%.*s%s%s\n", (int)(mark - sample), sample, server, mark + 1);
    }
}

static void assert_samples(struct tel_registry *registry, const char *url,
                           const char *const *samples, size_t count)
{
    char *text = scrape(registry);
    for (size_t i = 0; i < count; i++) {
        char line[512];
        format_line(line, sizeof(line), samples[i], url);
        if (strstr(text, line) == NULL) {
            fail_msg("no %s in\n%s", line, text);
        }
    }
    free(text);
}

static const char *const at_first[] = {
    "otel_sdk_span_started_total{otel_span_parent_origin=\"none\",otel_span_sampling_result="
    "\"RECORD_AND_SAMPLE\"} 0",
    "otel_sdk_processor_span_queue_size" PROCESSOR "} 0",
    "otel_sdk_processor_span_processed_total" PROCESSOR "} 0",
    "otel_sdk_processor_span_processed_total" PROCESSOR ",error_type=\"queue_full\"} 0",
    "otel_sdk_processor_span_processed_total" PROCESSOR ",error_type=\"already_shutdown\"} 0",
    "otel_sdk_exporter_span_inflight" OTLP "} 0",
    "otel_sdk_exporter_span_exported_total" OTLP "} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"rejected\"} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"timeout\"} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"connection\"} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"status\"} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"bad_response\"} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"too_large\"} 0",
    "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"shutdown\"} 0",
    "otel_sdk_exporter_operation_duration_seconds_count" OTLP
    ",http_response_status_code=\"200\"} 0",
    "otel_sdk_exporter_operation_duration_seconds_count" OTLP ",error_type=\"timeout\"} 0",
};

static void test_with_exporter(void **state)
{
    (void)state;
    static const struct step partial[] = {
        {TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x0a\x02\x08\x03"), THEN_KEEP, false},
        {TEXT_OF(ANSWER_OK), THEN_KEEP, false}};
    static const char *const afterwards[] = {
        "otel_sdk_span_started_total{otel_span_parent_origin=\"none\",otel_span_sampling_result="
        "\"RECORD_AND_SAMPLE\"} 26",
        "otel_sdk_processor_span_queue_size" PROCESSOR "} 0",
        "otel_sdk_processor_span_queue_capacity" PROCESSOR "} 20",
        "otel_sdk_processor_span_processed_total" PROCESSOR "} 20",
        "otel_sdk_processor_span_processed_total" PROCESSOR ",error_type=\"queue_full\"} 5",
        "otel_sdk_processor_span_processed_total" PROCESSOR ",error_type=\"already_shutdown\"} 1",
        "otel_sdk_exporter_span_exported_total" OTLP "} 17",
        "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"rejected\"} 3",
        "otel_sdk_exporter_operation_duration_seconds_count" OTLP
        ",http_response_status_code=\"200\"} 1",
        "otel_sdk_exporter_operation_duration_seconds_count" OTLP
        ",error_type=\"rejected\",http_response_status_code=\"200\"} 1",
    };
    struct collector collector;
    collector_start(&collector, partial, COUNT(partial));
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(20);
    struct tel_registry *registry = tel_registry_create(2);
    struct tel_exporter *exporter =
        tel_exporter_create(&(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                                           .endpoint = collector.url,
                                                           .timeout_ms = 5000,
                                                           .export_timeout_ms = 10000,
                                                           .max_batch = 10,
                                                           .shard = 1},
                            tracer, resource);
    assert_int_equal(tel_exporter_register(exporter, tracer, registry), 0);
    assert_int_equal(tel_exporter_register(exporter, tracer, registry), -EEXIST);
    assert_samples(registry, collector.url, at_first, COUNT(at_first));
    end_spans(tracer, 25); /* five more than there is room for */
    assert_int_equal(tel_exporter_start(exporter), 0);
    assert_int_equal(tel_exporter_shutdown(exporter, 5000), 0);
    end_spans(tracer, 1);
    assert_samples(registry, collector.url, afterwards, COUNT(afterwards));
    tel_exporter_destroy(exporter);
    tel_registry_destroy(registry);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    collector_stop(&collector);
    collector_fini(&collector);
}

/* Switched off, the same series stand there: no dashboard loses a line. */
static void test_without_exporter(void **state)
{
    (void)state;
    static const char *const afterwards[] = {
        "otel_sdk_span_started_total{otel_span_parent_origin=\"none\",otel_span_sampling_result="
        "\"RECORD_AND_SAMPLE\"} 4",
        "otel_sdk_processor_span_queue_capacity" PROCESSOR "} 0",
        "otel_sdk_processor_span_processed_total" PROCESSOR "} 0",
        "otel_sdk_exporter_span_exported_total" OTLP "} 0",
    };
    struct tel_tracer *tracer = make_tracer(0);
    struct tel_registry *registry = tel_registry_create(1);
    assert_int_equal(tel_exporter_register(NULL, tracer, registry), 0);
    assert_samples(registry, NULL, at_first, COUNT(at_first));
    end_spans(tracer, 4);
    assert_samples(registry, NULL, afterwards, COUNT(afterwards));
    tel_registry_destroy(registry);
    tel_tracer_destroy(tracer);
}

/* A status that is not retried is shown by its code, in spans and in time. */
static void test_failing_status(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {TEXT_OF("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), THEN_KEEP, false}};
    static const char *const afterwards[] = {
        "otel_sdk_exporter_span_exported_total" OTLP "} 0",
        "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"404\"} 3",
        "otel_sdk_exporter_span_exported_total" OTLP ",error_type=\"status\"} 0",
        "otel_sdk_exporter_operation_duration_seconds_count" OTLP
        ",error_type=\"404\",http_response_status_code=\"404\"} 1",
    };
    struct collector collector;
    struct tel_exporter_stats stats;
    collector_start(&collector, steps, COUNT(steps));
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(20);
    struct tel_registry *registry = tel_registry_create(1);
    struct tel_exporter *exporter =
        tel_exporter_create(&(struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                                           .endpoint = collector.url,
                                                           .timeout_ms = 5000,
                                                           .export_timeout_ms = 10000,
                                                           .max_batch = 10},
                            tracer, resource);
    assert_int_equal(tel_exporter_register(exporter, tracer, registry), 0);
    end_spans(tracer, 3);
    assert_int_equal(tel_exporter_start(exporter), 0);
    assert_int_equal(tel_exporter_shutdown(exporter, 5000), 0);
    assert_samples(registry, collector.url, afterwards, COUNT(afterwards));
    tel_exporter_get_stats(exporter, &stats);
    assert_int_equal(stats.failed[TEL_EXPORT_STATUS], 3);
    tel_exporter_destroy(exporter);
    tel_registry_destroy(registry);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
    collector_stop(&collector);
    collector_fini(&collector);
}

/* Other kinds say what they are, and nothing of what they cannot meet. */
static void test_console(void **state)
{
    (void)state;
    static const char *const samples[] = {
        "otel_sdk_exporter_span_inflight" CONSOLE "} 0",
        "otel_sdk_exporter_span_exported_total" CONSOLE "} 0",
        "otel_sdk_exporter_span_exported_total" CONSOLE ",error_type=\"connection\"} 0",
        "otel_sdk_exporter_span_exported_total" CONSOLE ",error_type=\"too_large\"} 0",
        "otel_sdk_exporter_span_exported_total" CONSOLE ",error_type=\"shutdown\"} 0",
        "otel_sdk_exporter_operation_duration_seconds_count" CONSOLE "} 0",
        "otel_sdk_exporter_operation_duration_seconds_count" CONSOLE
        ",error_type=\"connection\"} 0",
    };
    static const char *const of_http[] = {"rejected", "timeout",      "\"status\"",
                                          "bad_resp", "status_code=", "server_"};
    struct tel_resource *resource = make_resource();
    struct tel_tracer *tracer = make_tracer(20);
    struct tel_registry *registry = tel_registry_create(1);
    struct tel_exporter *exporter = tel_exporter_create(
        &(struct tel_exporter_options){.kind = TEL_EXPORTER_CONSOLE, .max_batch = 1}, tracer,
        resource);
    assert_int_equal(tel_exporter_register(exporter, tracer, registry), 0);
    assert_samples(registry, NULL, samples, COUNT(samples));
    char *text = scrape(registry);
    for (size_t i = 0; i < COUNT(of_http); i++) {
        assert_null(strstr(text, of_http[i]));
    }
    free(text);
    tel_exporter_destroy(exporter);
    tel_registry_destroy(registry);
    tel_tracer_destroy(tracer);
    tel_resource_destroy(resource);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_exporter),
        cmocka_unit_test(test_without_exporter),
        cmocka_unit_test(test_failing_status),
        cmocka_unit_test(test_console),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
