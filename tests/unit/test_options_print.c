/*
 * --help, --version and --print-config, read as an operator reads them. They are as wide as a
 * terminal, name every setting, and what --print-config says can be given back to the program.
 */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "build_info.h"
#include "cpus.h"
#include "telemetry/access_log.h"

struct printed {
    char *text;
    size_t length;
    FILE *out;
};

static void no_problem(enum tel_severity severity, const char *name, const char *message,
                       void *argument)
{
    (void)severity;
    (void)argument;
    fail_msg("%s: %s", name, message);
}

static void open_printed(struct printed *printed)
{
    printed->out = open_memstream(&printed->text, &printed->length);
    assert_non_null(printed->out);
}

static void close_printed(struct printed *printed)
{
    fclose(printed->out);
    free(printed->text);
}

static void assert_has(const struct printed *printed, const char *part)
{
    if (strstr(printed->text, part) == NULL) {
        fail_msg("`%s` is not in:\n%s", part, printed->text);
    }
}

static void test_help(void **state)
{
    (void)state;
    struct printed printed;
    open_printed(&printed);
    assert_int_equal(options_print_help(printed.out), 0);
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        char part[256];
        const bool alone = option_specs[id].rule.type == OPTION_BOOLEAN;
        snprintf(part, sizeof(part), alone ? "\n  --%s[=%s] " : "\n  --%s %s",
                 option_specs[id].flag, option_specs[id].value);
        assert_has(&printed, part);
        snprintf(part, sizeof(part), " [%s=%s", option_specs[id].variable,
                 option_specs[id].default_text);
        assert_has(&printed, part);
    }
    assert_has(&printed, "\nListening:\n");
    assert_has(&printed, "[GLASSBOX_IDLE_TIMEOUT=60s; 1ms to 24h]\n");
    assert_has(&printed, "[GLASSBOX_RANDOM_ERROR_RATIO=0.1; 0 to 1]\n");
    assert_has(&printed, "[GLASSBOX_MESSAGE=Automate all the things!]\n");
    assert_has(&printed, "--print-config");
    for (const char *line = printed.text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t width = strcspn(line, "\n");
        if (width > 100 || (width > 0 && line[width - 1] == ' ')) {
            fail_msg("too wide, or a blank at its end: `%.*s`", (int)width, line);
        }
    }
    close_printed(&printed);
}

/* What an operator asks the help for besides settings. */
static void test_help_tells_of_the_process(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\nAccess-log fields:\n  default of w3c                  date time ",
        "\n  default of iis                  date time s-ip ",
        "\n  allowed                         date time ",
        " x-trace-id",
        "cs(Header) sc(Header)\n",
        "\nSignals:\n  TERM, INT                       Drains,",
        "\n  HUP                             ",
        "\nExit status:\n  0                               Ended in order.\n",
        "\n  1                               Could not start.\n",
        "\n  2                               Settings are wrong",
        "\n  128+N                           ",
    };
    struct printed printed;
    open_printed(&printed);
    assert_int_equal(options_print_help(printed.out), 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_has(&printed, parts[i]);
    }
    /* Each default field is one of the allowed ones, headers apart. */
    char names[512];
    char *saved;
    snprintf(names, sizeof(names), "%s", tel_access_fields_default);
    const char *allowed = strstr(printed.text, "\n  allowed ");
    for (char *name = strtok_r(names, " ", &saved); name != NULL;
         name = strtok_r(NULL, " ", &saved)) {
        if (strchr(name, '(') == NULL && strstr(allowed, name) == NULL) {
            fail_msg("%s is not listed", name);
        }
    }
    close_printed(&printed);
}

static void test_version(void **state)
{
    (void)state;
    struct printed printed;
    open_printed(&printed);
    assert_int_equal(options_print_version(printed.out), 0);
    char expected[128];
    snprintf(expected, sizeof(expected), "glassbox %s (%s)\n", build_info.version,
             build_info.revision);
    assert_string_equal(printed.text, expected);
    close_printed(&printed);
}

