/*
 * Log records: off unless asked for, and then set up by variables of their own where there are any.
 */
#include "environment.h"

static void get(const char *const *settings, struct tel_logger_options *logger,
                struct tel_exporter_options *exporter, struct tel_config **config)
{
    *config = load_quietly(settings);
    tel_config_get_logger(*config, logger);
    tel_config_get_logs_exporter(*config, exporter);
}

static void test_off_unless_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *settings[3];
        enum tel_exporter_kind kind;
        size_t queue_size;
    } cases[] = {
        {{NULL}, TEL_EXPORTER_NONE, 0},
        {{"OTEL_LOGS_EXPORTER=none"}, TEL_EXPORTER_NONE, 0},
        {{"OTEL_TRACES_EXPORTER=otlp"}, TEL_EXPORTER_NONE, 0},
        {{"OTEL_LOGS_EXPORTER=OTLP"}, TEL_EXPORTER_OTLP, 2048},
        {{"OTEL_LOGS_EXPORTER=otlp", "OTEL_TRACES_EXPORTER=none"}, TEL_EXPORTER_OTLP, 2048},
        {{"OTEL_LOGS_EXPORTER=otlp", "OTEL_SDK_DISABLED=true"}, TEL_EXPORTER_NONE, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_logger_options logger = {0};
        struct tel_exporter_options exporter = {0};
        struct tel_config *config;
        get(cases[i].settings, &logger, &exporter, &config);
        assert_int_equal(exporter.kind, cases[i].kind);
        assert_int_equal(logger.queue_size, cases[i].queue_size);
        tel_config_destroy(config);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    static const char *const settings[] = {"OTEL_LOGS_EXPORTER=otlp", NULL};
    struct tel_logger_options logger = {0};
    struct tel_exporter_options exporter = {0};
    struct tel_config *config;
    get(settings, &logger, &exporter, &config);
    assert_string_equal(exporter.endpoint, "http://localhost:4318/v1/logs");
    assert_int_equal(exporter.schedule_delay_ms, 1000); /* of spans: 5000 */
    assert_int_equal(exporter.export_timeout_ms, 30000);
    assert_int_equal(exporter.timeout_ms, 10000);
    assert_int_equal(exporter.max_batch, 512);
    assert_int_equal(exporter.compression, TEL_COMPRESSION_NONE);
    assert_null(exporter.headers);
    tel_config_destroy(config);
}

static void test_own_variables_win_and_spans_are_left_alone(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "OTEL_LOGS_EXPORTER=otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://all:4318/base",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=https://logs:4319/in",
        "OTEL_EXPORTER_OTLP_HEADERS=a=1",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS=b=2",
        "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION=gzip",
        "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT=77",
        "OTEL_EXPORTER_OTLP_CERTIFICATE=/all.pem",
        "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE=/logs.pem",
        "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY=/key.pem",
        "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE=/client.pem",
        "OTEL_BLRP_SCHEDULE_DELAY=5",
        "OTEL_BLRP_EXPORT_TIMEOUT=6",
        "OTEL_BLRP_MAX_QUEUE_SIZE=7",
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=8", /* no larger than the queue */
        NULL};
    struct tel_logger_options logger = {0};
    struct tel_exporter_options exporter = {0};
    struct warnings warnings;
    struct tel_config *config = load(settings, &warnings);
    assert_int_equal(warnings.count, 1); /* the batch */
    tel_config_get_logger(config, &logger);
    tel_config_get_logs_exporter(config, &exporter);
    assert_string_equal(exporter.endpoint, "https://logs:4319/in");
    assert_string_equal(exporter.headers, "b=2");
    assert_int_equal(exporter.compression, TEL_COMPRESSION_GZIP);
    assert_int_equal(exporter.timeout_ms, 77);
    assert_string_equal(exporter.certificate_file, "/logs.pem");
    assert_string_equal(exporter.client_key_file, "/key.pem");
    assert_string_equal(exporter.client_certificate_file, "/client.pem");
    assert_int_equal(exporter.schedule_delay_ms, 5);
    assert_int_equal(exporter.export_timeout_ms, 6);
    assert_int_equal(exporter.max_batch, 7);
    assert_int_equal(logger.queue_size, 7);

    tel_config_get_exporter(config, &exporter);
    assert_string_equal(exporter.endpoint, "http://all:4318/base/v1/traces");
    assert_string_equal(exporter.headers, "a=1");
    assert_int_equal(exporter.compression, TEL_COMPRESSION_NONE);
    assert_int_equal(exporter.timeout_ms, 10000);
    assert_string_equal(exporter.certificate_file, "/all.pem");
    assert_null(exporter.client_key_file);
    assert_int_equal(exporter.schedule_delay_ms, 5000);
    assert_int_equal(exporter.max_batch, 512);
    tel_config_destroy(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off_unless_asked_for),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_own_variables_win_and_spans_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
