/*
 * What --help, --version and --print-config print. Both tables are wide enough for a terminal of
 * 100 columns and read well in a narrower file; the help's text is wrapped between words.
 *
 *     --flag VALUE               help, wrapped                      (column 34 on)
 *                                [GLASSBOX_FLAG=default; min to max]
 *
 * --print-config says a setting a line, in a form that can be given back, and below one whose value
 * means `as it comes` what came, as a remark:
 *
 *     default      GLASSBOX_WORKERS=0
 *     #            2 here
 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "cpus.h"
#include "diagnostics.h"
#include "telemetry/telemetry.h"

#define WIDTH       100
#define HELP_COLUMN 34
#define OUT_BYTES   (64u * 1024)
#define VALUE_BYTES (32u * 1024)

/* A heading of --help, or an option. */
struct help_row {
    const char *title;
    enum option_id id;
};
static const struct help_row help_rows[] = {
#define OPTION_GROUP(text) {.title = (text)},
#define OPTION(member, flag, variable, type, text, min, max, value, help) \
    {.id = OPTION_ID_##member},
#include "options.def"
};
#define HELP_ROWS (sizeof(help_rows) / sizeof(help_rows[0]))

static const char *const origin_names[] = {
    [OPTION_FROM_DEFAULT] = "default",
    [OPTION_FROM_ENVIRONMENT] = "environment",
    [OPTION_FROM_FLAG] = "flag",
};

/* Writes the buffer out, and frees it. Returns 0 or a negative errno. */
static int flush(struct tel_buffer *buffer, FILE *out)
{
    int result = buffer->error;
    if (result == 0 && fwrite(buffer->data, 1, buffer->length, out) != buffer->length) {
        result = -EIO;
    }
    if (fflush(out) != 0 && result == 0) {
        result = -errno;
    }
    tel_buffer_fini(buffer);
    return result;
}

static void pad(struct tel_buffer *out, size_t *column, size_t to)
{
    for (; *column < to; (*column)++) {
        tel_buffer_append_char(out, ' ');
    }
}

/* Appends words from column `to` on, and breaks the line before one that would cross WIDTH. */
static void append_wrapped(struct tel_buffer *out, size_t column, size_t to, const char *text)
{
    pad(out, &column, to);
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > to && column + 1 + word > WIDTH) {
            tel_buffer_append_char(out, '\n');
            column = 0;
            pad(out, &column, to);
        } else if (column > to) {
            tel_buffer_append_char(out, ' ');
            column++;
        }
        tel_buffer_append(out, text, word);
        column += word;
        text += word + (text[word] == ' ');
    }
}

/* The line under an option's help: variable, default, and the range where there is one. */
static void append_terms(struct tel_buffer *out, const struct option_spec *spec)
{
    size_t column = 0;
    pad(out, &column, HELP_COLUMN);
    tel_buffer_append_format(out, "[%s=%s", spec->variable, spec->default_text);
    bool ranged = spec->rule.type == OPTION_COUNT || spec->rule.type == OPTION_SIZE ||
                  spec->rule.type == OPTION_DURATION;
    if (spec->rule.type == OPTION_RATIO) {
        tel_buffer_append_string(out, "; 0 to 1");
    } else if (ranged && spec->rule.max < UINT64_MAX) {
        tel_buffer_append_string(out, "; ");
        option_value_format(&spec->rule, &spec->rule.min, out);
        tel_buffer_append_string(out, " to ");
        option_value_format(&spec->rule, &spec->rule.max, out);
    }
    tel_buffer_append_string(out, "]\n");
}

static void append_help(struct tel_buffer *out, const struct option_spec *spec)
{
    size_t start = out->length;
    /* What is true or false takes its value behind `=` alone: the next word is none of its own. */
    tel_buffer_append_format(out, spec->rule.type == OPTION_BOOLEAN ? "  --%s[=%s]" : "  --%s %s",
                             spec->flag, spec->value);
    size_t column = out->length - start;
    if (column + 2 > HELP_COLUMN) {
        tel_buffer_append_char(out, '\n');
        column = 0;
    }
    append_wrapped(out, column, HELP_COLUMN, spec->help);
    tel_buffer_append_char(out, '\n');
    append_terms(out, spec);
}

/* A row of the sections behind the options: a name, and a sentence or a list of words. */
static void append_row(struct tel_buffer *out, const char *name, const char *text)
{
    size_t start = out->length;
    tel_buffer_append_format(out, "  %s", name);
    append_wrapped(out, out->length - start, HELP_COLUMN, text);
    tel_buffer_append_char(out, '\n');
}

/* The library's vocabulary, in its own words: what it says of a field that it does not know. */
static void append_field_names(struct tel_buffer *out)
{
    static const char mark[] = "allowed: ";
    char message[1024] = "";
    tel_access_fields_check("?", message, sizeof(message));
    const char *names = strstr(message, mark);
    append_row(out, "allowed", names != NULL ? names + strlen(mark) : message);
}

