/*
 * The exporter behind a logger: what is the same as for spans is tested there; here, that log
 * records go their way under their own name, and that both exporters can end in the same time.
 */
#include "collector.h"
#include "telemetry/logs.h"

static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, false}};
static const struct step rejects_two[] = {
    {TEXT_OF("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x0a\x07\x08\x02\x12\x03why"), THEN_KEEP,
     false}};
static const struct step silent[] = {{TEXT_OF(""), THEN_HANG, false}};

struct bench {
    struct collector collector;
    struct tel_logger *logger;
    struct tel_resource *resource;
    struct tel_registry *registry;
    struct tel_exporter *exporter;
    struct messages said;
};

static struct tel_logger *make_logger(size_t queue_size)
{
    struct tel_logger *logger =
        tel_logger_create(&(struct tel_logger_options){.shard_count = 1, .queue_size = queue_size});
    assert_non_null(logger);
    return logger;
}

static void emit(struct tel_logger *logger, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tel_logger_emit(logger, 0, &(struct tel_log_record){.body = "b", .body_length = 1});
    }
}

static struct tel_exporter_options options_for(struct bench *bench)
{
    return (struct tel_exporter_options){.kind = TEL_EXPORTER_OTLP,
                                         .endpoint = bench->collector.url,
                                         .timeout_ms = 5000,
                                         .schedule_delay_ms = 3600 * 1000,
                                         .export_timeout_ms = 10000,
                                         .max_batch = 100,
                                         .diagnostic = keep_message,
                                         .diagnostic_argument = &bench->said};
}

static struct bench *make(const struct step *steps, size_t count)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    collector_start(&bench->collector, steps, count);
    bench->logger = make_logger(100);
    bench->resource = make_resource();
    bench->registry = tel_registry_create(1);
    const struct tel_exporter_options options = options_for(bench);
    bench->exporter = tel_exporter_create_logs(&options, bench->logger, bench->resource);
    assert_non_null(bench->exporter);
    assert_int_equal(tel_exporter_register_logs(bench->exporter, bench->logger, bench->registry),
                     0);
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
    return bench;
}

static void unmake(struct bench *bench)
{
    tel_registry_destroy(bench->registry);
    tel_exporter_destroy(bench->exporter);
    tel_logger_destroy(bench->logger);
    tel_resource_destroy(bench->resource);
    collector_stop(&bench->collector);
    collector_fini(&bench->collector);
    free(bench);
}

static void assert_sample(struct tel_registry *registry, const char *start, const char *end)
{
    struct tel_buffer out;
    tel_buffer_init(&out, 1 << 20);
    assert_int_equal(tel_registry_expose(registry, TEL_EXPOSITION_TEXT, &out), 0);
    tel_buffer_append_char(&out, '\0');
    const char *line = strstr(out.data, start);
    if (line == NULL) {
        fail_msg("no %s in\n%s", start, out.data);
    }
    const char *newline = strchr(line + 1, '\n');
    if (strncmp(newline - strlen(end), end, strlen(end)) != 0) {
        fail_msg("%.*s does not end in %s", (int)(newline - line), line, end);
    }
    tel_buffer_fini(&out);
}

static void test_records_arrive_and_are_counted(void **state)
{
    (void)state;
    struct bench *bench = make(ok, COUNT(ok));
    struct tel_exporter_stats stats;
    emit(bench->logger, 3);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    tel_exporter_get_stats(bench->exporter, &stats);
    assert_int_equal(stats.acknowledged, 3);
    assert_int_equal(bench->collector.spans, 3); /* ResourceLogs has ResourceSpans' shape */
    assert_sample(bench->registry, "\notel_sdk_log_created_total ", " 3");
    assert_sample(bench->registry,
                  "\notel_sdk_processor_log_processed_total{otel_component_name="
                  "\"batching_log_processor/0\",otel_component_type=\"batching_log_processor\"}",
                  " 3");
    assert_sample(bench->registry,
                  "\notel_sdk_exporter_log_exported_total{otel_component_name="
                  "\"otlp_http_log_exporter/0\",otel_component_type=\"otlp_http_log_exporter\"",
                  " 3");
    assert_sample(bench->registry,
                  "\notel_sdk_exporter_operation_duration_seconds_count{otel_component_name="
                  "\"otlp_http_log_exporter/0\"",
                  " 1");
    unmake(bench);
}

static void test_losses_are_told_as_log_records(void **state)
{
    (void)state;
    struct bench *bench = make(rejects_two, COUNT(rejects_two));
    struct tel_exporter_stats stats;
    emit(bench->logger, 3);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    tel_exporter_get_stats(bench->exporter, &stats);
    assert_int_equal(stats.acknowledged, 1);
    assert_int_equal(stats.failed[TEL_EXPORT_REJECTED], 2);
    assert_non_null(strstr(bench->said.first, "log records for http://127.0.0.1"));
    assert_non_null(strstr(bench->said.first, "the collector rejected log records: why"));
    unmake(bench);
}

static void test_the_console_has_no_log_records(void **state)
{
    (void)state;
    struct tel_logger *logger = make_logger(1);
    struct tel_resource *resource = make_resource();
    errno = 0;
    assert_null(tel_exporter_create_logs(
        &(struct tel_exporter_options){.kind = TEL_EXPORTER_CONSOLE, .max_batch = 1}, logger,
        resource));
    assert_int_equal(errno, EINVAL);
    tel_resource_destroy(resource);
    tel_logger_destroy(logger);
}

/* Families of both signals in one registry: only the durations are shared. */
static void test_both_signals_in_one_registry(void **state)
{
    (void)state;
    struct tel_registry *registry = tel_registry_create(1);
    struct tel_tracer *tracer = make_tracer(1);
    struct tel_logger *logger = make_logger(1);
    assert_int_equal(tel_exporter_register_logs(NULL, logger, registry), 0);
    assert_int_equal(tel_exporter_register(NULL, tracer, registry), 0);
    assert_int_equal(tel_exporter_register(NULL, tracer, registry), -EEXIST);
    assert_sample(registry, "\notel_sdk_processor_span_queue_capacity", " 1");
    assert_sample(registry, "\notel_sdk_processor_log_queue_capacity", " 1");
    tel_registry_destroy(registry);
    tel_logger_destroy(logger);
    tel_tracer_destroy(tracer);
}

/* A collector that never answers costs two exporters one deadline, not two: the second one's time
 * runs while the first is waited for. What is asserted is who is told to stop when, not how long it
 * takes: after begin_shutdown the queue is closed although nobody has waited for it. */
static void test_a_shutdown_that_was_begun(void **state)
{
    (void)state;
    struct bench *bench = make(silent, COUNT(silent));
    struct tel_logger_stats logger;
    struct tel_exporter_stats stats;
    emit(bench->logger, 2);
    tel_exporter_begin_shutdown(bench->exporter, 50);
    emit(bench->logger, 1);
    tel_logger_get_stats(bench->logger, &logger);
    assert_int_equal(logger.dropped_shutdown, 1);
    /* The later call's hour does not count: the first deadline holds. */
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 3600 * 1000), -ETIMEDOUT);
    tel_exporter_get_stats(bench->exporter, &stats);
    assert_int_equal(stats.failed[TEL_EXPORT_SHUTDOWN], 2);
    unmake(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_arrive_and_are_counted),
        cmocka_unit_test(test_losses_are_told_as_log_records),
        cmocka_unit_test(test_the_console_has_no_log_records),
        cmocka_unit_test(test_both_signals_in_one_registry),
        cmocka_unit_test(test_a_shutdown_that_was_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
