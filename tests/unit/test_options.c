/*
 * Options as an operator gives them: flags, variables, and every mistake told at once by name.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What one load gave. Problems are kept as `E name: message` or `W …`, a line each. */
struct loaded {
    struct options options;
    int result;
    char problems[8192];
};

static void collect(enum tel_severity severity, const char *name, const char *message,
                    void *argument)
{
    struct loaded *loaded = argument;
    size_t used = strlen(loaded->problems);
    snprintf(loaded->problems + used, sizeof(loaded->problems) - used, "%c %s: %s\n",
             severity == TEL_ERROR ? 'E' : 'W', name, message);
}

/* Loads from two NULL-terminated lists; the program's name is put before the arguments. */
static void load(struct loaded *loaded, char *const arguments[], char *const environment[])
{
    char *argv[64] = {"glassbox"};
    int argc = 1;
    for (; arguments[argc - 1] != NULL; argc++) {
        argv[argc] = arguments[argc - 1];
    }
    loaded->problems[0] = '\0';
    loaded->result = options_load(&loaded->options, argc, argv, environment, collect, loaded);
}
#define ARGUMENTS(...)   ((char *[16]){__VA_ARGS__})
#define ENVIRONMENT(...) ((char *[16]){__VA_ARGS__})

static void assert_says(const struct loaded *loaded, const char *part)
{
    if (strstr(loaded->problems, part) == NULL) {
        fail_msg("`%s` is not in:\n%s", part, loaded->problems);
    }
}

static void assert_clean(const struct loaded *loaded)
{
    assert_string_equal(loaded->problems, "");
    assert_int_equal(loaded->result, 0);
}

static void test_defaults(void **state)
{
    (void)state;
    struct loaded loaded;
    load(&loaded, ARGUMENTS(), ENVIRONMENT("PATH=/bin", "GLASSBOX_WORKERS="));
    assert_clean(&loaded);
    const struct options *options = &loaded.options;
    assert_int_equal(options->action, OPTIONS_RUN);
    assert_int_equal(options->listen.count, 1);
    assert_true(options->listen.items[0].every_family);
    assert_int_equal(ntohs(options->listen.items[0].v6.sin6_port), 8080);
    assert_int_equal(options->admin_listen.length, 0);
    assert_int_equal(options->workers, 0);
    assert_int_equal(options->max_connections, 10000);
    assert_int_equal(options->max_request_line_bytes, 8192);
    assert_int_equal(options->max_head_bytes, 16384);
    assert_int_equal(options->max_header_count, 100);
    assert_int_equal(options->max_body_bytes, 1 << 20);
    assert_int_equal(options->idle_timeout_ms, 60000);
    assert_string_equal(options->access_log, "-");
    assert_int_equal(options->access_log_format, OPTION_FORMAT_W3C);
    assert_string_equal(options->message, "Automate all the things!");
    assert_int_equal(options->timestamp_unit, OPTION_TIMESTAMP_S);
    assert_true(options->random_error_ratio > 0.0999 && options->random_error_ratio < 0.1001);
    assert_int_equal(options->drain_delay_ms, 0);
    assert_int_equal(options->log_level, TEL_INFO_LEVEL);
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        assert_int_equal(options->origin[id], OPTION_FROM_DEFAULT);
    }
}

/* Both forms of a flag, each stronger than its variable; the last of two flags. */
static void test_precedence(void **state)
{
    (void)state;
    struct loaded loaded;
    load(&loaded,
         ARGUMENTS("--workers=3", "--max-head", "32k", "--message", "-", "--message=", "--workers",
                   "2"),
         ENVIRONMENT("GLASSBOX_WORKERS=7", "GLASSBOX_LOG_LEVEL=ERROR", "GLASSBOX_MESSAGE=no"));
    assert_clean(&loaded);
    assert_int_equal(loaded.options.workers, 2);
    assert_int_equal(loaded.options.max_head_bytes, 32768);
    assert_string_equal(loaded.options.message, "");
    assert_int_equal(loaded.options.log_level, TEL_ERROR);
    assert_int_equal(loaded.options.origin[OPTION_ID_workers], OPTION_FROM_FLAG);
    assert_int_equal(loaded.options.origin[OPTION_ID_log_level], OPTION_FROM_ENVIRONMENT);
    assert_int_equal(loaded.options.origin[OPTION_ID_max_body_bytes], OPTION_FROM_DEFAULT);
}

