/*
 * Options from arbitrary bytes: NUL-separated words, those before an empty word being arguments and
 * those after it the environment. Whatever is given, loading ends, each problem has a name, failure
 * and problems agree, and every value that came of it can be printed and read back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define WORDS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count_error(enum tel_severity severity, const char *name, const char *message,
                        void *argument)
{
    if (name == NULL || *message == '\0') {
        abort();
    }
    *(unsigned *)argument += severity == TEL_ERROR;
}

/* Prints every value, and reads it back without a complaint. */
static void check_values(const struct options *options)
{
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        const struct option_spec *spec = &option_specs[id];
        struct options again = {.action = OPTIONS_RUN};
        struct tel_buffer text;
        struct tel_buffer problem;
        tel_buffer_init(&text, 64 * 1024);
        tel_buffer_init(&problem, 4096);
        option_value_format(&spec->rule, (const char *)options + spec->offset, &text);
        tel_buffer_append_char(&text, '\0');
        if (text.error != 0 || option_value_parse(&spec->rule, text.data,
                                                  (char *)&again + spec->offset, &problem) != 0) {
            abort();
        }
        tel_buffer_fini(&text);
        tel_buffer_fini(&problem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    char *argv[WORDS_MAX + 1] = {"glassbox"};
    char *environment[WORDS_MAX + 1] = {NULL};
    int argc = 1;
    size_t variables = 0;
    bool arguments = true;
    for (char *word = text; word <= text + size; word += strlen(word) + 1) {
        if (arguments && *word == '\0') {
            arguments = false;
        } else if (arguments && argc < WORDS_MAX) {
            argv[argc++] = word;
        } else if (!arguments && variables < WORDS_MAX) {
            environment[variables++] = word;
        }
    }
    struct options options;
    unsigned errors = 0;
    int result = options_load(&options, argc, argv, environment, count_error, &errors);
    if ((result != 0) != (errors > 0)) {
        abort();
    }
    check_values(&options);
    free(text);
    return 0;
}
