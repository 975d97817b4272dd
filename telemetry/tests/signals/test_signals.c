/*
 * All parts at once: what is made, from which variables, in which order it ends, and who is told when
 * something cannot be made.
 */
#include "telemetry/signals.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../otlp/collector.h"
#include "telemetry/telemetry.h"

static const struct step ok[] = {{TEXT_OF(ANSWER_OK), THEN_KEEP, false}};

/* The environment of a test: NAME, value, …, NULL. */
static const char *variables[9];

static char *get_variable(const char *name)
{
    for (const char **at = variables; *at != NULL; at += 2) {
        if (strcmp(*at, name) == 0) {
            return (char *)at[1];
        }
    }
    return NULL;
}

#define ENVIRONMENT(...)                                               \
    do {                                                               \
        const char *const pairs[] = {__VA_ARGS__};                     \
        assert_true(sizeof(pairs) < sizeof(variables));                \
        memset((void *)variables, 0, sizeof(variables));               \
        memcpy((void *)variables, (const void *)pairs, sizeof(pairs)); \
    } while (0)

static void keep_text(enum tel_severity severity, const char *component, const char *message,
                      void *argument)
{
    char *text = argument;
    size_t used = strlen(text);
    snprintf(text + used, 1024 - used, "%d %s: %s\n", (int)severity, component, message);
}

static void end_span(struct tel_signals *signals)
{
    struct tel_span span;
    tel_span_begin(&span, tel_signals_get_tracer(signals), 0,
                   &(struct tel_span_start){.name = "x", .kind = TEL_SPAN_INTERNAL});
    tel_span_end(&span, 0);
}

static bool exposes(struct tel_signals *signals, const char *part)
{
    struct tel_buffer out;
    tel_buffer_init(&out, 1u << 20);
    assert_int_equal(
        tel_registry_expose(tel_signals_get_registry(signals), TEL_EXPOSITION_TEXT, &out), 0);
    bool found = memmem(out.data, out.length, part, strlen(part)) != NULL;
    tel_buffer_fini(&out);
    return found;
}

/* ---- what is made -------------------------------------------------------------------------- */

