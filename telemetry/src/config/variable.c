/*
 * Reading values: a row and a function a type. A reader checks `text` and gives the normal form;
 * an empty text never gets here, it means unset.
 */
#include "config/variable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "otlp/endpoint.h"
#include "otlp/headers.h"
#include "telemetry/buffer.h"
#include "telemetry/resource.h"

#define VALUE_MAX 65536 /* bytes of a value; an environment could hold megabytes */

struct reading {
    const struct tel__variable *variable;
    const char *text;
    struct tel__value *value;
    char *why;
    size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct reading *reading,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->why, reading->why_size, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int accept_text(const struct reading *reading, const char *text)
{
    reading->value->text = strdup(text);
    return reading->value->text != NULL ? 0 : -ENOMEM;
}

static int read_text(const struct reading *reading)
{
    return accept_text(reading, reading->text);
}

static int read_bool(const struct reading *reading)
{
    bool is_true = strcasecmp(reading->text, "true") == 0;
    if (!is_true && strcasecmp(reading->text, "false") != 0) {
        return refuse(reading, "'%.64s' is neither true nor false", reading->text);
    }
    reading->value->number = is_true ? 1 : 0;
    return accept_text(reading, is_true ? "true" : "false");
}

static int read_number(const struct reading *reading)
{
    const struct tel__variable *variable = reading->variable;
    uint64_t number = 0;
    for (const char *at = reading->text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9') {
            return refuse(reading, "'%.64s' is not a whole number", reading->text);
        }
        if (number <= variable->high) { /* beyond it more digits change nothing */
            number = number * 10 + (uint64_t)(*at - '0');
        }
    }
    if (number < variable->low || number > variable->high) {
        return refuse(reading, "'%.64s' is not within %llu to %llu", reading->text,
                      (unsigned long long)variable->low, (unsigned long long)variable->high);
    }
    char normal[24];
    snprintf(normal, sizeof(normal), "%llu", (unsigned long long)number);
    reading->value->number = number;
    return accept_text(reading, normal);
}

/* Finds `word` among choices separated by |, ignoring case. NULL when it is none of them. */
static const char *find_choice(const char *choices, const char *word, size_t length)
{
    while (*choices != '\0') {
        size_t choice_length = strcspn(choices, "|");
        if (choice_length == length && strncasecmp(choices, word, length) == 0) {
            return choices;
        }
        choices += choice_length + (choices[choice_length] == '|' ? 1 : 0);
    }
    return NULL;
}

static int read_choice(const struct reading *reading)
{
    const char *choices = reading->variable->choices;
    size_t length = strlen(reading->text);
    const char *choice = find_choice(choices, reading->text, length);
    if (choice == NULL) {
        return refuse(reading, "'%.64s' is not supported (%s)", reading->text, choices);
    }
    reading->value->text = strndup(choice, length);
    return reading->value->text != NULL ? 0 : -ENOMEM;
}

/* A list keeps the words it knows; one that knows none of them is refused. */
static int read_choices(const struct reading *reading)
{
    const char *choices = reading->variable->choices;
    struct tel_buffer known;
    tel_buffer_init(&known, VALUE_MAX);
    for (const char *at = reading->text; *at != '\0';) {
        at += strspn(at, ", \t");
        size_t length = strcspn(at, ", \t");
        const char *choice = length > 0 ? find_choice(choices, at, length) : NULL;
        if (choice != NULL) {
            tel_buffer_append(&known, ",", known.length > 0 ? 1 : 0);
            tel_buffer_append(&known, choice, length);
        } else if (length > 0) {
            refuse(reading, "'%.*s' is not supported (%s)", length > 64 ? 64 : (int)length, at,
                   choices);
        }
        at += length;
    }
    if (known.length == 0 && known.error == 0) {
        tel_buffer_fini(&known);
        return reading->why[0] != '\0' ? -EINVAL : refuse(reading, "it names nothing");
    }
    tel_buffer_append_char(&known, '\0');
    int error = known.error;
    if (error == 0) {
        reading->value->text = tel_buffer_take(&known, NULL);
    }
    tel_buffer_fini(&known);
    return error;
}

/* The resource decides what it takes, so that what is accepted here can be added later. `key` is
 * NULL for a list. */
static int try_resource(const char *key, const char *text)
{
    struct tel_resource *scratch = tel_resource_create();
    if (scratch == NULL) {
        return -ENOMEM;
    }
    int error =
        key != NULL ? tel_resource_add(scratch, key, text) : tel_resource_add_list(scratch, text);
    tel_resource_destroy(scratch);
    return error;
}

static int read_attribute(const struct reading *reading)
{
    int error = try_resource("key", reading->text);
    if (error == -EINVAL) {
        return refuse(reading, "it is not UTF-8 of up to %d bytes", TEL_RESOURCE_VALUE_MAX);
    }
    return error != 0 ? error : accept_text(reading, reading->text);
}

static int read_list(const struct reading *reading)
{
    int error = try_resource(NULL, reading->text);
    if (error == -EINVAL || error == -ENOSPC) {
        return refuse(reading, "it is not a list of up to %d key=value, percent-encoded",
                      TEL_RESOURCE_LIST_MAX);
    }
    return error != 0 ? error : accept_text(reading, reading->text);
}

/* Headers and URLs are checked by those who will use them. */
static int read_secrets(const struct reading *reading)
{
    struct tel__headers headers;
    const char *reason;
    int error = tel__headers_parse(reading->text, &headers, &reason);
    if (error == 0) {
        tel__headers_fini(&headers);
        return accept_text(reading, reading->text);
    }
    return error == -EINVAL ? refuse(reading, "%s", reason) : error;
}

static int read_url(const struct reading *reading)
{
    struct tel__endpoint endpoint;
    const char *reason;
    if (tel__endpoint_parse(reading->text, &endpoint, &reason) != 0) {
        return refuse(reading, "%s", reason);
    }
    if (reading->variable->type == TEL__URL_BASE && strpbrk(reading->text, "?#") != NULL) {
        return refuse(reading, "a path is appended to it, so it must not have a query");
    }
    return accept_text(reading, reading->text);
}

int tel__variable_parse(const struct tel__variable *variable, const char *text,
                        struct tel__value *value, char *why, size_t why_size)
{
    static int (*const readers[])(const struct reading *) = {
        [TEL__TEXT] = read_text,       [TEL__BOOL] = read_bool,
        [TEL__NUMBER] = read_number,   [TEL__CHOICE] = read_choice,
        [TEL__CHOICES] = read_choices, [TEL__ATTRIBUTE] = read_attribute,
        [TEL__LIST] = read_list,       [TEL__SECRETS] = read_secrets,
        [TEL__URL_BASE] = read_url,    [TEL__URL] = read_url,
    };
    const struct reading reading = {variable, text, value, why, why_size};
    *value = (struct tel__value){0};
    why[0] = '\0';
    if (strlen(text) >= VALUE_MAX) {
        return refuse(&reading, "it is longer than %d bytes", VALUE_MAX);
    }
    return readers[variable->type](&reading);
}
