/*
 * From a list of names to slots and fields: one pass over the list, a table look-up a name.
 *
 * Invariant: what compiles fits. Names are unique and the table is finite, headers are bounded a
 * direction, so slots cannot overflow; record_max and line_max bound what pack and line produce,
 * so that rings and buffers can be sized once and nothing runs out of room later.
 */
#include "access_log/fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "access_log/pack.h"

const char tel_access_fields_default[] =
    "date time time-taken c-ip c-port s-ip s-port cs-method cs-uri-stem cs-uri-query cs-version "
    "cs-host sc-status cs-bytes sc-bytes cs(User-Agent) cs(Referer) x-trace-id x-span-id x-route "
    "x-error x-fault";

const char tel_access_fields_iis[] =
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken";

#define SEPARATORS " \t,"

/* Every name there is, for messages. */
static const char allowed[] = "allowed:"
#define FIELD(name, first, second, print) " " name
#include "access_log/fields.def"
                              " cs(Header) sc(Header)";

_Static_assert(sizeof(allowed) + 2 * TEL__FIELD_NAME_MAX < TEL__FIELDS_MESSAGE,
               "the longest message must fit");

static const struct tel__slot values[TEL__VALUES] = {
#define VALUE(id, how, where) \
    [TEL__VALUE_##id] = {.kind = TEL__##how, .member = offsetof(struct tel_access_record, where)},
#include "access_log/fields.def"
};

static const struct row {
    const char *name;
    uint8_t values[2]; /* enum tel__value */
    uint8_t print;
} rows[] = {
#define FIELD(name, first, second, print) \
    {name, {TEL__VALUE_##first, TEL__VALUE_##second}, TEL__PRINT_##print},
#include "access_log/fields.def"
};

/* The longest a print can be: what line.c writes without looking. A byte of text may become three
 * (%XX); quotes are doubled, which is less. */
static const size_t widths[TEL__PRINTS] = {
    [TEL__PRINT_DATE] = sizeof("YYYY-MM-DD"),
    [TEL__PRINT_TIME] = sizeof("HH:MM:SS.ffffff"),
    [TEL__PRINT_TAKEN] = sizeof("18446744073709.551615"),
    [TEL__PRINT_NUMBER] = sizeof("18446744073709551615"),
    [TEL__PRINT_IP] = sizeof("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
    [TEL__PRINT_PORT] = sizeof("65535"),
    [TEL__PRINT_STATUS] = sizeof("65535"),
    [TEL__PRINT_WORD] = 3 * TEL_ACCESS_VALUE_MAX,
    [TEL__PRINT_URI] = 6 * TEL_ACCESS_VALUE_MAX + 1,
    [TEL__PRINT_HEADER] = 3 * TEL_ACCESS_VALUE_MAX + 2,
    [TEL__PRINT_HEX] = 32,
    [TEL__PRINT_COMPUTER] = 3 * TEL__COMPUTER_MAX,
    [TEL__PRINT_ZERO] = 1,
    [TEL__PRINT_NOTHING] = 1,
};

/* What a compilation carries along. */
struct compiler {
    struct tel__fields *fields;
    char *message;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct compiler *compiler,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (compiler->size > 0) {
        vsnprintf(compiler->message, compiler->size, format, arguments);
    }
    va_end(arguments);
    return -EINVAL;
}

/* The slot that keeps the value, made when there is none yet. */
static uint8_t slot_for(struct tel__fields *fields, struct tel__slot wanted)
{
    for (size_t i = 0; i < fields->slot_count; i++) {
        if (fields->slots[i].member == wanted.member) {
            return (uint8_t)i;
        }
    }
    fields->slots[fields->slot_count] = wanted;
    return (uint8_t)fields->slot_count++;
}

/* The table's row of that name, or NULL. */
static const struct row *find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Whether the byte may stand in a header's name (RFC 9110, 5.6.2). */
static bool is_token_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte));
}

/* Whether the name is cs(Header) or sc(Header), and of which direction. */
static bool is_header(const char *name, size_t length, enum tel_access_direction *direction)
{
    if (length < sizeof("cs()") - 1 || name[length - 1] != ')') {
        return false;
    }
    *direction = name[0] == 'c' ? TEL_ACCESS_REQUEST : TEL_ACCESS_RESPONSE;
    return memcmp(name, "cs(", 3) == 0 || memcmp(name, "sc(", 3) == 0;
}

static int add_header(struct compiler *compiler, const char *name, size_t length,
                      enum tel_access_direction direction, struct tel__field *field)
{
    struct tel__fields *fields = compiler->fields;
    size_t index = fields->header_counts[direction];
    if (index == TEL_ACCESS_HEADERS_MAX) {
        return refuse(compiler, "field \"%s\" is one header too many: at most %d a direction",
                      field->name, TEL_ACCESS_HEADERS_MAX);
    }
    const char *header = name + 3;
    size_t header_length = length - 4;
    for (size_t i = 0; i < header_length; i++) {
        if (!is_token_byte(header[i])) {
            return refuse(compiler, "field \"%s\" does not hold a header's name", field->name);
        }
    }
    if (header_length == 0) {
        return refuse(compiler, "field \"%s\" does not hold a header's name", field->name);
    }
    memcpy(fields->headers[direction][index], header, header_length);
    fields->header_counts[direction]++;
    size_t base = direction == TEL_ACCESS_REQUEST
                      ? offsetof(struct tel_access_record, request_headers)
                      : offsetof(struct tel_access_record, response_headers);
    uint16_t member = (uint16_t)(base + index * sizeof(struct tel_text));
    field->slots[0] = slot_for(fields, (struct tel__slot){.kind = TEL__TEXT, .member = member});
    field->print = TEL__PRINT_HEADER;
    return 0;
}

static void add_row(struct tel__fields *fields, const struct row *row, struct tel__field *field)
{
    for (size_t i = 0; i < 2; i++) {
        if (row->values[i] != TEL__VALUE_NONE) {
            field->slots[i] = slot_for(fields, values[row->values[i]]);
        }
    }
    field->print = row->print;
}

/* Header names ignore case, so the whole comparison does: no two rows differ in case only. */
static bool is_there(const struct tel__fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcasecmp(fields->list[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int add_field(struct compiler *compiler, const char *name, size_t length)
{
    struct tel__fields *fields = compiler->fields;
    if (length > TEL__FIELD_NAME_MAX) {
        return refuse(compiler, "field \"%.*s...\" is longer than %d bytes", 32, name,
                      TEL__FIELD_NAME_MAX);
    }
    if (fields->count == TEL_ACCESS_FIELDS_MAX) {
        return refuse(compiler, "field \"%.*s\" is one too many: at most %d", (int)length, name,
                      TEL_ACCESS_FIELDS_MAX);
    }
    struct tel__field *field = &fields->list[fields->count];
    *field = (struct tel__field){.slots = {TEL__NO_SLOT, TEL__NO_SLOT}};
    memcpy(field->name, name, length);
    if (is_there(fields, field->name)) {
        return refuse(compiler, "field \"%s\" is there twice", field->name);
    }
    enum tel_access_direction direction;
    const struct row *row = find_row(name, length);
    if (row != NULL) {
        add_row(fields, row, field);
    } else if (is_header(name, length, &direction)) {
        int error = add_header(compiler, name, length, direction, field);
        if (error != 0) {
            return error;
        }
    } else {
        return refuse(compiler, "unknown field \"%s\"; %s", field->name, allowed);
    }
    fields->count++;
    return 0;
}

static void measure(struct tel__fields *fields)
{
    size_t texts = fields->lanes[TEL__TEXTS].count;
    fields->record_max = fields->lane_bytes + texts * TEL_ACCESS_VALUE_MAX;
    fields->line_max = 0;
    for (size_t i = 0; i < fields->count; i++) {
        fields->line_max += widths[fields->list[i].print] + 1; /* separator or newline */
    }
}

int tel__fields_compile(struct tel__fields *fields, const char *list, bool iis, char *message,
                        size_t size)
{
    memset(fields, 0, sizeof(*fields));
    fields->iis = iis;
    gethostname(fields->computer, TEL__COMPUTER_MAX); /* stays empty, so missing, on failure */
    struct compiler compiler = {fields, message, size};
    for (const char *at = list + strspn(list, SEPARATORS); *at != '\0';) {
        size_t length = strcspn(at, SEPARATORS);
        int error = add_field(&compiler, at, length);
        if (error != 0) {
            return error;
        }
        at += length;
        at += strspn(at, SEPARATORS);
    }
    if (fields->count == 0) {
        return refuse(&compiler, "no fields; %s", allowed);
    }
    tel__pack_layout(fields);
    measure(fields);
    return 0;
}

int tel_access_fields_check(const char *fields, char *message, size_t size)
{
    struct tel__fields compiled;
    return tel__fields_compile(&compiled, fields, false, message, size);
}
