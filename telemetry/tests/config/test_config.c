/*
 * The environment as a whole: variables in, options and warnings out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "telemetry/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- an environment and a reader of warnings ----------------------------------------------- */

static const char *const *environment; /* `NAME=value`, ends with NULL */

static char *get_variable(const char *name)
{
    size_t length = strlen(name);
    for (const char *const *at = environment; *at != NULL; at++) {
        if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') {
            return (char *)*at + length + 1;
        }
    }
    return NULL;
}

struct warnings {
    size_t count;
    char text[2048];
};

static void collect(enum tel_severity severity, const char *component, const char *message,
                    void *argument)
{
    struct warnings *warnings = argument;
    assert_int_equal(severity, TEL_WARN);
    assert_string_equal(component, "config");
    size_t at = strlen(warnings->text);
    snprintf(warnings->text + at, sizeof(warnings->text) - at, "%s\n", message);
    warnings->count++;
}

static struct tel_config *load(const char *const settings[], struct warnings *warnings)
{
    *warnings = (struct warnings){0};
    environment = settings;
    struct tel_config *config = tel_config_create(get_variable, collect, warnings);
    assert_non_null(config);
    return config;
}

static struct tel_config *load_quietly(const char *const settings[])
{
    struct warnings warnings;
    struct tel_config *config = load(settings, &warnings);
    assert_string_equal(warnings.text, "");
    return config;
}

static const char *const nothing[] = {NULL};

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
        "OTEL_BLRP_SCHEDULE_DELAY=x",
        "OTEL_TRACES_EXPORTER=zipkin",
        "OTEL_LOGS_EXPORTER=syslog",
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

/* ---- exporter ------------------------------------------------------------------------------ */

