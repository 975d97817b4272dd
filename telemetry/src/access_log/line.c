/*
 * One small function a kind of print, in a table; each writes at `to` and returns the end of what it
 * wrote.
 *
 * None asks for room: the line as a whole asks the buffer once, for the longest line there can be,
 * and gives back what it did not need. So what a print may write and its width in fields.c belong
 * together: whoever changes the one looks at the other.
 */
#include "access_log/line.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "access_log/pack.h"
#include "base/digits.h"
#include "base/text.h"
#include "telemetry/clock.h"

/* What is being printed. */
struct line {
    const struct tel__fields *fields;
    struct tel__dates *dates;
    struct tel__values values;
};

static char *print_missing(char *to)
{
    *to = '-';
    return to + 1;
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

/* Where a byte stands for itself. Outside quotes a `"` would begin a string, a `#` at the start of
 * a line a directive, and a `\` makes goaccess pass over the separator behind it. */
enum { BARE = 1, QUOTED = 2 };
static const uint8_t plain[256] = {
    [' '] = QUOTED,  ['!'] = BARE | QUOTED,         ['#'] = QUOTED, ['$' ... '['] = BARE | QUOTED,
    ['\\'] = QUOTED, [']' ... '~'] = BARE | QUOTED,
};

/* How text is written; what is neither plain nor special becomes %XX. */
struct style {
    uint8_t plain; /* BARE or QUOTED */
    uint8_t special;
    const char *instead; /* three bytes at most, as %XX is */
};
static const struct style bare = {BARE, ' ', "%20"};
static const struct style bare_iis = {BARE, ' ', "+"};
static const struct style quoted = {QUOTED, '"', "\"\""};

/* The bytes at the start that stand for themselves, four a step. */
static size_t plain_bytes(const uint8_t *bytes, size_t length, uint8_t where)
{
    size_t run = 0;
    while (length - run >= 4 && (where & plain[bytes[run]] & plain[bytes[run + 1]] &
                                 plain[bytes[run + 2]] & plain[bytes[run + 3]]) != 0) {
        run += 4;
    }
    while (run < length && (where & plain[bytes[run]]) != 0) {
        run++;
    }
    return run;
}

static char *encode_byte(char *to, uint8_t byte, const struct style *style)
{
    static const char digits[] = "0123456789ABCDEF";
    if (byte == style->special) {
        return mempcpy(to, style->instead, strlen(style->instead));
    }
    *to++ = '%';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

static char *encode(char *to, const struct tel_text *text, const struct style *style)
{
    const uint8_t *at = (const uint8_t *)text->data;
    const uint8_t *end = at + text->length;
    while (at < end) {
        size_t run = plain_bytes(at, (size_t)(end - at), style->plain);
        to = mempcpy(to, at, run);
        for (at += run; at < end && (style->plain & plain[*at]) == 0; at++) {
            to = encode_byte(to, *at, style);
        }
    }
    return to;
}

/* A value without quotes; never empty, never just `-`. */
static char *print_bare(char *to, const struct line *line, const struct tel_text *text)
{
    return encode(to, text, line->fields->iis ? &bare_iis : &bare);
}

static char *print_quoted(char *to, const struct tel_text *text)
{
    *to++ = '"';
    to = encode(to, text, &quoted);
    *to++ = '"';
    return to;
}

static char *print_text(char *to, const struct line *line, const struct tel_text *text)
{
    if (text->data == NULL || text->length == 0) {
        return print_missing(to);
    }
    if (text->length == 1 && text->data[0] == '-') {
        return encode_byte(to, '-', &bare);
    }
    return print_bare(to, line, text);
}

static char *print_word(char *to, const struct line *line, const struct tel__field *field)
{
    return print_text(to, line, value(line, field, 0));
}

static char *print_header(char *to, const struct line *line, const struct tel__field *field)
{
    const struct tel_text *text = value(line, field, 0);
    if (line->fields->iis || text->data == NULL) {
        return print_text(to, line, text);
    }
    return print_quoted(to, text);
}

static char *print_uri(char *to, const struct line *line, const struct tel__field *field)
{
    const struct tel_text *query = value(line, field, 1);
    to = print_text(to, line, value(line, field, 0));
    if (query->data != NULL && query->length > 0) {
        *to++ = '?';
        to = print_bare(to, line, query);
    }
    return to;
}

static char *print_computer(char *to, const struct line *line, const struct tel__field *field)
{
    (void)field;
    const char *name = line->fields->computer;
    return print_text(to, line, &(struct tel_text){name, strlen(name)});
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

static char *print_date(char *to, const struct line *line, const struct tel__field *field)
{
    tel__dates_set(line->dates, u64_value(line, field, 0));
    return mempcpy(to, line->dates->date, sizeof(line->dates->date) - 1);
}

static char *print_time(char *to, const struct line *line, const struct tel__field *field)
{
    uint64_t wall_ns = u64_value(line, field, 0);
    tel__dates_set(line->dates, wall_ns);
    to = mempcpy(to, line->dates->time, sizeof(line->dates->time) - 1);
    if (!line->fields->iis) {
        *to++ = '.';
        to = tel__digits_six(to, wall_ns / TEL_NS_PER_US);
    }
    return to;
}

static char *print_taken(char *to, const struct line *line, const struct tel__field *field)
{
    uint64_t duration_ns = u64_value(line, field, 0);
    if (line->fields->iis) {
        return tel__digits_u64(to, duration_ns / TEL_NS_PER_MS);
    }
    to = tel__digits_u64(to, duration_ns / TEL_NS_PER_SECOND);
    *to++ = '.';
    return tel__digits_six(to, duration_ns / TEL_NS_PER_US);
}

/* ---- numbers and addresses ----------------------------------------------------------------- */

static char *print_number(char *to, const struct line *line, const struct tel__field *field)
{
    return tel__digits_u64(to, u64_value(line, field, 0) + u64_value(line, field, 1));
}

static char *print_status(char *to, const struct line *line, const struct tel__field *field)
{
    uint16_t status;
    memcpy(&status, value(line, field, 0)->data, sizeof(status));
    return status == 0 ? print_missing(to) : tel__digits_u64(to, status);
}

static const struct tel__address *address_value(const struct line *line,
                                                const struct tel__field *field)
{
    return (const struct tel__address *)value(line, field, 0)->data;
}

static char *print_ip(char *to, const struct line *line, const struct tel__field *field)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* IPv4 in IPv6 */
    const struct tel__address *address = address_value(line, field);
    if (address->length == 0) {
        return print_missing(to);
    }
    if (address->length == 4) {
        return tel__digits_ipv4(to, address->bytes);
    }
    if (memcmp(address->bytes, mapped, sizeof(mapped)) == 0) {
        return tel__digits_ipv4(to, address->bytes + sizeof(mapped));
    }
    inet_ntop(AF_INET6, address->bytes, to, INET6_ADDRSTRLEN);
    return to + strlen(to);
}

static char *print_port(char *to, const struct line *line, const struct tel__field *field)
{
    const struct tel__address *address = address_value(line, field);
    return address->length == 0 ? print_missing(to) : tel__digits_u64(to, address->port);
}

/* An id of zeros is no id (W3C Trace Context, 3.2.2.3). */
static char *print_hex(char *to, const struct line *line, const struct tel__field *field)
{
    static const char none[16];
    const struct tel_text *id = value(line, field, 0);
    if (memcmp(id->data, none, id->length) == 0) {
        return print_missing(to);
    }
    return tel__hex_encode(to, (const uint8_t *)id->data, id->length);
}

static char *print_zero(char *to, const struct line *line, const struct tel__field *field)
{
    (void)line;
    (void)field;
    *to = '0';
    return to + 1;
}

static char *print_nothing(char *to, const struct line *line, const struct tel__field *field)
{
    (void)line;
    (void)field;
    return print_missing(to);
}

/* ---- the line ------------------------------------------------------------------------------ */

typedef char *print_fn(char *to, const struct line *line, const struct tel__field *field);

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
    char *to = tel_buffer_extend(out, fields->line_max);
    if (to == NULL) {
        return;
    }
    struct line line; /* its values are set below, not cleared: this runs for each line */
    line.fields = fields;
    line.dates = dates;
    tel__unpack(fields, packed, &line.values);
    char separator = fields->iis ? ' ' : '\t';
    for (size_t i = 0; i < fields->count; i++) {
        const struct tel__field *field = &fields->list[i];
        to = prints[field->print](to, &line, field);
        *to++ = separator;
    }
    to[-1] = '\n'; /* in the last separator's place */
    out->length = (size_t)(to - out->data);
}