/* A repeated --listen adds to the flags before it, and replaces the variable's list. */
static void test_listen_is_a_list(void **state)
{
    (void)state;
    struct loaded loaded;
    char *variable = "GLASSBOX_LISTEN=127.0.0.1:1,127.0.0.1:2";
    load(&loaded, ARGUMENTS(), ENVIRONMENT(variable));
    assert_clean(&loaded);
    assert_int_equal(loaded.options.listen.count, 2);
    assert_int_equal(ntohs(loaded.options.listen.items[1].v4.sin_port), 2);

    load(&loaded, ARGUMENTS("--listen", "127.0.0.1:0", "--listen=[::1]:0"), ENVIRONMENT(variable));
    assert_clean(&loaded);
    assert_int_equal(loaded.options.listen.count, 2);
    assert_int_equal(loaded.options.listen.items[0].any.sa_family, AF_INET);
    assert_int_equal(loaded.options.listen.items[1].any.sa_family, AF_INET6);

    /* A bad one leaves the list that it would have replaced. */
    load(&loaded, ARGUMENTS("--listen", "x"), ENVIRONMENT(variable));
    assert_int_equal(loaded.result, -EINVAL);
    assert_int_equal(loaded.options.listen.count, 2);
}

static void test_every_mistake_is_told(void **state)
{
    (void)state;
    struct loaded loaded;
    load(&loaded,
         ARGUMENTS("--workers", "99", "--wrokers", "2", "--idle-timeout=10", "stray", "--quux=1",
                   "-x", "--listen"),
         ENVIRONMENT("GLASSBOX_MAX_HEAD=1", "GLASSBOX_ACCESS_LOG_FORMAT=json"));
    assert_int_equal(loaded.result, -EINVAL);
    assert_says(&loaded, "E GLASSBOX_MAX_HEAD: `1` is out of range: 512 to 256KiB\n");
    assert_says(&loaded, "E GLASSBOX_ACCESS_LOG_FORMAT: `json` is none of w3c|iis\n");
    assert_says(&loaded, "E --workers: `99` is out of range: 0 to 32\n");
    assert_says(&loaded, "E --wrokers: is not a flag; did you mean --workers?\n");
    assert_says(&loaded, "E --idle-timeout: `10` is not a duration with a unit");
    assert_says(&loaded, "E stray: is not a flag");
    assert_says(&loaded, "E --quux: is not a flag\n");
    assert_says(&loaded, "E -x: is not a flag");
    assert_says(&loaded, "E --listen: needs a value\n");
    size_t lines = 0;
    for (const char *at = loaded.problems; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    assert_int_equal(lines, 9); /* and nothing twice: the 2 of --wrokers is not a stray argument */
}

static void test_values_that_look_like_flags(void **state)
{
    (void)state;
    struct loaded loaded;
    load(&loaded, ARGUMENTS("--message", "--workers", "2"), ENVIRONMENT());
    assert_says(&loaded, "E --message: needs a value");
    assert_int_equal(loaded.options.workers, 2);
    load(&loaded, ARGUMENTS("--message=--workers"), ENVIRONMENT());
    assert_clean(&loaded);
    assert_string_equal(loaded.options.message, "--workers");
    load(&loaded, ARGUMENTS("--"), ENVIRONMENT());
    assert_says(&loaded, "E --: is not a flag");
}

/* A name of ours misspelt in the environment is worth a word; Kubernetes' own are not. */
static void test_foreign_variables(void **state)
{
    (void)state;
    struct loaded loaded;
    load(&loaded, ARGUMENTS(),
         ENVIRONMENT("GLASSBOX_WORKER=2", "GLASSBOX_SERVICE_HOST=10.0.0.1",
                     "GLASSBOX_SERVICE_PORT=8080", "GLASSBOX_PORT=tcp://10.0.0.1:8080",
                     "GLASSBOX_PORT_8080_TCP_ADDR=10.0.0.1",
                     "GLASSBOX_METRICS_SERVICE_HOST=10.0.0.1", "GLASSBOX_NOTHING_LIKE_IT_AT_ALL=1",
                     "XGLASSBOX_WORKERS=x"));
    assert_int_equal(loaded.result, 0);
    assert_string_equal(
        loaded.problems,
        "W GLASSBOX_WORKER: is a variable that means nothing here; did you mean GLASSBOX_WORKERS?\n"
        "W GLASSBOX_NOTHING_LIKE_IT_AT_ALL: is a variable that means nothing here\n");
}

/* Not `is not a flag`: it is one. Nor is it answered as if the value were not there. */
static void test_actions_take_no_value(void **state)
{
    (void)state;
    static const struct {
        char *argument;
        const char *problems;
    } rows[] = {
        {"--version=1", "E --version: takes no value\n"},
        {"--help=", "E --help: takes no value\n"},
        {"--print-config=yes", "E --print-config: takes no value\n"},
        {"-h=1", "E -h: takes no value\n"},
        {"--versio=1", "E --versio: is not a flag\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loaded loaded;
        load(&loaded, ARGUMENTS(rows[i].argument), ENVIRONMENT());
        assert_int_equal(loaded.result, -EINVAL);
        assert_string_equal(loaded.problems, rows[i].problems);
        assert_int_equal(loaded.options.action, OPTIONS_RUN);
    }
}

static void test_options_that_depend_on_each_other(void **state)
{
    (void)state;
    struct loaded loaded;
    load(&loaded, ARGUMENTS("--max-head=4k"), ENVIRONMENT());
    assert_int_equal(loaded.result, -EINVAL);
    assert_says(&loaded, "E --max-request-line: is larger than --max-head");
    load(&loaded, ARGUMENTS("--max-head=4k", "--max-request-line=4k"), ENVIRONMENT());
    assert_clean(&loaded);
}

static void test_actions(void **state)
{
    (void)state;
    static const struct {
        char *flag;
        enum options_action action;
    } rows[] = {
        {"--help", OPTIONS_HELP},
        {"-h", OPTIONS_HELP},
        {"--version", OPTIONS_VERSION},
        {"-V", OPTIONS_VERSION},
        {"--print-config", OPTIONS_PRINT_CONFIG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loaded loaded;
        load(&loaded, ARGUMENTS("--workers=1", rows[i].flag, "--max-body=1k", "--help"),
             ENVIRONMENT());
        assert_clean(&loaded);
        assert_int_equal(loaded.options.action, rows[i].action);
        assert_int_equal(loaded.options.max_body_bytes, 1024);
    }
}

/* The variable is the flag in capitals, and the help is a sentence: so that nobody has to guess. */
static void test_the_table(void **state)
{
    (void)state;
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        const struct option_spec *spec = &option_specs[id];
        char variable[64] = "GLASSBOX_";
        size_t length = strlen(variable);
        for (const char *at = spec->flag; *at != '\0'; at++) {
            variable[length++] = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
        }
        assert_string_equal(spec->variable, variable);
        assert_null(strstr(variable, "_PORT"));
        assert_int_equal(spec->help[strlen(spec->help) - 1], '.');
        for (size_t other = 0; other < id; other++) {
            assert_string_not_equal(spec->flag, option_specs[other].flag);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_listen_is_a_list),
        cmocka_unit_test(test_every_mistake_is_told),
        cmocka_unit_test(test_values_that_look_like_flags),
        cmocka_unit_test(test_foreign_variables),
        cmocka_unit_test(test_options_that_depend_on_each_other),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_actions_take_no_value),
        cmocka_unit_test(test_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
