/*
 * The first thing main() does: options, and what they ask for instead of serving. Problems are
 * told as diagnostics, so that a log collector reads them like everything else the service says.
 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"

static void report(enum tel_severity severity, const char *name, const char *message,
                   void *argument)
{
    (void)argument;
    char text[1280];
    snprintf(text, sizeof(text), "%.128s %s", name, message);
    DIAGNOSTICS(severity, "options", text, DIAGNOSTICS_TEXT("option", name));
}

/* Answers --help and its like; the status to exit with. */
static int answer(const struct options *options)
{
    int error = 0;
    switch (options->action) {
    case OPTIONS_HELP:
        error = options_print_help(stdout);
        break;
    case OPTIONS_VERSION:
        error = options_print_version(stdout);
        break;
    case OPTIONS_PRINT_CONFIG:
        error = options_print_config(options, stdout);
        break;
    case OPTIONS_RUN:
        return OPTIONS_GO_ON;
    }
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "options", "cannot write to stdout",
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int options_start(struct options *options, int argc, char *const argv[], char *const environment[])
{
    int error = options_load(options, argc, argv, environment, report, NULL);
    /* Who asks for help may have got a flag wrong: that is no reason to refuse it. */
    if (error != 0 && options->action != OPTIONS_HELP) {
        diagnostics_flush();
        return OPTIONS_EXIT_BAD;
    }
    const struct diagnostics_options diagnostics = {.level = (enum tel_severity)options->log_level};
    diagnostics_configure(&diagnostics);
    return answer(options);
}