static void test_endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *settings[3];
        const char *endpoint;
    } cases[] = {
        {{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318"}, "http://c:4318/v1/traces"},
        {{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/\n"}, "http://c:4318/v1/traces"},
        {{"OTEL_EXPORTER_OTLP_ENDPOINT=https://c/otlp"}, "https://c/otlp/v1/traces"},
        {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318"}, "http://c:4318/"},
        {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/t?k=1"}, "http://c/t?k=1"},
        {{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://b/"},
         "http://b/"},
        {{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://logs/"}, "http://localhost:4318/v1/traces"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel_exporter_options options = {0};
        struct tel_config *config = load_quietly(cases[i].settings);
        tel_config_get_exporter(config, &options);
        assert_string_equal(options.endpoint, cases[i].endpoint);
        tel_config_destroy(config);
    }
}

static void test_a_signals_own_variable_wins(void **state)
{
    (void)state;
    static const char *const general[] = {"OTEL_EXPORTER_OTLP_HEADERS=k=general",
                                          "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
                                          "OTEL_EXPORTER_OTLP_TIMEOUT=1111",
                                          "OTEL_EXPORTER_OTLP_CERTIFICATE=/general.pem",
                                          "OTEL_EXPORTER_OTLP_CLIENT_KEY=/general.key",
                                          "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/general.crt",
                                          "OTEL_EXPORTER_OTLP_TRACES_HEADERS=k=own",
                                          "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=none",
                                          "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=2222",
                                          "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE=/own.pem",
                                          "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY=/own.key",
                                          "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE=/own.crt",
                                          NULL};
    const char *only_general[7] = {NULL};
    memcpy(only_general, general, 6 * sizeof(general[0]));
    for (int own = 0; own < 2; own++) {
        struct tel_exporter_options options = {0};
        struct tel_config *config = load_quietly(own ? general : only_general);
        tel_config_get_exporter(config, &options);
        assert_string_equal(options.headers, own ? "k=own" : "k=general");
        assert_int_equal(options.compression, own ? TEL_COMPRESSION_NONE : TEL_COMPRESSION_GZIP);
        assert_int_equal(options.timeout_ms, own ? 2222 : 1111);
        assert_string_equal(options.certificate_file, own ? "/own.pem" : "/general.pem");
        assert_string_equal(options.client_key_file, own ? "/own.key" : "/general.key");
        assert_string_equal(options.client_certificate_file, own ? "/own.crt" : "/general.crt");
        tel_config_destroy(config);
    }
}

static void test_a_batch_is_no_larger_than_the_queue(void **state)
{
    (void)state;
    static const struct {
        const char *settings[3];
        size_t batch;
        size_t warnings;
    } cases[] = {
        {{"OTEL_BSP_MAX_QUEUE_SIZE=512"}, 512, 0},
        {{"OTEL_BSP_MAX_QUEUE_SIZE=100"}, 100, 1},
        {{"OTEL_BSP_MAX_QUEUE_SIZE=100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=101"}, 100, 1},
        {{"OTEL_BSP_MAX_QUEUE_SIZE=100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=99"}, 99, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct warnings warnings;
        struct tel_exporter_options options = {0};
        struct tel_config *config = load(cases[i].settings, &warnings);
        tel_config_get_exporter(config, &options);
        assert_int_equal(options.max_batch, cases[i].batch);
        assert_int_equal(warnings.count, cases[i].warnings);
        tel_config_destroy(config);
    }
}

/* ---- resource ------------------------------------------------------------------------------ */

static void test_the_resource(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "OTEL_SERVICE_NAME=shop", "OTEL_RESOURCE_ATTRIBUTES=service.name=other,team=a%2Cb", NULL};
    struct tel_resource *resource = tel_resource_create();
    struct tel_config *config = load_quietly(settings);
    assert_int_equal(tel_config_add_resource(config, resource), 0);
    assert_string_equal(tel_resource_get(resource, "service.name"), "shop");
    assert_string_equal(tel_resource_get(resource, "team"), "a,b");
    assert_int_equal(tel_resource_count(resource), 2);
    tel_config_destroy(config);
    tel_resource_destroy(resource);
}

static void test_without_variables_the_resource_stays_empty(void **state)
{
    (void)state;
    struct tel_resource *resource = tel_resource_create();
    struct tel_config *config = load_quietly(nothing);
    assert_int_equal(tel_config_add_resource(config, resource), 0);
    assert_int_equal(tel_resource_count(resource), 0);
    tel_config_destroy(config);
    tel_resource_destroy(resource);
}

/* ---- printing ------------------------------------------------------------------------------ */

struct printed {
    const char *name;
    char value[128];
    bool from_environment;
    size_t count;
};

static void print(const char *name, const char *value, bool from_environment, void *argument)
{
    struct printed *printed = argument;
    printed->count++;
    assert_memory_equal(name, "OTEL_", 5);
    if (strcmp(name, printed->name) == 0) {
        snprintf(printed->value, sizeof(printed->value), "%s", value);
        printed->from_environment = from_environment;
    }
}

static void test_each_gives_the_effective_values(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "OTEL_TRACES_EXPORTER=CONSOLE",
        "OTEL_BSP_MAX_QUEUE_SIZE=64",
        "OTEL_BSP_SCHEDULE_DELAY=never",
        "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20hunter2",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://user:hunter2@c:4318",
        NULL};
    static const struct {
        const char *name;
        const char *value;
        bool from_environment;
    } expected[] = {
        {"OTEL_TRACES_EXPORTER", "console", true},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "64", true},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64", false},
        {"OTEL_BSP_SCHEDULE_DELAY", "5000", false},
        {"OTEL_EXPORTER_OTLP_HEADERS", "***", true},
        {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "", false},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://***@c:4318", true},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", false},
        {"OTEL_SERVICE_NAME", "", false},
        {"OTEL_SDK_DISABLED", "false", false},
    };
    struct warnings warnings;
    struct tel_config *config = load(settings, &warnings);
    assert_int_equal(warnings.count, 2); /* the delay, and the batch size */
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct printed printed = {.name = expected[i].name, .value = "not there"};
        tel_config_each(config, print, &printed);
        assert_string_equal(printed.value, expected[i].value);
        assert_int_equal(printed.from_environment, expected[i].from_environment);
        assert_true(printed.count > 30);
    }
    tel_config_destroy(config);
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
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_a_signals_own_variable_wins),
        cmocka_unit_test(test_a_batch_is_no_larger_than_the_queue),
        cmocka_unit_test(test_the_resource),
        cmocka_unit_test(test_without_variables_the_resource_stays_empty),
        cmocka_unit_test(test_each_gives_the_effective_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
