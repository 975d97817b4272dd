/*
 * Loading options. One table, option_specs, is made from options.def; a setting is written into
 * struct options at its row's offset. Three passes over the same parser, each winning over the one
 * before: defaults, variables, flags. A list (--listen) is emptied when a stronger origin first
 * speaks of it, and appended to after that.
 *
 * To add a setting: a row in options.def. Nothing here changes.
 */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define VARIABLE_PREFIX       "GLASSBOX_"
#define PROBLEM_BYTES         1024
#define SUGGESTION_DISTANCE   3   /* edits beyond which a name is no typing error */
#define SUGGESTION_LENGTH_MAX 48  /* longer names are not compared */
#define FLAG_NAME_MAX         128 /* bytes of an unknown flag that are repeated */

const struct option_spec option_specs[OPTIONS_COUNT] = {
#define OPTION_GROUP(title)
#define OPTION(member, name, environment, kind, text, least, most, shown, words)            \
    {                                                                                       \
        .flag = (name),                                                                     \
        .variable = (environment),                                                          \
        .default_text = (text),                                                             \
        .value = (shown),                                                                   \
        .help = (words),                                                                    \
        .rule = {.type = OPTION_##kind, .min = (least), .max = (most), .choices = (shown)}, \
        .offset = offsetof(struct options, member),                                         \
    },
#include "options.def"
};

/* A flag that is not a setting: it takes no value. */
struct action_flag {
    const char *name;
    enum options_action action;
};
static const struct action_flag action_flags[] = {
    {"--help", OPTIONS_HELP},
    {"-h", OPTIONS_HELP},
    {"--version", OPTIONS_VERSION},
    {"-V", OPTIONS_VERSION},
    {"--print-config", OPTIONS_PRINT_CONFIG},
};
#define ACTION_FLAGS (sizeof(action_flags) / sizeof(action_flags[0]))

/* One call of options_load(). */
struct loading {
    struct options *options;
    options_problem_fn *problem;
    void *argument;
    int result;
};

static void tell(struct loading *loading, enum tel_severity severity, const char *name,
                 const char *message)
{
    loading->problem(severity, name, message, loading->argument);
    if (severity == TEL_ERROR) {
        loading->result = -EINVAL;
    }
}

/* Sets option `id` from `text`; `name` is how the operator called it. */
static void set(struct loading *loading, size_t id, enum option_origin origin, const char *name,
                const char *text)
{
    const struct option_spec *spec = &option_specs[id];
    void *member = (char *)loading->options + spec->offset;
    char kept[sizeof(struct address_list)];
    bool replaces = spec->rule.type == OPTION_ADDRESSES && loading->options->origin[id] != origin;
    if (replaces) {
        memcpy(kept, member, sizeof(kept));
        ((struct address_list *)member)->count = 0;
    }
    struct tel_buffer problem;
    tel_buffer_init(&problem, PROBLEM_BYTES);
    if (option_value_parse(&spec->rule, text, member, &problem) == 0) {
        loading->options->origin[id] = origin;
    } else {
        if (replaces) {
            memcpy(member, kept, sizeof(kept));
        }
        tel_buffer_append_char(&problem, '\0');
        tell(loading, TEL_ERROR, name, problem.error == 0 ? problem.data : "cannot be used");
    }
    tel_buffer_fini(&problem);
}

static void load_defaults(struct loading *loading)
{
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        set(loading, id, OPTION_FROM_DEFAULT, option_specs[id].flag, option_specs[id].default_text);
    }
}

/* Levenshtein's distance of two names, a row at a time; large when one is too long to compare. */
static unsigned distance(const char *a, const char *b, size_t b_length)
{
    unsigned row[SUGGESTION_LENGTH_MAX + 1];
    if (b_length > SUGGESTION_LENGTH_MAX) {
        return SUGGESTION_LENGTH_MAX;
    }
    for (unsigned i = 0; i <= b_length; i++) {
        row[i] = i;
    }
    for (unsigned i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = i;
        row[0] = i + 1;
        for (size_t j = 0; j < b_length; j++) {
            unsigned above = row[j + 1];
            unsigned best = diagonal + (a[i] != b[j]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j + 1] = best;
            diagonal = above;
        }
    }
    return row[b_length];
}

/* The name of an option nearest to `name`, or NULL when none is near. */
static const char *nearest(const char *name, size_t length, bool variable)
{
    const char *best = NULL;
    unsigned best_distance = SUGGESTION_DISTANCE + 1;
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        const char *candidate = variable ? option_specs[id].variable : option_specs[id].flag;
        unsigned edits = distance(candidate, name, length);
        if (edits < best_distance) {
            best = candidate;
            best_distance = edits;
        }
    }
    return best;
}

static void tell_unknown(struct loading *loading, enum tel_severity severity, const char *name,
                         const char *what, const char *dashes, const char *suggestion)
{
    char message[128];
    if (suggestion != NULL) {
        snprintf(message, sizeof(message), "%s; did you mean %s%s?", what, dashes, suggestion);
    } else {
        snprintf(message, sizeof(message), "%s", what);
    }
    tell(loading, severity, name, message);
}

/* Whether Kubernetes made the variable, for a Service of our name: GLASSBOX_PORT,
 * GLASSBOX_PORT_8080_TCP_ADDR, GLASSBOX_SERVICE_HOST, GLASSBOX_METRICS_SERVICE_PORT, … */