static void test_config(void **state)
{
    (void)state;
    char *argv[] = {"glassbox",         "--workers=2",          "--listen=:1",
                    "--listen=[::1]:2", "--message=two\nlines", NULL};
    char *environment[] = {"GLASSBOX_MAX_BODY=4096k", NULL};
    struct options options;
    assert_int_equal(options_load(&options, 5, argv, environment, no_problem, NULL), 0);
    setenv("OTEL_SERVICE_NAME", "printed", 1);
    struct printed printed;
    open_printed(&printed);
    assert_int_equal(options_print_config(&options, printed.out), 0);
    unsetenv("OTEL_SERVICE_NAME");
    assert_has(&printed, "flag         GLASSBOX_WORKERS=2\n");
    assert_has(&printed, "flag         GLASSBOX_LISTEN=*:1,[::1]:2\n");
    assert_has(&printed, "flag         GLASSBOX_MESSAGE=two lines\n");
    assert_has(&printed, "environment  GLASSBOX_MAX_BODY=4MiB\n");
    assert_has(&printed, "default      GLASSBOX_IDLE_TIMEOUT=60s\n");
    assert_has(&printed, "environment  OTEL_SERVICE_NAME=printed\n");
    assert_has(&printed, "\ndefault      OTEL_");
    close_printed(&printed);
}

/* Where a value leaves the choice to the service, what was chosen stands below it. */
static void test_config_remarks(void **state)
{
    (void)state;
    char *argv[] = {"glassbox", NULL, NULL};
    char *environment[] = {NULL};
    struct options options;
    struct printed printed;
    char expected[1024];
    assert_int_equal(options_load(&options, 1, argv, environment, no_problem, NULL), 0);
    open_printed(&printed);
    assert_int_equal(options_print_config(&options, printed.out), 0);
    snprintf(expected, sizeof(expected),
             "\ndefault      GLASSBOX_WORKERS=0\n#            %u here\n", cpus_default_workers());
    assert_has(&printed, expected);
    snprintf(expected, sizeof(expected),
             "\ndefault      GLASSBOX_ACCESS_LOG_FIELDS=\n#            %s\n",
             tel_access_fields_default);
    assert_has(&printed, expected);
    close_printed(&printed);

    argv[1] = "--access-log-format=iis";
    assert_int_equal(options_load(&options, 2, argv, environment, no_problem, NULL), 0);
    open_printed(&printed);
    assert_int_equal(options_print_config(&options, printed.out), 0);
    snprintf(expected, sizeof(expected), "FIELDS=\n#            %s\n", tel_access_fields_iis);
    assert_has(&printed, expected);
    close_printed(&printed);

    options.workers = 3;
    options.access_log_fields = "date";
    open_printed(&printed);
    assert_int_equal(options_print_config(&options, printed.out), 0);
    assert_null(strstr(printed.text, "#"));
    close_printed(&printed);
}

/* Every value is printed in a form that the parser reads as the same value. */
static void test_config_can_be_given_back(void **state)
{
    (void)state;
    char *argv[] = {"glassbox", NULL};
    char *environment[OPTIONS_COUNT + 1] = {NULL};
    struct options first;
    struct options second;
    struct printed printed;
    assert_int_equal(options_load(&first, 1, argv, environment, no_problem, NULL), 0);
    open_printed(&printed);
    assert_int_equal(options_print_config(&first, printed.out), 0);
    char *line = printed.text;
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        environment[id] = line + strlen("default      ");
        do { /* remarks are no settings */
            line += strcspn(line, "\n");
            *line++ = '\0';
        } while (*line == '#');
    }
    assert_int_equal(options_load(&second, 1, argv, environment, no_problem, NULL), 0);
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        struct tel_buffer values[2];
        const struct options *both[] = {&first, &second};
        for (size_t i = 0; i < 2; i++) {
            tel_buffer_init(&values[i], 8192);
            option_value_format(&option_specs[id].rule,
                                (const char *)both[i] + option_specs[id].offset, &values[i]);
            tel_buffer_append_char(&values[i], '\0');
        }
        assert_string_equal(values[0].data, values[1].data);
        tel_buffer_fini(&values[0]);
        tel_buffer_fini(&values[1]);
    }
    close_printed(&printed);
}

static void test_nowhere_to_print(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_true(options_print_version(full) < 0);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_help_tells_of_the_process),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_config_remarks),
        cmocka_unit_test(test_config_can_be_given_back),
        cmocka_unit_test(test_nowhere_to_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