static void append_sections(struct tel_buffer *out)
{
    tel_buffer_append_string(out, "\nAccess-log fields:\n");
    append_row(out, "default of w3c", tel_access_fields_default);
    append_row(out, "default of iis", tel_access_fields_iis);
    append_field_names(out);
    tel_buffer_append_string(out, "\nOther:\n");
    append_row(out, "-h, --help", "This text.");
    append_row(out, "-V, --version", "The version.");
    append_row(out, "--print-config", "Effective settings, and where each came from.");
    tel_buffer_append_string(out, "\nSignals:\n");
    append_row(out, "TERM, INT", "Drains, then flushes; a second one ends at once.");
    append_row(out, "HUP", "Opens the access log again.");
    tel_buffer_append_string(out, "\nExit status:\n");
    append_row(out, "0", "Ended in order.");
    append_row(out, "1", "Could not start.");
    append_row(out, "2", "Settings are wrong; each is told on stderr.");
    append_row(out, "128+N", "Ended at once, by signal N.");
}

int options_print_help(FILE *out)
{
    struct tel_buffer text;
    tel_buffer_init(&text, OUT_BYTES);
    tel_buffer_append_string(
        &text, "Usage: glassbox [--FLAG=VALUE | --FLAG VALUE]...\n"
               "\n"
               "An HTTP service whose telemetry can be trusted: every request is one access-log\n"
               "line, one span and one observation.\n"
               "\n"
               "Each setting is a flag or a variable; a flag wins. In brackets: variable=default,\n"
               "and the range.\n"
               "DURATION: 500ms, 2s, 1.5m, 1h. SIZE: 512, 16k, 1MiB (powers of 1024).\n");
    for (size_t i = 0; i < HELP_ROWS; i++) {
        if (help_rows[i].title != NULL) {
            tel_buffer_append_format(&text, "\n%s:\n", help_rows[i].title);
        } else {
            append_help(&text, &option_specs[help_rows[i].id]);
        }
    }
    append_sections(&text);
    tel_buffer_append_string(
        &text,
        "\nThe standard OTEL_* variables (exporter, sampler, resource, batching) are read as\n"
        "the OpenTelemetry specification says; --print-config lists them.\n");
    return flush(&text, out);
}

int options_print_version(FILE *out)
{
    struct tel_buffer text;
    tel_buffer_init(&text, OUT_BYTES);
    tel_buffer_append_format(&text, "%s %s (%s)\n", build_info.name, build_info.version,
                             build_info.revision);
    return flush(&text, out);
}

/* One line of --print-config; control characters of a value become spaces, so it stays one. */
static void append_setting(struct tel_buffer *out, const char *name, const char *value,
                           size_t length, const char *origin)
{
    tel_buffer_append_format(out, "%-11s  %s=", origin, name);
    size_t at = out->length;
    tel_buffer_append(out, value, length);
    for (; at < out->length; at++) {
        if ((unsigned char)out->data[at] < ' ') {
            out->data[at] = ' ';
        }
    }
    tel_buffer_append_char(out, '\n');
}

/* What a value means here that leaves the choice to us. */
static void append_remark(struct tel_buffer *out, const struct options *options, enum option_id id)
{
    if (id == OPTION_ID_workers && options->workers == 0) {
        tel_buffer_append_format(out, "%-11s  %u here\n", "#", cpus_default_workers());
    } else if (id == OPTION_ID_access_log_fields && options->access_log_fields[0] == '\0') {
        tel_buffer_append_format(out, "%-11s  %s\n", "#",
                                 options->access_log_format == OPTION_FORMAT_IIS
                                     ? tel_access_fields_iis
                                     : tel_access_fields_default);
    }
}

static void append_otel(const char *name, const char *value, bool from_environment, void *argument)
{
    append_setting(argument, name, value, strlen(value),
                   origin_names[from_environment ? OPTION_FROM_ENVIRONMENT : OPTION_FROM_DEFAULT]);
}

int options_print_config(const struct options *options, FILE *out)
{
    struct tel_buffer text;
    struct tel_buffer value;
    tel_buffer_init(&text, OUT_BYTES);
    tel_buffer_init(&value, VALUE_BYTES);
    for (size_t id = 0; id < OPTIONS_COUNT; id++) {
        const struct option_spec *spec = &option_specs[id];
        tel_buffer_clear(&value);
        option_value_format(&spec->rule, (const char *)options + spec->offset, &value);
        append_setting(&text, spec->variable, value.data, value.length,
                       origin_names[options->origin[id]]);
        append_remark(&text, options, (enum option_id)id);
    }
    tel_buffer_fini(&value);
    struct tel_config *config = tel_config_create(getenv, diagnostics_from_library, NULL);
    if (config == NULL) {
        tel_buffer_fini(&text);
        return -ENOMEM;
    }
    tel_config_each(config, append_otel, &text);
    tel_config_destroy(config);
    return flush(&text, out);
}
