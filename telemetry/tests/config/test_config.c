/*
 * The environment as a whole: defaults, what is refused, samplers, propagators.
 */
#include "environment.h"

/* ---- defaults ------------------------------------------------------------------------------ */

static void assert_defaults(const struct tel_config *config)
{
    struct tel_tracer_options tracer = {.shard_count = 3};
    struct tel_exporter_options exporter = {.scope_name = "untouched"};
    assert_false(tel_config_is_disabled(config));
    tel_config_get_tracer(config, &tracer);
    assert_int_equal(tracer.shard_count, 3);
    assert_int_equal(tracer.sampler.root, TEL_SAMPLER_ALWAYS_ON);
    assert_true(tracer.sampler.parent_based);
    assert_int_equal(tracer.queue_size, 2048);
    assert_true(tracer.trace_context);
    assert_true(tracer.baggage);

    tel_config_get_exporter(config, &exporter);
    assert_int_equal(exporter.kind, TEL_EXPORTER_OTLP);
    assert_string_equal(exporter.endpoint, "http://localhost:4318/v1/traces");
    assert_null(exporter.headers);
    assert_int_equal(exporter.compression, TEL_COMPRESSION_NONE);
    assert_int_equal(exporter.timeout_ms, 10000);
    assert_int_equal(exporter.schedule_delay_ms, 5000);
    assert_int_equal(exporter.export_timeout_ms, 30000);
    assert_int_equal(exporter.max_batch, 512);
    assert_null(exporter.certificate_file);
    assert_null(exporter.client_key_file);
    assert_null(exporter.client_certificate_file);
    assert_string_equal(exporter.scope_name, "untouched");
}

static void test_an_empty_environment_gives_the_defaults(void **state)
{
    (void)state;
    struct tel_config *config = load_quietly(nothing);
    assert_defaults(config);
    tel_config_destroy(config);
    tel_config_destroy(NULL);
}

static void test_empty_is_unset(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "OTEL_SDK_DISABLED=",     "OTEL_TRACES_EXPORTER=  ",      "OTEL_BSP_MAX_QUEUE_SIZE=\n",
        "OTEL_TRACES_SAMPLER=\t", "OTEL_EXPORTER_OTLP_ENDPOINT=", NULL};
    struct tel_config *config = load_quietly(settings);
    assert_defaults(config);
    tel_config_destroy(config);
}

/* Each of these is told by its name, and changes nothing. */
static void test_what_cannot_be_used_is_told_and_ignored(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "OTEL_SDK_DISABLED=maybe",
        "OTEL_SERVICE_NAME=\xff",
        "OTEL_RESOURCE_ATTRIBUTES=a=1,b",
        "OTEL_PROPAGATORS=b3",
        "OTEL_TRACES_SAMPLER=sometimes",
        "OTEL_BSP_SCHEDULE_DELAY=5s",
        "OTEL_BSP_EXPORT_TIMEOUT=-1",
        "OTEL_BSP_MAX_QUEUE_SIZE=0",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1e3",
        "OTEL_TRACES_EXPORTER=zipkin",
        "OTEL_LOGS_EXPORTER=console",
        "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=ftp://h/",
        "OTEL_EXPORTER_OTLP_HEADERS=not a header",
        "OTEL_EXPORTER_OTLP_COMPRESSION=zstd",
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=soon",
        "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const settings[] = {cases[i], NULL};
        struct warnings warnings;
        struct tel_config *config = load(settings, &warnings);
        size_t name_length = strcspn(cases[i], "=");
        assert_int_equal(warnings.count, 1);
        assert_memory_equal(warnings.text, cases[i], name_length);
        assert_int_equal(warnings.text[name_length], ':');
        assert_defaults(config);
        tel_config_destroy(config);
    }
}

static void test_nobody_need_listen(void **state)
{
    (void)state;
    static const char *const settings[] = {"OTEL_SDK_DISABLED=maybe", NULL};
    environment = settings;
    struct tel_config *config = tel_config_create(get_variable, NULL, NULL);
    assert_non_null(config);
    assert_defaults(config);
    tel_config_destroy(config);
}

/* ---- tracer -------------------------------------------------------------------------------- */

