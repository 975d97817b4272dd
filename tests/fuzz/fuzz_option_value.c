/*
 * Every option, with any value: the first byte says which one, the rest is what it is set to. As a
 * flag and as a variable it means the same; what is taken reads back as itself; what is refused
 * leaves the default, and is told by the name that the operator wrote.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    const char *name;  /* that a problem must have */
    unsigned problems; /* with the value */
    unsigned others;   /* that it does not go with another option's */
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void count(enum tel_severity severity, const char *name, const char *message, void *argument)
{
    struct told *told = argument;
    check(severity == TEL_ERROR && *message != '\0');
    if (strcmp(message, "is larger than --max-head, which counts it") == 0) {
        told->others++;
    } else {
        check(strcmp(name, told->name) == 0);
        told->problems++;
    }
}

static void append_value(struct tel_buffer *out, const struct options *options, size_t id)
{
    const struct option_spec *spec = &option_specs[id];
    tel_buffer_init(out, 64 * 1024);
    option_value_format(&spec->rule, (const char *)options + spec->offset, out);
    tel_buffer_append_char(out, '\0');
    check(out->error == 0);
}

/* Loads the options and writes down the value of the one that was set; whether it was taken. */
static bool load(struct options *options, size_t id, char *const argv[], char *const environment[],
                 const char *name, struct tel_buffer *value)
{
    struct told told = {name, 0, 0};
    const int argc = argv[1] == NULL ? 1 : 2;
    const int error = options_load(options, argc, argv, environment, count, &told);
    check((error != 0) == (told.problems + told.others > 0) && told.problems <= 1);
    append_value(value, options, id);
    return told.problems == 0;
}

static void check_reads_back(const struct options *options, size_t id, const char *text)
{
    const struct option_spec *spec = &option_specs[id];
    struct options again = {.action = OPTIONS_RUN};
    struct tel_buffer problem;
    struct tel_buffer value;
    tel_buffer_init(&problem, 4096);
    check(option_value_parse(&spec->rule, text, (char *)&again + spec->offset, &problem) == 0);
    append_value(&value, &again, id);
    check(strcmp(value.data, text) == 0);
    check(options->origin[id] != OPTION_FROM_DEFAULT);
    tel_buffer_fini(&value);
    tel_buffer_fini(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const size_t id = data[0] % OPTIONS_COUNT;
    const struct option_spec *spec = &option_specs[id];
    char name[64] = "--";
    char *flag = malloc(size + sizeof(name));
    char *variable = malloc(size + sizeof(name));
    char *text = strndup((const char *)data + 1, size - 1);
    check(flag != NULL && variable != NULL && text != NULL);
    strcat(name, spec->flag);
    sprintf(flag, "%s=%s", name, text);
    sprintf(variable, "%s=%s", spec->variable, text);

    char *const with_flag[] = {"glassbox", flag, NULL};
    char *const without_flag[] = {"glassbox", NULL};
    char *const environment[] = {variable, NULL};
    char *const no_environment[] = {NULL};
    struct options options;
    struct tel_buffer by_flag;
    struct tel_buffer by_variable;
    struct tel_buffer by_default;
    check(load(&options, id, without_flag, no_environment, "", &by_default));
    const bool variable_taken =
        load(&options, id, without_flag, environment, spec->variable, &by_variable);
    const bool taken = load(&options, id, with_flag, no_environment, name, &by_flag);
    if (*text != '\0') { /* an empty variable is as good as none */
        check(taken == variable_taken && strcmp(by_flag.data, by_variable.data) == 0);
    }
    if (taken) {
        check_reads_back(&options, id, by_flag.data);
    } else {
        check(strcmp(by_flag.data, by_default.data) == 0);
    }
    tel_buffer_fini(&by_flag);
    tel_buffer_fini(&by_variable);
    tel_buffer_fini(&by_default);
    free(text);
    free(variable);
    free(flag);
    return 0;
}
