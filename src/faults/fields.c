/*
 * Places, tables, and what is said; what a value looks like is field_values.c's business.
 */
#include "faults/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faults/text.h"

/* ---- places -------------------------------------------------------------------------------- */

/* A place that is too long for its room is cut: those of the tables fit. */
static size_t enter(struct fields *fields, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static size_t enter(struct fields *fields, const char *format, ...)
{
    const size_t stood = fields->place_length;
    const size_t room = sizeof(fields->place) - stood;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(fields->place + stood, room, format, arguments);
    va_end(arguments);
    fields->place_length += (size_t)length < room ? (size_t)length : room - 1;
    return stood;
}

size_t fields_enter(struct fields *fields, const char *name)
{
    return enter(fields, "%s%s", fields->place_length > 0 ? "." : "", name);
}

size_t fields_enter_element(struct fields *fields, size_t index)
{
    return enter(fields, "[%zu]", index);
}

void fields_leave(struct fields *fields, size_t place_length)
{
    fields->place_length = place_length;
}

static void append_place(const struct fields *fields)
{
    if (fields->place_length == 0) {
        tel_buffer_append_string(fields->problem, "the document");
    } else {
        tel_buffer_append(fields->problem, fields->place, fields->place_length);
    }
    tel_buffer_append_string(fields->problem, ": ");
}

/* ---- what is said -------------------------------------------------------------------------- */

/* With a point or an exponent, so that it is not taken for a whole number. */
static void append_real(struct tel_buffer *out, double number)
{
    const size_t before = out->length;
    tel_buffer_append_double(out, number);
    for (size_t i = before; i < out->length; i++) {
        if (out->data[i] == '.' || out->data[i] == 'e') {
            return;
        }
    }
    tel_buffer_append_string(out, ".0");
}

static void append_found(struct tel_buffer *out, const json_t *found)
{
    switch (json_typeof(found)) {
    case JSON_STRING:
        text_append_quoted(out, json_string_value(found), json_string_length(found));
        return;
    case JSON_INTEGER:
        tel_buffer_append_i64(out, json_integer_value(found));
        return;
    case JSON_REAL:
        append_real(out, json_real_value(found));
        return;
    case JSON_OBJECT:
        tel_buffer_append_string(out, "an object");
        return;
    case JSON_ARRAY:
        tel_buffer_append_string(out, "a list");
        return;
    case JSON_TRUE:
        tel_buffer_append_string(out, "true");
        return;
    case JSON_FALSE:
        tel_buffer_append_string(out, "false");
        return;
    case JSON_NULL:
        tel_buffer_append_string(out, "null");
        return;
    }
}

static void append_words(struct tel_buffer *out, const char *format, va_list arguments)
{
    char words[256];
    vsnprintf(words, sizeof(words), format, arguments);
    tel_buffer_append_string(out, words);
}

int fields_refuse(struct fields *fields, const char *format, ...)
{
    va_list arguments;
    append_place(fields);
    va_start(arguments, format);
    append_words(fields->problem, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

int fields_refuse_found(struct fields *fields, const json_t *found, const char *format, ...)
{
    va_list arguments;
    append_place(fields);
    append_found(fields->problem, found);
    tel_buffer_append_char(fields->problem, ' ');
    va_start(arguments, format);
    append_words(fields->problem, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

int fields_add(struct fields *fields, const char *words)
{
    tel_buffer_append_string(fields->problem, words);
    return -EINVAL;
}

void fields_append_names(const struct field *rows, size_t count, struct tel_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        tel_buffer_append_string(out, i == 0 ? "" : ", ");
        tel_buffer_append_string(out, rows[i].name);
    }
}

/* ---- objects ------------------------------------------------------------------------------- */

static bool has_row(const struct field_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Without steps into the key: it may be long, and anything. */
static int refuse_key(struct fields *fields, const struct field_table *table, const char *key)
{
    append_place(fields);
    tel_buffer_append_string(fields->problem, "unknown key ");
    text_append_quoted(fields->problem, key, strlen(key));
    tel_buffer_append_string(fields->problem, "; allowed: ");
    fields_append_names(table->rows, table->count, fields->problem);
    return -EINVAL;
}

static int check_keys(struct fields *fields, const struct field_table *table, const json_t *json)
{
    json_t *object = (json_t *)json; /* iterating changes nothing */
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        if (!has_row(table, json_object_iter_key(at))) {
            return refuse_key(fields, table, json_object_iter_key(at));
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct field *row = &table->rows[i];
        if (row->required && json_object_get(json, row->name) == NULL) {
            fields_enter(fields, row->name);
            return fields_refuse(fields, "missing");
        }
    }
    return 0;
}

int fields_read(struct fields *fields, const struct field_table *table, const json_t *json,
                void *into, uint32_t *present)
{
    uint32_t there = 0;
    if (!json_is_object(json)) {
        return fields_refuse_found(fields, json, "is not an object");
    }
    int result = check_keys(fields, table, json);
    for (size_t i = 0; i < table->count && result == 0; i++) {
        const struct field *row = &table->rows[i];
        const json_t *value = json_object_get(json, row->name);
        if (value != NULL) {
            const size_t stood = fields_enter(fields, row->name);
            result = row->read(fields, row, value, (char *)into + row->offset);
            fields_leave(fields, stood);
            there |= UINT32_C(1) << i;
        }
    }
    if (result == 0 && table->check != NULL) {
        result = table->check(fields, into);
    }
    if (present != NULL) {
        *present = there;
    }
    return result;
}
