/*
 * The labels whose values a first scrape does not show, or not all of them, and how it is read.
 *
 * To extend: a row in `said`. The first row that fits a family and a label is theirs.
 */
#include "labels.h"

#include <stdio.h>
#include <string.h>

#include "http/http.h"

/* ---- lists ------------------------------------------------------------------------------------- */

/* Adds the value once. Values here need no escapes. */
static void keep(struct label_facts *facts, const char *text, size_t length)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (facts->values[i].length == length && memcmp(facts->values[i].text, text, length) == 0) {
            return;
        }
    }
    if (facts->count < LABEL_VALUES_MAX) {
        facts->values[facts->count++] = (struct label_value){text, length};
    }
}

static void keep_methods(struct label_facts *facts)
{
    for (int method = HTTP_METHOD_OTHER; method < HTTP_METHODS; method++) {
        const char *name = http_method_name((enum http_method)method);
        keep(facts, name, strlen(name));
    }
}

static void keep_errors(struct label_facts *facts)
{
    for (int error = 0; error < HTTP_ERRORS; error++) {
        const char *name = http_error_name((enum http_error)error);
        if (name != NULL) {
            keep(facts, name, strlen(name));
        }
    }
}

/* ---- what is said ------------------------------------------------------------------------------ */

enum {
    SHOWN = 1,    /* the first scrape shows some, which come first */
    CLOSED = 2,   /* with these the list is whole */
    OPTIONAL = 4, /* there are series without the label */
};

static const struct said {
    const char *family;                      /* how its name begins; "": any */
    const char *label;                       /* NULL: any */
    unsigned is;                             /* of the below */
    const char *more;                        /* one value that the scrape does not show, or NULL */
    void (*list)(struct label_facts *facts); /* several, or NULL */
    const char *words;                       /* what else there is to say, or NULL */
} said[] = {
    {"http_server_", "http_request_method", CLOSED, NULL, keep_methods, NULL},
    {"http_server_", "http_route", SHOWN | CLOSED | OPTIONAL, NULL, NULL,
     "none when nothing matched"},
    {"http_server_", "error_type", OPTIONAL, NULL, keep_errors,
     "a status from `500` on; none when it went well"},
    {"http_server_", "http_response_status_code", OPTIONAL, NULL, NULL,
     "as sent; none when nothing was"},
    {"http_server_", "network_protocol_version", SHOWN | CLOSED | OPTIONAL, "1.0", NULL,
     "none when it could not be read"},
    {"otel_sdk_exporter_operation_", "http_response_status_code", OPTIONAL, NULL, NULL,
     "of the answer; none where there was none"},
    {"otel_sdk_exporter_operation_", "error_type", OPTIONAL, NULL, NULL,
     "as of what was exported; none for success"},
    {"otel_sdk_exporter_", "error_type", SHOWN | OPTIONAL, NULL, NULL,
     "in place of `status`, of the first eight met, the status itself; none for success"},
    {"otel_sdk_processor_", "error_type", SHOWN | CLOSED | OPTIONAL, NULL, NULL,
     "none for what was handed over"},
#define CONSOLE(family)                                                               \
    {family, "otel_component_name",     SHOWN | CLOSED, "console_span_exporter/0",    \
     NULL,   "the last for the console"},                                             \
    {                                                                                 \
        family, "otel_component_type", SHOWN | CLOSED, "console_span_exporter", NULL, \
            "the last for the console"                                                \
    }
    CONSOLE("otel_sdk_exporter_span_"),
    CONSOLE("otel_sdk_exporter_operation_"),
#undef CONSOLE
    {"otel_sdk_exporter_", "server_address", OPTIONAL, NULL, NULL,
     "the collector's name; none for the console"},
    {"otel_sdk_exporter_", "server_port", OPTIONAL, NULL, NULL,
     "the collector's port; none for the console"},
    {"glassbox_fault_in_force", "http_route", SHOWN | CLOSED | OPTIONAL, NULL, NULL,
     "none for those of the process"},
    {"", "worker", 0, "main", NULL, "or a thread's number"},
    {"", "version", 0, NULL, NULL, "as built"},
    {"", "revision", 0, NULL, NULL, "as built"},
    {"", "compiler", 0, NULL, NULL, "as built"},
    {"target_info", NULL, OPTIONAL, NULL, NULL, "an attribute of the resource"},
};

/* A label of which nothing is said: the scrape shows a list that is closed. */
static const struct said nothing = {"", NULL, SHOWN | CLOSED, NULL, NULL, NULL};

static const struct said *find_said(const char *family, const char *label)
{
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (strncmp(family, said[i].family, strlen(said[i].family)) == 0 &&
            (said[i].label == NULL || strcmp(label, said[i].label) == 0)) {
            return &said[i];
        }
    }
    return &nothing;
}

/* ---- what a scrape shows ----------------------------------------------------------------------- */

/* Whether a line is a sample of a family: of itself, or a bucket of its histogram. */
static bool is_sample(const char *line, const char *family)
{
    static const char bucket[] = "_bucket";
    size_t length = strlen(family);
    if (strncmp(line, family, length) != 0) {
        return false;
    }
    line += length;
    if (strncmp(line, bucket, strlen(bucket)) == 0) {
        line += strlen(bucket);
    }
    return *line == '{';
}

/* The values of a label in the samples of a family, in their order. */
static void keep_shown(struct label_facts *facts, const char *text, const char *family,
                       const char *label)
{
    char pattern[128];
    int length = snprintf(pattern, sizeof(pattern), "%s=\"", label);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *end = line + strcspn(line, "\n");
        if (!is_sample(line, family)) {
            continue;
        }
        for (const char *at = line;
             (at = memmem(at, (size_t)(end - at), pattern, (size_t)length)) != NULL;) {
            at += length;
            if (at[-length - 1] == '{' || at[-length - 1] == ',') {
                keep(facts, at, strcspn(at, "\""));
            }
        }
    }
}

int label_facts_find(struct label_facts *facts, const char *text, const char *family,
                     const char *label)
{
    const struct said *entry = find_said(family, label);
    bool shown = (entry->is & SHOWN) != 0;
    *facts = (struct label_facts){.closed = (entry->is & CLOSED) != 0,
                                  .optional = (entry->is & OPTIONAL) != 0,
                                  .words = entry->words};
    if (shown) {
        keep_shown(facts, text, family, label);
    }
    if (shown && facts->count == 0) {
        fprintf(stderr, "%s: no word about the values of %s (docs/reference/labels.c)\n", family,
                label);
        return -1;
    }
    if (entry->more != NULL) {
        keep(facts, entry->more, strlen(entry->more));
    }
    if (entry->list != NULL) {
        entry->list(facts);
    }
    return 0;
}
