/*
 * docs/metrics.md: every family of a service that has everything on, as its registry has them.
 */
#include <string.h>

#include "labels.h"
#include "live.h"
#include "metrics/model.h"
#include "reference.h"

static int append_label(struct tel_buffer *out, const char *text, const char *family,
                        const char *label)
{
    struct label_facts facts;
    if (label_facts_find(&facts, text, family, label) != 0) {
        return -1;
    }
    tel_buffer_append_format(out, "`%s`: ", label);
    for (size_t i = 0; i < facts.count; i++) {
        tel_buffer_append_format(out, "%s`%.*s`", i > 0 ? ", " : "", (int)facts.values[i].length,
                                 facts.values[i].text);
    }
    if (facts.words != NULL) {
        tel_buffer_append_string(out, facts.count > 0 ? "; " : "");
        tel_buffer_append_string(out, facts.words);
    }
    return 0;
}

static int append_labels(struct tel_buffer *out, const char *text,
                         const struct tel_family_options *family)
{
    int result = 0;
    if (strcmp(family->name, "target_info") == 0) {
        tel_buffer_append_string(out, "the attributes of the resource");
        return 0;
    }
    for (size_t i = 0; i < family->label_count; i++) {
        tel_buffer_append_string(out, i > 0 ? "<br>" : "");
        result |= append_label(out, text, family->name, family->label_names[i]);
    }
    return result;
}

static bool is_own(const char *name)
{
    static const char *const own[] = {
#define METRIC(ID, name, ...) name,
#include "metrics.def"
#undef METRIC
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(own[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int append_table(struct tel_buffer *out, const struct tel_registry *registry,
                        const char *text, bool own)
{
    int result = 0;
    tel_buffer_append_string(
        out, "| metric | type | unit | labels | what it is |\n|---|---|---|---|---|\n");
    for (const struct tel_family *family = registry->first; family != NULL; family = family->next) {
        const struct tel_family_options *options = &family->options;
        if (is_own(options->name) == own) {
            tel_buffer_append_format(out, "| `%s` | %s | %s | ", options->name,
                                     live_type(options->type),
                                     options->unit != NULL ? options->unit : "");
            result |= append_labels(out, text, options);
            tel_buffer_append_string(out, " | ");
            reference_cell(out, options->help);
            tel_buffer_append_string(out, " |\n");
        }
    }
    return result;
}

static int append_page(struct tel_buffer *out, const struct tel_registry *registry,
                       const char *text)
{
    tel_buffer_append_string(
        out,
        "# Metrics\n\n"
        "Written by `make docs` from what a service registers (`src/metrics.def`, the "
        "library); not by\n"
        "hand.\n\n"
        "A label without a value is left out. A list of values is closed unless `contract.json`, "
        "which tells\n"
        "the same to programs, says otherwise; its series stand at 0 from the first scrape. A "
        "family that has\n"
        "as many series as it may have (256, unless it says otherwise) counts the rest in one "
        "labelled\n"
        "`otel_metric_overflow=\"true\"`. Histograms have classic buckets in all formats, with "
        "exemplars in\n"
        "OpenMetrics and protobuf, and native ones in protobuf.\n\n"
        "## The service\n\n");
    int result = append_table(out, registry, text, true);
    tel_buffer_append_string(
        out, "\n## The library\n\n"
             "Any program has these that uses it. Those of log records are there where\n"
             "`OTEL_LOGS_EXPORTER=otlp`.\n\n");
    result |= append_table(out, registry, text, false);
    return result;
}

int reference_metrics(struct tel_buffer *out)
{
    return live_page(out, append_page);
}
