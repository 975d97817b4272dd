/*
 * docs/options.md: options.def, a table a group, and the fields that an access log may have.
 */
#include <string.h>

#include "options.h"
#include "reference.h"
#include "telemetry/access_log.h"

struct row {
    const char *title; /* of a group, or NULL */
    enum option_id id;
};

static const struct row rows[] = {
#define OPTION_GROUP(text) {.title = (text)},
#define OPTION(member, flag, variable, type, text, min, max, value, help) \
    {.id = OPTION_ID_##member},
#include "options.def"
};

/* What a value is, in a word, and what its bounds count. */
static const struct kind {
    const char *name;
    const char *counts; /* NULL: the bounds are values; "": there are none to tell */
} kinds[] = {
    [OPTION_ADDRESS] = {"address", ""},       [OPTION_ADDRESSES] = {"addresses", "addresses"},
    [OPTION_COUNT] = {"number", NULL},        [OPTION_SIZE] = {"size", NULL},
    [OPTION_DURATION] = {"duration", NULL},   [OPTION_RATIO] = {"ratio", ""},
    [OPTION_BOOLEAN] = {"true or false", ""}, [OPTION_CHOICE] = {"one of", ""},
    [OPTION_STRING] = {"text", "bytes"},      [OPTION_FIELDS] = {"field names", "bytes"},
};

static void append_range(struct tel_buffer *out, const struct option_rule *rule)
{
    const char *counts = kinds[rule->type].counts;
    if (rule->type == OPTION_CHOICE) {
        reference_words(out, rule->choices);
    } else if (rule->type == OPTION_RATIO) {
        tel_buffer_append_string(out, "0 to 1");
    } else if (counts == NULL) {
        option_value_format(rule, &rule->min, out);
        if (rule->max == UINT64_MAX) {
            tel_buffer_append_string(out, " and more");
        } else {
            tel_buffer_append_string(out, " to ");
            option_value_format(rule, &rule->max, out);
        }
    } else if (counts[0] != '\0') {
        tel_buffer_append_format(out, "%llu to %llu %s", (unsigned long long)rule->min,
                                 (unsigned long long)rule->max, counts);
    }
}

static void append_option(struct tel_buffer *out, const struct option_spec *spec)
{
    tel_buffer_append_format(out, "| `--%s` | `%s` | %s | ", spec->flag, spec->variable,
                             kinds[spec->rule.type].name);
    append_range(out, &spec->rule);
    if (spec->default_text[0] != '\0') {
        tel_buffer_append_format(out, " | `%s` | ", spec->default_text);
    } else {
        tel_buffer_append_string(out, " | | ");
    }
    reference_cell(out, spec->help);
    tel_buffer_append_string(out, " |\n");
}

/* Names separated by spaces, as the library lists them. */
static void append_names(struct tel_buffer *out, const char *names)
{
    while (*names != '\0') {
        size_t length = strcspn(names, " ,");
        if (length > 0) {
            tel_buffer_append_format(out, " `%.*s`", (int)length, names);
        }
        names += length + (names[length] != '\0');
    }
}

/* The library's vocabulary, in its own words: what it says of a field that it does not know. */
static int append_fields(struct tel_buffer *out)
{
    static const char mark[] = "allowed: ";
    char message[1024] = "";
    tel_access_fields_check("?", message, sizeof(message));
    const char *names = strstr(message, mark);
    if (names == NULL) {
        fprintf(stderr, "the library does not list its fields: %s\n", message);
        return -1;
    }
    tel_buffer_append_string(out, "\n## Access-log fields\n\nAllowed:");
    append_names(out, names + strlen(mark));
    tel_buffer_append_string(out, "\n\nDefault of `w3c`:");
    append_names(out, tel_access_fields_default);
    tel_buffer_append_string(out, "\n\nDefault of `iis`:");
    append_names(out, tel_access_fields_iis);
    tel_buffer_append_string(out, "\n");
    return 0;
}

int reference_options(struct tel_buffer *out)
{
    tel_buffer_append_string(
        out,
        "# Options\n\n"
        "Written by `make docs` from `src/options.def`; not by hand.\n\n"
        "Each setting is a flag, `--flag=VALUE` or `--flag VALUE`, and a variable; a flag wins. "
        "An\n"
        "empty variable is as good as none. Durations: `500ms`, `2s`, `1.5m`, `1h`. Sizes: `512`,\n"
        "`16k`, `1MiB`, in powers of 1024. Everything that is wrong is told at once, by name, and "
        "the\n"
        "exit status is 2. The `OTEL_*` variables have [a page of their own](variables.md).\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].title != NULL) {
            tel_buffer_append_format(
                out,
                "\n## %s\n\n| flag | variable | type | range | default | what it does |\n"
                "|---|---|---|---|---|---|\n",
                rows[i].title);
        } else {
            append_option(out, &option_specs[rows[i].id]);
        }
    }
    return append_fields(out);
}
