/*
 * docs/variables.md: otel.def.
 */
#include <string.h>

#include "config/variable.h"
#include "reference.h"

static const struct row {
    struct tel__variable variable;
    const char *help;
} rows[] = {
#define VARIABLE(name, type, initial, low, high, choices, help) \
    {{"OTEL_" #name, TEL__##type, initial, low, high, choices}, help},
#include "config/otel.def"
#undef VARIABLE
};

static const char *const kinds[] = {
    [TEL__TEXT] = "text",
    [TEL__BOOL] = "`true` or `false`",
    [TEL__ATTRIBUTE] = "text, UTF-8",
    [TEL__LIST] = "`key=value,…`, percent-encoded",
    [TEL__SECRETS] = "`name=value,…`, percent-encoded",
    [TEL__URL_BASE] = "URL",
    [TEL__URL] = "URL",
};

static void append_values(struct tel_buffer *out, const struct tel__variable *variable)
{
    if (variable->type == TEL__NUMBER) {
        tel_buffer_append_format(out, "%llu to %llu", (unsigned long long)variable->low,
                                 (unsigned long long)variable->high);
    } else if (variable->type == TEL__CHOICE || variable->type == TEL__CHOICES) {
        tel_buffer_append_string(out, variable->type == TEL__CHOICES ? "some of " : "one of ");
        reference_words(out, variable->choices);
    } else {
        tel_buffer_append_string(out, kinds[variable->type]);
    }
}

int reference_variables(struct tel_buffer *out)
{
    tel_buffer_append_string(
        out, "# OTEL_* variables\n\n"
             "Written by `make docs` from `telemetry/src/config/otel.def`; not by hand.\n\n"
             "They are read as the OpenTelemetry specification says: an empty one is as good as "
             "none, what\n"
             "cannot be used is warned about and ignored, the case of words does not matter, and a "
             "signal's own\n"
             "variable wins over the general one. What is in force, and where it came from, is "
             "shown by\n"
             "`glassbox --print-config`. One default is not the specification's: "
             "`OTEL_LOGS_EXPORTER` is `none`\n"
             "unless it says `otlp`, because the requests are in the access log already.\n\n"
             "| variable | values | default | what it does |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct tel__variable *variable = &rows[i].variable;
        tel_buffer_append_format(out, "| `%s` | ", variable->name);
        append_values(out, variable);
        if (variable->initial[0] != '\0') {
            tel_buffer_append_format(out, " | `%s` | ", variable->initial);
        } else {
            tel_buffer_append_string(out, " | | ");
        }
        reference_cell(out, rows[i].help);
        tel_buffer_append_string(out, " |\n");
    }
    return 0;
}