static void test_samplers(void **state)
{
    (void)state;
    static const struct {
        const char *settings[3];
        struct tel_sampler sampler;
        size_t warnings;
    } cases[] = {
        {{"OTEL_TRACES_SAMPLER=always_off"}, {TEL_SAMPLER_ALWAYS_OFF, 1, false}, 0},
        {{"OTEL_TRACES_SAMPLER=TraceIdRatio", "OTEL_TRACES_SAMPLER_ARG=0.1"},
         {TEL_SAMPLER_RATIO, 0.1, false},
         0},
        {{"OTEL_TRACES_SAMPLER=parentbased_traceidratio"}, {TEL_SAMPLER_RATIO, 1, true}, 0},
        /* A bad argument is as good as none; the sampler stays what was asked for. */
        {{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=10%"},
         {TEL_SAMPLER_RATIO, 1, false},
         1},
        {{"OTEL_TRACES_SAMPLER=always_on", "OTEL_TRACES_SAMPLER_ARG=unused"},
         {TEL_SAMPLER_ALWAYS_ON, 1, false},
         0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct warnings warnings;
        struct tel_tracer_options options;
        struct tel_config *config = load(cases[i].settings, &warnings);
        tel_config_get_tracer(config, &options);
        assert_int_equal(warnings.count, cases[i].warnings);
        assert_int_equal(options.sampler.root, cases[i].sampler.root);
        assert_true(options.sampler.ratio == cases[i].sampler.ratio);
        assert_int_equal(options.sampler.parent_based, cases[i].sampler.parent_based);
        tel_config_destroy(config);
    }
}

static void test_propagators(void **state)
{
    (void)state;
    static const struct {
        const char *settings[2];
        bool trace_context, baggage;
        size_t warnings;
    } cases[] = {
        {{"OTEL_PROPAGATORS=tracecontext"}, true, false, 0},
        {{"OTEL_PROPAGATORS=Baggage"}, false, true, 0},
        {{"OTEL_PROPAGATORS=baggage, tracecontext"}, true, true, 0},
        {{"OTEL_PROPAGATORS=b3,tracecontext"}, true, false, 1},
        {{"OTEL_PROPAGATORS=none"}, false, false, 0},
        {{"OTEL_PROPAGATORS=tracecontext,none"}, false, false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct warnings warnings;
        struct tel_tracer_options options;
        struct tel_config *config = load(cases[i].settings, &warnings);
        tel_config_get_tracer(config, &options);
        assert_int_equal(options.trace_context, cases[i].trace_context);
        assert_int_equal(options.baggage, cases[i].baggage);
        assert_int_equal(warnings.count, cases[i].warnings);
        tel_config_destroy(config);
    }
}

static void test_nothing_is_queued_when_nothing_is_exported(void **state)
{
    (void)state;
    static const struct {
        const char *settings[2];
        bool disabled;
        enum tel_exporter_kind kind;
        size_t queue_size;
        enum tel_sampler_kind root;
    } cases[] = {
        {{"OTEL_TRACES_EXPORTER=NONE"}, false, TEL_EXPORTER_NONE, 0, TEL_SAMPLER_ALWAYS_ON},
        {{"OTEL_TRACES_EXPORTER=console"},
         false,
         TEL_EXPORTER_CONSOLE,
         2048,
         TEL_SAMPLER_ALWAYS_ON},
        /* Disabled: a trace that passes through stays whole, none is begun. */
        {{"OTEL_SDK_DISABLED=true"}, true, TEL_EXPORTER_NONE, 0, TEL_SAMPLER_ALWAYS_OFF},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_tracer_options tracer;
        struct tel_exporter_options exporter = {0};
        struct tel_config *config = load_quietly(cases[i].settings);
        tel_config_get_tracer(config, &tracer);
        tel_config_get_exporter(config, &exporter);
        assert_int_equal(tel_config_is_disabled(config), cases[i].disabled);
        assert_int_equal(exporter.kind, cases[i].kind);
        assert_int_equal(tracer.queue_size, cases[i].queue_size);
        assert_int_equal(tracer.sampler.root, cases[i].root);
        assert_true(tracer.sampler.parent_based);
        assert_true(tracer.trace_context && tracer.baggage);
        tel_config_destroy(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_environment_gives_the_defaults),
        cmocka_unit_test(test_empty_is_unset),
        cmocka_unit_test(test_what_cannot_be_used_is_told_and_ignored),
        cmocka_unit_test(test_nobody_need_listen),
        cmocka_unit_test(test_samplers),
        cmocka_unit_test(test_propagators),
        cmocka_unit_test(test_nothing_is_queued_when_nothing_is_exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
