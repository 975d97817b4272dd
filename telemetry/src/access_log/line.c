/*
 * One small function a kind of print, in a table; text goes through two encoders, bare and quoted.
 *
 * An encoder asks the buffer for the worst case, writes straight into it and gives back what it
 * did not need: one bounds check a value, not one a byte.
 */
#include "access_log/line.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "access_log/pack.h"
#include "telemetry/clock.h"

/* What is being printed. */
struct line {
    struct tel_buffer *out;
    const struct tel__fields *fields;
    struct tel__dates *dates;
    struct tel__values values;
};

static void print_missing(struct line *line)
{
    tel_buffer_append_char(line->out, '-');
}

static const struct tel_text *value(const struct line *line, const struct tel__field *field,
                                    size_t index)
{
    return &line->values.at[field->slots[index]];
}

static uint64_t u64_value(const struct line *line, const struct tel__field *field, size_t index)
{
    uint64_t number = 0;
    if (field->slots[index] != TEL__NO_SLOT) {
        memcpy(&number, value(line, field, index)->data, sizeof(number));
    }
    return number;
}

/* ---- text ---------------------------------------------------------------------------------- */

static char *encode_byte(char *to, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

/* What stands for itself in a bare value, the space apart. A `"` would begin a string, a `#` at the
 * start of a line a directive; a `\` makes goaccess pass over the separator behind it. */
static bool is_bare(unsigned char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '"' && byte != '#' && byte != '\\';
}

/* A value without quotes; never empty, never just `-`. */
static void print_bare(struct line *line, const struct tel_text *text)
{
    char *start = tel_buffer_extend(line->out, 3 * text->length);
    if (start == NULL) {
        return;
    }
    char *to = start;
    for (size_t i = 0; i < text->length; i++) {
        unsigned char byte = (unsigned char)text->data[i];
        if (is_bare(byte)) {
            *to++ = (char)byte;
        } else if (byte == ' ' && line->fields->iis) {
            *to++ = '+';
        } else {
            to = encode_byte(to, byte);
        }
    }
    line->out->length = (size_t)(to - line->out->data);
}

static void print_text(struct line *line, const struct tel_text *text)
{
    if (text->data == NULL || text->length == 0) {
        print_missing(line);
    } else if (text->length == 1 && text->data[0] == '-') {
        tel_buffer_append(line->out, "%2D", 3);
    } else {
        print_bare(line, text);
    }
}

static void print_quoted(struct line *line, const struct tel_text *text)
{
    char *start = tel_buffer_extend(line->out, 3 * text->length + 2);
    if (start == NULL) {
        return;
    }
    char *to = start;
    *to++ = '"';
    for (size_t i = 0; i < text->length; i++) {
        unsigned char byte = (unsigned char)text->data[i];
        if (byte == '"') {
            *to++ = '"';
            *to++ = '"';
        } else if (byte >= ' ' && byte < 0x7f) {
            *to++ = (char)byte;
        } else {
            to = encode_byte(to, byte);
        }
    }
    *to++ = '"';
    line->out->length = (size_t)(to - line->out->data);
}

static void print_word(struct line *line, const struct tel__field *field)
{
    print_text(line, value(line, field, 0));
}

static void print_header(struct line *line, const struct tel__field *field)
{
    const struct tel_text *text = value(line, field, 0);
    if (line->fields->iis || text->data == NULL) {
        print_text(line, text);
    } else {
        print_quoted(line, text);
    }
}

static void print_uri(struct line *line, const struct tel__field *field)
{
    const struct tel_text *query = value(line, field, 1);
    print_text(line, value(line, field, 0));
    if (query->data != NULL && query->length > 0) {
        tel_buffer_append_char(line->out, '?');
        print_bare(line, query);
    }
}

static void print_computer(struct line *line, const struct tel__field *field)
{
    (void)field;
    const char *name = line->fields->computer;
    print_text(line, &(struct tel_text){name, strlen(name)});
}

/* ---- time ---------------------------------------------------------------------------------- */

void tel__dates_set(struct tel__dates *dates, uint64_t wall_ns)
{
    uint64_t second = wall_ns / TEL_NS_PER_SECOND;
    if (dates->second == second + 1) {
        return;
    }
    time_t when = (time_t)second;
    struct tm utc;
    gmtime_r(&when, &utc);
    strftime(dates->date, sizeof(dates->date), "%Y-%m-%d", &utc);
    strftime(dates->time, sizeof(dates->time), "%H:%M:%S", &utc);
    dates->second = second + 1;
}

static void print_date(struct line *line, const struct tel__field *field)
{
    tel__dates_set(line->dates, u64_value(line, field, 0));
    tel_buffer_append(line->out, line->dates->date, sizeof(line->dates->date) - 1);
}

static void print_time(struct line *line, const struct tel__field *field)
{
    uint64_t wall_ns = u64_value(line, field, 0);
    tel__dates_set(line->dates, wall_ns);
    tel_buffer_append(line->out, line->dates->time, sizeof(line->dates->time) - 1);
    if (!line->fields->iis) {
        char fraction[] = ".000000";
        uint64_t left = wall_ns % TEL_NS_PER_SECOND / TEL_NS_PER_US;
        for (size_t at = sizeof(fraction) - 2; left > 0; at--, left /= 10) {
            fraction[at] = (char)('0' + left % 10);
        }
        tel_buffer_append(line->out, fraction, sizeof(fraction) - 1);
    }
}

static void print_taken(struct line *line, const struct tel__field *field)
{
    uint64_t duration_ns = u64_value(line, field, 0);
    if (line->fields->iis) {
        tel_buffer_append_u64(line->out, duration_ns / TEL_NS_PER_MS);
    } else {
        tel_buffer_append_fixed(line->out, duration_ns / TEL_NS_PER_US, 6);
    }
}

/* ---- numbers and addresses ----------------------------------------------------------------- */

static void print_number(struct line *line, const struct tel__field *field)
{
    tel_buffer_append_u64(line->out, u64_value(line, field, 0) + u64_value(line, field, 1));
}

static void print_status(struct line *line, const struct tel__field *field)
{
    uint16_t status;
    memcpy(&status, value(line, field, 0)->data, sizeof(status));
    if (status == 0) {
        print_missing(line);
    } else {
        tel_buffer_append_u64(line->out, status);
    }
}

static struct tel__address address_value(const struct line *line, const struct tel__field *field)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct tel__address address;
    memcpy(&address, value(line, field, 0)->data, sizeof(address));
    if (address.length == 16 && memcmp(address.bytes, mapped, sizeof(mapped)) == 0) {
        memmove(address.bytes, address.bytes + sizeof(mapped), 4);
        address.length = 4;
    }
    return address;
}

