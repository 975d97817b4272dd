/*
 * What the variables lead to: endpoints, precedence, batch, resource, and the listing of values.
 */
#include "environment.h"

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
        assert_string_equal(options.certificate_name, own ? "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"
                                                          : "OTEL_EXPORTER_OTLP_CERTIFICATE");
        assert_string_equal(options.client_key_name, own ? "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"
                                                         : "OTEL_EXPORTER_OTLP_CLIENT_KEY");
        assert_string_equal(options.client_certificate_name,
                            own ? "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"
                                : "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
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

/* However long the list is, the resource is made, and has what the process says of itself. */
static void test_a_long_list_never_stands_in_the_way(void **state)
{
    (void)state;
    static const int lengths[] = {1, TEL_RESOURCE_LIST_MAX, TEL_RESOURCE_LIST_MAX + 1, 58, 64, 500};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char list[8192] = "OTEL_RESOURCE_ATTRIBUTES=";
        size_t at = strlen(list);
        for (int pair = 0; pair < lengths[i]; pair++) {
            at += (size_t)snprintf(list + at, sizeof(list) - at, "k%d=v,", pair);
        }
        assert_true(at < sizeof(list));
        const char *const settings[] = {list, "OTEL_SERVICE_NAME=shop", NULL};
        bool fits = lengths[i] <= TEL_RESOURCE_LIST_MAX;
        struct warnings warnings;
        struct tel_config *config = load(settings, &warnings);
        struct tel_resource *resource = tel_resource_create();
        assert_int_equal(warnings.count, fits ? 0 : 1);
        assert_int_equal(tel_config_add_resource(config, resource), 0);
        assert_int_equal(tel_resource_add(resource, "service.version", "1"), 0);
        assert_int_equal(tel_resource_detect(resource), 0);
        assert_string_equal(tel_resource_get(resource, "service.name"), "shop");
        assert_non_null(tel_resource_get(resource, "telemetry.sdk.version"));
        assert_int_equal(tel_resource_get(resource, "k0") != NULL, fits);
        tel_config_destroy(config);
        tel_resource_destroy(resource);
    }
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
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=65",
        "OTEL_TRACES_SAMPLER=always_on",
        "OTEL_TRACES_SAMPLER_ARG=0.25",
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
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://***@c:4318/v1/traces", false},
        {"OTEL_TRACES_SAMPLER", "always_on", true},
        {"OTEL_TRACES_SAMPLER_ARG", "", false}, /* not looked at */
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
        assert_true(printed.count > 25);
    }
    tel_config_destroy(config);
}

/* A sampler's argument that is used is the environment's; one that is no ratio is not. */
static void test_a_samplers_argument_is_shown_when_it_is_used(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        const char *value;
        bool from_environment;
    } cases[] = {{"OTEL_TRACES_SAMPLER_ARG=0.25", "0.25", true},
                 {"OTEL_TRACES_SAMPLER_ARG=25%", "", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const settings[] = {"OTEL_TRACES_SAMPLER=traceidratio", cases[i].argument,
                                        NULL};
        struct warnings warnings;
        struct printed printed = {.name = "OTEL_TRACES_SAMPLER_ARG", .value = "not there"};
        struct tel_config *config = load(settings, &warnings);
        tel_config_each(config, print, &printed);
        assert_string_equal(printed.value, cases[i].value);
        assert_int_equal(printed.from_environment, cases[i].from_environment);
        tel_config_destroy(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_a_signals_own_variable_wins),
        cmocka_unit_test(test_a_batch_is_no_larger_than_the_queue),
        cmocka_unit_test(test_the_resource),
        cmocka_unit_test(test_without_variables_the_resource_stays_empty),
        cmocka_unit_test(test_a_long_list_never_stands_in_the_way),
        cmocka_unit_test(test_each_gives_the_effective_values),
        cmocka_unit_test(test_a_samplers_argument_is_shown_when_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
