/*
 * Appending is a few lines of text; matching walks the `#` lines at the start of a file up to the
 * first #Fields and compares names, not bytes: a file of another software version goes on.
 */
#include "access_log/directives.h"

#include <string.h>

#include "access_log/line.h"

#define FIELDS     "#Fields:"
#define IIS_REMARK "#Remark: IIS conventions, time-taken in milliseconds"

/* A directive's text goes to the end of its line, so only controls must go. */
static void append_text(struct tel_buffer *out, const char *text)
{
    for (size_t i = 0; i < TEL__SOFTWARE_MAX && text[i] != '\0'; i++) {
        tel_buffer_append_char(out, text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
    }
}

void tel__directives_append(struct tel_buffer *out, const struct tel__fields *fields,
                            const char *software, uint64_t wall_ns)
{
    struct tel__dates dates = {.second = 0};
    tel__dates_set(&dates, wall_ns);
    tel_buffer_append_string(out, "#Version: 1.0\n");
    if (software != NULL && *software != '\0') {
        tel_buffer_append_string(out, "#Software: ");
        append_text(out, software);
        tel_buffer_append_char(out, '\n');
    }
    tel_buffer_append_format(out, "#Start-Date: %s %s\n", dates.date, dates.time);
    if (fields->iis) {
        tel_buffer_append_string(out, IIS_REMARK "\n");
    }
    tel_buffer_append_string(out, FIELDS);
    for (size_t i = 0; i < fields->count; i++) {
        tel_buffer_append_char(out, ' ');
        tel_buffer_append_string(out, fields->list[i].name);
    }
    tel_buffer_append_char(out, '\n');
}

static bool starts_with(const struct tel_text *line, const char *prefix)
{
    size_t length = strlen(prefix);
    return line->length >= length && memcmp(line->data, prefix, length) == 0;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Whether the names after `#Fields:` are the list's. */
static bool names_match(const struct tel__fields *fields, struct tel_text names)
{
    size_t at = 0;
    for (size_t i = 0; i < fields->count; i++) {
        while (at < names.length && is_space(names.data[at])) {
            at++;
        }
        size_t start = at;
        while (at < names.length && !is_space(names.data[at])) {
            at++;
        }
        const char *name = fields->list[i].name;
        if (at - start != strlen(name) || memcmp(names.data + start, name, at - start) != 0) {
            return false;
        }
    }
    while (at < names.length && is_space(names.data[at])) {
        at++;
    }
    return at == names.length;
}

bool tel__directives_match(const struct tel__fields *fields, const char *head, size_t length)
{
    bool iis = false;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(head + at, '\n', length - at);
        if (end == NULL) {
            return false; /* cut short: whatever it is, it is no whole #Fields */
        }
        struct tel_text line = {head + at, (size_t)(end - head) - at};
        at += line.length + 1;
        if (starts_with(&line, FIELDS)) {
            line.data += strlen(FIELDS);
            line.length -= strlen(FIELDS);
            return iis == fields->iis && names_match(fields, line);
        }
        iis = iis || starts_with(&line, IIS_REMARK);
        if (line.length > 0 && line.data[0] != '#') {
            return false; /* an entry before any #Fields */
        }
    }
    return false;
}