static void print_ip(struct line *line, const struct tel__field *field)
{
    struct tel__address address = address_value(line, field);
    if (address.length == 0) {
        print_missing(line);
        return;
    }
    if (address.length == 16) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(AF_INET6, address.bytes, text, sizeof(text));
        tel_buffer_append_string(line->out, text);
        return;
    }
    for (size_t i = 0; i < 4; i++) { /* the usual case; inet_ntop would go through printf */
        if (i > 0) {
            tel_buffer_append_char(line->out, '.');
        }
        tel_buffer_append_u64(line->out, address.bytes[i]);
    }
}

static void print_port(struct line *line, const struct tel__field *field)
{
    struct tel__address address = address_value(line, field);
    if (address.length == 0) {
        print_missing(line);
    } else {
        tel_buffer_append_u64(line->out, address.port);
    }
}

/* An id of zeros is no id (W3C Trace Context, 3.2.2.3). */
static void print_hex(struct line *line, const struct tel__field *field)
{
    static const char none[16];
    const struct tel_text *id = value(line, field, 0);
    if (memcmp(id->data, none, id->length) == 0) {
        print_missing(line);
    } else {
        tel_buffer_append_hex(line->out, (const uint8_t *)id->data, id->length);
    }
}

static void print_zero(struct line *line, const struct tel__field *field)
{
    (void)field;
    tel_buffer_append_char(line->out, '0');
}

static void print_nothing(struct line *line, const struct tel__field *field)
{
    (void)field;
    print_missing(line);
}

/* ---- the line ------------------------------------------------------------------------------ */

typedef void print_fn(struct line *line, const struct tel__field *field);

static print_fn *const prints[TEL__PRINTS] = {
    [TEL__PRINT_DATE] = print_date,     [TEL__PRINT_TIME] = print_time,
    [TEL__PRINT_TAKEN] = print_taken,   [TEL__PRINT_NUMBER] = print_number,
    [TEL__PRINT_IP] = print_ip,         [TEL__PRINT_PORT] = print_port,
    [TEL__PRINT_STATUS] = print_status, [TEL__PRINT_WORD] = print_word,
    [TEL__PRINT_URI] = print_uri,       [TEL__PRINT_HEADER] = print_header,
    [TEL__PRINT_HEX] = print_hex,       [TEL__PRINT_COMPUTER] = print_computer,
    [TEL__PRINT_ZERO] = print_zero,     [TEL__PRINT_NOTHING] = print_nothing,
};

void tel__line_append(struct tel_buffer *out, const struct tel__fields *fields,
                      struct tel__dates *dates, const char *packed)
{
    struct line line; /* its values are set below, not cleared: this runs for each line */
    line.out = out;
    line.fields = fields;
    line.dates = dates;
    tel__unpack(fields, packed, &line.values);
    char separator = fields->iis ? ' ' : '\t';
    for (size_t i = 0; i < fields->count; i++) {
        if (i > 0) {
            tel_buffer_append_char(out, separator);
        }
        prints[fields->list[i].print](&line, &fields->list[i]);
    }
    tel_buffer_append_char(out, '\n');
}