/* From nothing to a span at the collector, a line in the file, and families in the registry. */
static void test_everything(void **state)
{
    (void)state;
    struct collector collector;
    char path[] = "/tmp/signals-XXXXXX";
    char text[1024] = "";
    collector_start(&collector, ok, COUNT(ok));
    close(mkstemp(path));
    ENVIRONMENT("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url);
    struct tel_signals *signals = tel_signals_create(
        &(struct tel_signals_options){.service_name = "shop",
                                      .service_version = "1.2",
                                      .access_log = {.path = path, .fields = "cs-method"},
                                      .get = get_variable,
                                      .diagnostic = keep_text,
                                      .diagnostic_argument = text});
    assert_non_null(signals);
    assert_int_equal(tel_signals_start(signals), 0);
    end_span(signals);
    tel_access_log_append(tel_signals_get_access_log(signals), 0,
                          &(struct tel_access_record){.method = {"GET", 3}});
    assert_true(exposes(signals, "\ntarget_info{service_name=\"shop\",service_version=\"1.2\""));
    assert_true(exposes(signals, "\nprocess_cpu_seconds_total "));
    assert_true(exposes(signals, "\notel_sdk_span_started_total{"));
    assert_int_equal(tel_signals_shutdown(signals, 30000), 0);
    struct tel_exporter_stats stats;
    tel_exporter_get_stats(tel_signals_get_exporter(signals), &stats);
    assert_int_equal(stats.acknowledged, 1);
    tel_signals_destroy(signals);
    collector_stop(&collector);
    assert_int_equal(collector.spans, 1);
    assert_non_null(memmem(collector.last, collector.last_length,
                           "\x04shop\x12\x03"
                           "1.2",
                           10));
    collector_fini(&collector);
    assert_string_equal(text, "");
    char file[512] = "";
    int fd = open(path, O_RDONLY);
    assert_true(read(fd, file, sizeof(file) - 1) > 0);
    close(fd);
    unlink(path);
    assert_non_null(strstr(file, "#Software: shop/1.2\n"));
    assert_non_null(strstr(file, "\nGET\n"));
}

/* Log records, for who asks. */
static void test_logs(void **state)
{
    (void)state;
    struct collector collector;
    collector_start(&collector, ok, COUNT(ok));
    ENVIRONMENT("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", collector.url, "OTEL_LOGS_EXPORTER", "otlp",
                "OTEL_TRACES_EXPORTER", "none");
    struct tel_signals *signals =
        tel_signals_create(&(struct tel_signals_options){.get = get_variable});
    assert_non_null(signals);
    assert_null(tel_signals_get_exporter(signals));
    assert_int_equal(tel_signals_start(signals), 0);
    tel_logger_emit(tel_signals_get_logger(signals), 0, &(struct tel_log_record){.body = NULL});
    assert_true(exposes(signals, "\notel_sdk_log_created_total "));
    assert_int_equal(tel_signals_shutdown(signals, 30000), 0);
    struct tel_exporter_stats stats;
    tel_exporter_get_stats(tel_signals_get_logs_exporter(signals), &stats);
    assert_int_equal(stats.acknowledged, 1);
    tel_signals_destroy(signals);
    collector_stop(&collector);
    assert_int_equal(collector.spans, 1); /* their fields have the same numbers */
    collector_fini(&collector);
}

/* What is switched off is not there, and everything else goes on. */
static void test_nothing(void **state)
{
    (void)state;
    ENVIRONMENT("OTEL_TRACES_EXPORTER", "none");
    struct tel_signals *signals =
        tel_signals_create(&(struct tel_signals_options){.get = get_variable});
    assert_non_null(signals);
    assert_null(tel_signals_get_exporter(signals));
    assert_null(tel_signals_get_logger(signals));
    assert_null(tel_signals_get_logs_exporter(signals));
    assert_null(tel_signals_get_access_log(signals));
    assert_false(tel_config_is_disabled(tel_signals_get_config(signals)));
    assert_int_equal(tel_signals_start(signals), 0);
    end_span(signals);
    assert_true(exposes(signals, "\ntarget_info{"));
    assert_int_equal(tel_signals_shutdown(signals, 1000), 0);
    tel_signals_destroy(signals);
    tel_signals_destroy(NULL);
}

/* The operator's word goes before the program's. */
static void test_names(void **state)
{
    (void)state;
    ENVIRONMENT("OTEL_TRACES_EXPORTER", "none", "OTEL_SERVICE_NAME", "theirs",
                "OTEL_RESOURCE_ATTRIBUTES", "service.version=9");
    struct tel_signals *signals = tel_signals_create(&(struct tel_signals_options){
        .service_name = "ours", .service_version = "1", .get = get_variable});
    const struct tel_resource *resource = tel_signals_get_resource(signals);
    assert_string_equal(tel_resource_get(resource, "service.name"), "theirs");
    assert_string_equal(tel_resource_get(resource, "service.version"), "9");
    tel_signals_destroy(signals);
    ENVIRONMENT("OTEL_TRACES_EXPORTER", "none");
    signals = tel_signals_create(&(struct tel_signals_options){.get = get_variable});
    resource = tel_signals_get_resource(signals);
    assert_int_equal(strncmp(tel_resource_get(resource, "service.name"), "unknown_service:", 16),
                     0);
    assert_null(tel_resource_get(resource, "service.version"));
    tel_signals_destroy(signals);
}

/* ---- what cannot be made ------------------------------------------------------------------- */

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        struct tel_signals_options options;
        int error;
        const char *said;
    } cases[] = {
        {{.access_log = {.path = "/nowhere/log"}},
         ENOENT,
         "3 signals: cannot make the access log: "},
        {{.access_log = {.path = "-", .fields = "x-nothing"}},
         EINVAL,
         "cannot make the access log"},
        {{.shard_count = TEL_SHARDS_MAX}, EINVAL, "3 signals: cannot make the registry: "},
    };
    ENVIRONMENT("OTEL_TRACES_EXPORTER", "none");
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1024] = "";
        struct tel_signals_options options = cases[i].options;
        options.get = get_variable;
        options.diagnostic = keep_text;
        options.diagnostic_argument = text;
        errno = 0;
        assert_null(tel_signals_create(&options));
        assert_int_equal(errno, cases[i].error);
        assert_non_null(strstr(text, cases[i].said));
    }
}

