/*
 * The first thing that main() does, seen as an operator sees it: what comes out of stdout and
 * stderr, and the status to exit with.
 */
#include "options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "diagnostics.h"

/* A run of options_start() with both streams led into files. */
struct run {
    int status;
    char out[16384];
    char err[4096];
};

/* Reads a stream's file back and gives the descriptor its old meaning again. */
static void end_capture(int descriptor, int saved, int file, char *text, size_t size)
{
    ssize_t length = pread(file, text, size - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    assert_int_equal(dup2(saved, descriptor), descriptor);
    close(saved);
    close(file);
}

static int begin_capture(int descriptor, int *saved)
{
    char path[] = "/tmp/test_options_start.XXXXXX";
    int file = mkostemp(path, O_CLOEXEC);
    assert_true(file >= 0);
    unlink(path);
    *saved = dup(descriptor);
    assert_int_equal(dup2(file, descriptor), descriptor);
    return file;
}

static void start(struct run *run, struct options *options, char *argument, char *variable)
{
    char *argv[] = {"glassbox", argument, NULL};
    char *environment[] = {variable, NULL};
    const struct diagnostics_options diagnostics = {.level = TEL_INFO_LEVEL};
    diagnostics_configure(&diagnostics);
    int saved_out;
    int saved_err;
    fflush(stdout);
    int out = begin_capture(STDOUT_FILENO, &saved_out);
    int err = begin_capture(STDERR_FILENO, &saved_err);
    run->status = options_start(options, argument == NULL ? 1 : 2, argv, environment);
    fflush(stdout);
    end_capture(STDERR_FILENO, saved_err, err, run->err, sizeof(run->err));
    end_capture(STDOUT_FILENO, saved_out, out, run->out, sizeof(run->out));
}

static void test_nothing_to_say(void **state)
{
    (void)state;
    struct run run;
    struct options options;
    start(&run, &options, "--workers=2", NULL);
    assert_int_equal(run.status, OPTIONS_GO_ON);
    assert_int_equal(options.workers, 2);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
}

static void test_mistakes_are_diagnostics(void **state)
{
    (void)state;
    struct run run;
    struct options options;
    start(&run, &options, "--workers=two", "GLASSBOX_MAX_HEAD=1");
    assert_int_equal(run.status, OPTIONS_EXIT_BAD);
    assert_string_equal(run.out, "");
    static const char *const names[] = {"GLASSBOX_MAX_HEAD", "--workers"};
    char *saved;
    char *line = strtok_r(run.err, "\n", &saved);
    for (size_t i = 0; i < 2; i++, line = strtok_r(NULL, "\n", &saved)) {
        assert_non_null(line);
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        assert_string_equal(json_string_value(json_object_get(object, "level")), "error");
        assert_string_equal(json_string_value(json_object_get(object, "component")), "options");
        assert_string_equal(json_string_value(json_object_get(object, "option")), names[i]);
        const char *message = json_string_value(json_object_get(object, "message"));
        assert_memory_equal(message, names[i], strlen(names[i]));
        json_decref(object);
    }
    assert_null(line);
}

static void test_a_foreign_variable_is_a_warning(void **state)
{
    (void)state;
    struct run run;
    struct options options;
    start(&run, &options, NULL, "GLASSBOX_WORKER=2");
    assert_int_equal(run.status, OPTIONS_GO_ON);
    assert_non_null(strstr(run.err, "\"level\":\"warn\""));
}

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        char *flag;
        char *variable;
        const char *out;
        int status;
    } rows[] = {
        {"--help", NULL, "\n  --listen ADDR:PORT", EXIT_SUCCESS},
        {"--help", "GLASSBOX_WORKERS=two", "\n  --listen ADDR:PORT", EXIT_SUCCESS},
        {"--version", NULL, "glassbox ", EXIT_SUCCESS},
        {"--print-config", "GLASSBOX_WORKERS=3", "environment  GLASSBOX_WORKERS=3\n", EXIT_SUCCESS},
        {"--print-config", "GLASSBOX_WORKERS=two", "", OPTIONS_EXIT_BAD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run run;
        struct options options;
        start(&run, &options, rows[i].flag, rows[i].variable);
        assert_int_equal(run.status, rows[i].status);
        assert_non_null(strstr(run.out, rows[i].out));
        assert_int_equal(run.out[0] == '\0', rows[i].out[0] == '\0');
    }
}

/* A variable of OpenTelemetry's that cannot be used is told, and shown as what is used instead. */
static void test_config_tells_of_bad_otel_variables(void **state)
{
    (void)state;
    struct run run;
    struct options options;
    setenv("OTEL_BSP_SCHEDULE_DELAY", "never", 1);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", 1);
    start(&run, &options, "--print-config", NULL);
    unsetenv("OTEL_BSP_SCHEDULE_DELAY");
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    assert_int_equal(run.status, EXIT_SUCCESS);
    assert_non_null(strstr(run.err, "\"level\":\"warn\""));
    assert_non_null(strstr(run.err, "OTEL_BSP_SCHEDULE_DELAY"));
    assert_non_null(strstr(run.out, "\ndefault      OTEL_BSP_SCHEDULE_DELAY=5000\n"));
    assert_non_null(strstr(run.out, "\ndefault      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="
                                    "http://c:4318/v1/traces\n"));
}

/* The level that was asked for holds for what is said next. */
static void test_level_is_set(void **state)
{
    (void)state;
    struct run run;
    struct options options;
    start(&run, &options, "--log-level=error", NULL);
    assert_int_equal(run.status, OPTIONS_GO_ON);
    int saved;
    int file = begin_capture(STDERR_FILENO, &saved);
    DIAGNOSTICS(TEL_WARN, "test", "not said");
    DIAGNOSTICS(TEL_ERROR, "test", "said");
    end_capture(STDERR_FILENO, saved, file, run.err, sizeof(run.err));
    assert_null(strstr(run.err, "not said"));
    assert_non_null(strstr(run.err, "said"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_say),
        cmocka_unit_test(test_mistakes_are_diagnostics),
        cmocka_unit_test(test_a_foreign_variable_is_a_warning),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_config_tells_of_bad_otel_variables),
        cmocka_unit_test(test_level_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