static bool is_service_link(const char *name, size_t length)
{
    const char *rest = name + strlen(VARIABLE_PREFIX) - 1;
    const char *port = memmem(rest, length - (size_t)(rest - name), "_PORT", 5);
    return port != NULL || (length > 13 && memcmp(name + length - 13, "_SERVICE_HOST", 13) == 0);
}

static void load_variable(struct loading *loading, const char *entry)
{
    const char *equals = strchr(entry, '=');
    if (equals == NULL || equals[1] == '\0') {
        return;
    }
    char name[128];
    size_t length = (size_t)(equals - entry);
    snprintf(name, sizeof(name), "%.*s", (int)(length < sizeof(name) ? length : sizeof(name) - 1),
             entry);
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        if (strcmp(option_specs[id].variable, name) == 0) {
            set(loading, id, OPTION_FROM_ENVIRONMENT, name, equals + 1);
            return;
        }
    }
    if (!is_service_link(entry, length)) {
        tell_unknown(loading, TEL_WARN, name, "is a variable that means nothing here", "",
                     nearest(name, strlen(name), true));
    }
}

static void load_environment(struct loading *loading, char *const environment[])
{
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) == 0) {
            load_variable(loading, *environment);
        }
    }
}

/* Whether `argument` is such a flag with a value behind it: `--version=1`. */
static bool is_action_with_value(const char *argument)
{
    size_t length = strcspn(argument, "=");
    for (size_t i = 0; i < ACTION_FLAGS && argument[length] == '='; i++) {
        if (strlen(action_flags[i].name) == length &&
            memcmp(action_flags[i].name, argument, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Loads a flag that is no setting; false when it is none. */
static bool load_action(struct loading *loading, const char *argument)
{
    if (is_action_with_value(argument)) {
        char name[FLAG_NAME_MAX];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(argument, "="), argument);
        tell(loading, TEL_ERROR, name, "takes no value");
        return true;
    }
    for (size_t i = 0; i < ACTION_FLAGS; i++) {
        if (strcmp(action_flags[i].name, argument) == 0) {
            /* The first one asked for is the one that is answered. */
            if (loading->options->action == OPTIONS_RUN) {
                loading->options->action = action_flags[i].action;
            }
            return true;
        }
    }
    return false;
}

/* The row of the flag that `name`, without dashes, begins with up to `length`, or OPTIONS_COUNT. */
static size_t find_flag(const char *name, size_t length)
{
    size_t id = 0;
    while (id < OPTIONS_COUNT && (strlen(option_specs[id].flag) != length ||
                                  memcmp(option_specs[id].flag, name, length) != 0)) {
        id++;
    }
    return id;
}

/* Loads `argument`, which may take its value from `next` (NULL: there is none). Returns how many
 * arguments were used. */
static int load_flag(struct loading *loading, const char *argument, const char *next)
{
    if (load_action(loading, argument)) {
        return 1;
    }
    if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0') {
        tell(loading, TEL_ERROR, argument, "is not a flag; arguments are not expected");
        return 1;
    }
    size_t length = strcspn(argument + 2, "=");
    size_t id = find_flag(argument + 2, length);
    bool has_value = argument[2 + length] == '=';
    char name[FLAG_NAME_MAX];
    snprintf(name, sizeof(name), "%.*s", (int)(length < sizeof(name) ? length + 2 : sizeof(name)),
             argument);
    if (id == OPTIONS_COUNT) {
        const char *suggestion = nearest(argument + 2, length, false);
        tell_unknown(loading, TEL_ERROR, name, "is not a flag", "--", suggestion);
        /* What follows a misspelt flag is taken for its value, so as not to be told twice. */
        bool next_is_value = suggestion != NULL && !has_value && next != NULL && next[0] != '-';
        return next_is_value ? 2 : 1;
    }
    if (has_value) {
        set(loading, id, OPTION_FROM_FLAG, name, argument + 2 + length + 1);
        return 1;
    }
    if (option_specs[id].rule.type == OPTION_BOOLEAN) {
        set(loading, id, OPTION_FROM_FLAG, name, "true");
        return 1;
    }
    if (next == NULL || strncmp(next, "--", 2) == 0) {
        tell(loading, TEL_ERROR, name, "needs a value");
        return 1;
    }
    set(loading, id, OPTION_FROM_FLAG, name, next);
    return 2;
}

/* What rows cannot say of each other. */
static void check_together(struct loading *loading)
{
    const struct options *options = loading->options;
    if (options->max_request_line_bytes > options->max_head_bytes) {
        tell(loading, TEL_ERROR, "--max-request-line",
             "is larger than --max-head, which counts it");
    }
}

int options_load(struct options *options, int argc, char *const argv[], char *const environment[],
                 options_problem_fn *problem, void *argument)
{
    memset(options, 0, sizeof(*options));
    struct loading loading = {.options = options, .problem = problem, .argument = argument};
    load_defaults(&loading);
    assert(loading.result == 0); /* a bad default is a defect of the table */
    load_environment(&loading, environment);
    for (int at = 1; at < argc;) {
        at += load_flag(&loading, argv[at], at + 1 < argc ? argv[at + 1] : NULL);
    }
    check_together(&loading);
    return loading.result;
}