/* Who names nobody to tell finds it on stderr. */
static void test_stderr(void **state)
{
    (void)state;
    int ends[2];
    char text[1024] = "";
    assert_int_equal(pipe(ends), 0);
    int before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    ENVIRONMENT("OTEL_TRACES_EXPORTER", "none", "OTEL_TRACES_SAMPLER", "sometimes");
    struct tel_signals *signals = tel_signals_create(
        &(struct tel_signals_options){.get = get_variable, .access_log = {.path = "/nowhere/log"}});
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    assert_null(signals);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    close(ends[0]);
    assert_int_equal(strncmp(text, "warning: config: OTEL_TRACES_SAMPLER: ", 38), 0);
    assert_non_null(strstr(text, "\nerror: signals: cannot make the access log: "));
}

/* ---- the end ------------------------------------------------------------------------------- */

/* A collector that is not there: the spans are lost when the time is over, and it is said. */
static void test_nobody_there(void **state)
{
    (void)state;
    char url[64];
    char text[1024] = "";
    dead_url(url);
    ENVIRONMENT("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url);
    struct tel_signals *signals = tel_signals_create(&(struct tel_signals_options){
        .get = get_variable, .diagnostic = keep_text, .diagnostic_argument = text});
    assert_int_equal(tel_signals_start(signals), 0);
    end_span(signals);
    assert_int_equal(tel_signals_shutdown(signals, 20), -ETIMEDOUT);
    struct tel_exporter_stats stats;
    tel_exporter_get_stats(tel_signals_get_exporter(signals), &stats);
    assert_int_equal(stats.acknowledged, 0);
    tel_signals_destroy(signals);
    assert_non_null(strstr(text, "otlp: "));
}

/* A log that nobody reads takes all of the time there is, and the spans go out nevertheless. */
static void test_a_stuck_log(void **state)
{
    (void)state;
    struct collector collector;
    char path[] = "/tmp/signals-fifo-XXXXXX";
    collector_start(&collector, ok, COUNT(ok));
    close(mkstemp(path));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* that reads nothing */
    ENVIRONMENT("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.url, "OTEL_BSP_SCHEDULE_DELAY",
                "3600000");
    struct tel_signals *signals = tel_signals_create(&(struct tel_signals_options){
        .get = get_variable, .access_log = {.path = path, .queue_bytes = 4u << 20}});
    assert_int_equal(tel_signals_start(signals), 0);
    static char big[TEL_ACCESS_VALUE_MAX];
    memset(big, 'x', sizeof(big));
    for (int i = 0; i < 1000; i++) { /* a pipe takes 64 KiB */
        tel_access_log_append(tel_signals_get_access_log(signals), 0,
                              &(struct tel_access_record){.uri_stem = {big, sizeof(big)}});
    }
    end_span(signals);
    assert_int_equal(tel_signals_shutdown(signals, 1000), -ETIMEDOUT);
    struct tel_exporter_stats stats;
    tel_exporter_get_stats(tel_signals_get_exporter(signals), &stats);
    assert_int_equal(stats.acknowledged, 1);
    struct tel_access_log_stats lines;
    tel_access_log_get_stats(tel_signals_get_access_log(signals), &lines);
    assert_int_equal(lines.appended, lines.written + lines.dropped[TEL_ACCESS_SHUTDOWN] +
                                         lines.dropped[TEL_ACCESS_QUEUE_FULL]);
    assert_true(lines.dropped[TEL_ACCESS_SHUTDOWN] > 0);
    tel_signals_destroy(signals);
    close(reader);
    unlink(path);
    collector_stop(&collector);
    collector_fini(&collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),   cmocka_unit_test(test_logs),
        cmocka_unit_test(test_nothing),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_failures),     cmocka_unit_test(test_stderr),
        cmocka_unit_test(test_nobody_there), cmocka_unit_test(test_a_stuck_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
