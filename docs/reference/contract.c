/*
 * docs/contract.json: what dashboards, rules, autoscaling and load tests may ask for, for programs.
 *
 *     {"user_routes": […], "routes": […],
 *      "metrics": {NAME: {"type", "unit", "help", "bounds": […],
 *                         "labels": {LABEL: {"closed", "optional", "values": […]}}}}}
 *
 * It says what docs/metrics.md says, of the same registry. `closed`: the label has no other value;
 * `optional`: it may be left out. `bounds`: a histogram's classic buckets, +Inf aside. Names and values are
 * sorted and a label is a line, so that a change shows as what it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "live.h"
#include "metrics/model.h"
#include "reference.h"
#include "router.h"

#define FAMILIES_MAX 256

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static int compare_families(const void *one, const void *other)
{
    const struct tel_family *const *a = one;
    const struct tel_family *const *b = other;
    return strcmp((*a)->options.name, (*b)->options.name);
}

static int compare_values(const void *one, const void *other)
{
    const struct label_value *a = one;
    const struct label_value *b = other;
    size_t length = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void append_json(struct tel_buffer *out, const char *text)
{
    tel_buffer_append_json(out, text, strlen(text));
}

/* What stands before an element: a comma but for the first, and its line. */
static void append_line(struct tel_buffer *out, size_t index, const char *indent)
{
    tel_buffer_append_string(out, index > 0 ? ",\n" : "\n");
    tel_buffer_append_string(out, indent);
}

/* Paths once each: one may have a row for either side. */
static void append_routes(struct tel_buffer *out, const char *name, bool all)
{
    const struct route *table = router_table();
    const char *paths[ROUTES];
    size_t count = 0;
    for (size_t i = 0; i < ROUTES; i++) {
        if (table[i].path != NULL && (all || table[i].user)) {
            paths[count++] = table[i].path;
        }
    }
    qsort(paths, count, sizeof(paths[0]), compare_names);
    tel_buffer_append_format(out, ",\n  \"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(paths[i], paths[i - 1]) != 0) {
            append_line(out, i, "    ");
            append_json(out, paths[i]);
        }
    }
    tel_buffer_append_string(out, "\n  ]");
}

static int append_label(struct tel_buffer *out, const char *text, const char *family,
                        const char *label)
{
    struct label_facts facts;
    if (label_facts_find(&facts, text, family, label) != 0) {
        return -1;
    }
    qsort(facts.values, facts.count, sizeof(facts.values[0]), compare_values);
    append_json(out, label);
    tel_buffer_append_format(out, ": {\"closed\": %s, %s\"values\": [",
                             facts.closed ? "true" : "false",
                             facts.optional ? "\"optional\": true, " : "");
    for (size_t i = 0; i < facts.count; i++) {
        tel_buffer_append_string(out, i > 0 ? ", " : "");
        tel_buffer_append_json(out, facts.values[i].text, facts.values[i].length);
    }
    tel_buffer_append_string(out, "]}");
    return 0;
}

static int append_labels(struct tel_buffer *out, const char *text,
                         const struct tel_family_options *options)
{
    const char *labels[TEL_LABELS_MAX];
    int result = 0;
    for (size_t i = 0; i < options->label_count; i++) {
        labels[i] = options->label_names[i];
    }
    qsort(labels, options->label_count, sizeof(labels[0]), compare_names);
    tel_buffer_append_string(out, "      \"labels\": {");
    for (size_t i = 0; i < options->label_count; i++) {
        append_line(out, i, "        ");
        result |= append_label(out, text, options->name, labels[i]);
    }
    tel_buffer_append_string(out, options->label_count > 0 ? "\n      }" : "}");
    return result;
}

static void append_bounds(struct tel_buffer *out, const struct tel__buckets *buckets)
{
    tel_buffer_append_string(out, "      \"bounds\": [");
    for (size_t i = 0; i < buckets->bound_count; i++) {
        tel_buffer_append_string(out, i > 0 ? ", " : "");
        tel_buffer_append_double(out, buckets->bounds[i].seconds);
    }
    tel_buffer_append_string(out, "],\n");
}

static int append_family(struct tel_buffer *out, const char *text, const struct tel_family *family)
{
    const struct tel_family_options *options = &family->options;
    append_json(out, options->name);
    tel_buffer_append_string(out, ": {\n");
    if (options->type == TEL_HISTOGRAM) {
        append_bounds(out, family->buckets);
    }
    tel_buffer_append_string(out, "      \"help\": ");
    append_json(out, options->help);
    tel_buffer_append_string(out, ",\n");
    int result = append_labels(out, text, options);
    tel_buffer_append_format(out, ",\n      \"type\": \"%s\"", live_type(options->type));
    if (options->unit != NULL) {
        tel_buffer_append_format(out, ",\n      \"unit\": \"%s\"", options->unit);
    }
    tel_buffer_append_string(out, "\n    }");
    return result;
}

static int append_contract(struct tel_buffer *out, const struct tel_registry *registry,
                           const char *text)
{
    const struct tel_family *families[FAMILIES_MAX];
    size_t count = 0;
    int result = 0;
    for (const struct tel_family *family = registry->first; family != NULL; family = family->next) {
        if (count == FAMILIES_MAX) {
            fprintf(stderr, "more than %d families (docs/reference/contract.c)\n", FAMILIES_MAX);
            return -1;
        }
        families[count++] = family;
    }
    qsort(families, count, sizeof(families[0]), compare_families);
    tel_buffer_append_string(out, "{\n  \"metrics\": {");
    for (size_t i = 0; i < count; i++) {
        append_line(out, i, "    ");
        result |= append_family(out, text, families[i]);
    }
    tel_buffer_append_string(out, "\n  }");
    append_routes(out, "routes", true);
    append_routes(out, "user_routes", false);
    tel_buffer_append_string(out, "\n}\n");
    return result;
}

int reference_contract(struct tel_buffer *out)
{
    return live_page(out, append_contract);
}
