/*
 * A request that holds anything: its line obeys the format. ASCII without control characters, one
 * newline, as many fields as the list has, each `-`, a quoted string, or a value without quotes,
 * and never the look of a directive. The line is within the length that was announced.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "access_log/line.h"
#include "access_log/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The input, eaten from the front. */
struct input {
    const uint8_t *at;
    size_t left;
};

static void take(struct input *input, void *to, size_t length)
{
    memset(to, 0, length);
    length = length < input->left ? length : input->left;
    memcpy(to, input->at, length);
    input->at += length;
    input->left -= length;
}

/* A text of a length that the input says; 255 is a missing one, 254 one that must be cut. */
static struct tel_text take_text(struct input *input)
{
    static char longest[3 * TEL_ACCESS_VALUE_MAX];
    uint8_t length;
    take(input, &length, sizeof(length));
    if (length == 255) {
        return (struct tel_text){NULL, 0};
    }
    if (length == 254 && input->left > 0) {
        for (size_t i = 0; i < sizeof(longest); i++) {
            longest[i] = (char)input->at[i % input->left];
        }
        return (struct tel_text){longest, sizeof(longest)};
    }
    size_t kept = length < input->left ? length : input->left;
    struct tel_text text = {kept > 0 ? (const char *)input->at : "", kept};
    input->at += kept;
    input->left -= kept;
    return text;
}

static const struct sockaddr *take_address(struct input *input, struct sockaddr_in6 *memory)
{
    uint8_t family;
    take(input, &family, sizeof(family));
    take(input, memory, sizeof(*memory));
    memory->sin6_family = family % 3 == 0 ? AF_INET : AF_INET6;
    return family % 7 == 6 ? NULL : (const struct sockaddr *)memory;
}

/* A value without its quotes holds none but doubled ones. */
static void check_field(const char *field, size_t length, bool is_header, bool iis)
{
    check(length > 0);
    if (!is_header || iis || field[0] != '"') {
        check(memchr(field, '"', length) == NULL);
        check(!is_header || iis || (length == 1 && field[0] == '-'));
        return;
    }
    check(length >= 2 && field[length - 1] == '"');
    for (size_t i = 1; i < length - 1; i++) {
        if (field[i] == '"') {
            check(++i < length - 1 && field[i] == '"');
        }
    }
}

static void check_line(const struct tel__fields *fields, const char *line, size_t length)
{
    char separator = fields->iis ? ' ' : '\t';
    check(length > 0 && line[length - 1] == '\n' && line[0] != '#');
    size_t start = 0;
    size_t index = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == separator || i == length - 1) {
            check(index < fields->count);
            bool is_header = fields->list[index].print == TEL__PRINT_HEADER;
            check_field(line + start, i - start, is_header, fields->iis);
            start = i + 1;
            index++;
        } else {
            check(line[i] >= ' ' && line[i] < 0x7f);
        }
    }
    check(index == fields->count);
}

static void print(const struct tel__fields *fields, const struct tel_access_record *record)
{
    size_t size = tel__pack_size(fields, record);
    check(size <= fields->record_max);
    char *packed = malloc(size + 1);
    check(packed != NULL);
    tel__pack(fields, record, packed);
    struct tel_buffer out;
    struct tel__dates dates = {.second = 0};
    tel_buffer_init(&out, fields->line_max);
    tel__line_append(&out, fields, &dates, packed);
    check(out.error == 0);
    check_line(fields, out.data, out.length);
    tel_buffer_fini(&out);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lists[] = {
        tel_access_fields_default, tel_access_fields_iis,
        "cs-uri-stem cs-method cs(A) sc(B) cs-uri bytes x-fault x-error cached s-computername",
        "sc(A) cs(A) sc(B) cs(B) cs-uri-query cs-host c-ip s-ip c-port s-port date time"};
    struct input input = {data, size};
    struct sockaddr_in6 client;
    struct sockaddr_in6 server;
    struct tel_access_record record;
    uint8_t choice;
    take(&input, &choice, sizeof(choice));
    take(&input, &record.end_wall_ns, sizeof(record.end_wall_ns));
    take(&input, &record.duration_ns, sizeof(record.duration_ns));
    take(&input, &record.status, sizeof(record.status));
    take(&input, &record.bytes_sent, sizeof(record.bytes_sent));
    record.bytes_received = ~record.bytes_sent;
    record.client = take_address(&input, &client);
    record.server = take_address(&input, &server);
    take(&input, record.trace_id, sizeof(record.trace_id));
    take(&input, record.span_id, sizeof(record.span_id));
    record.traced = choice % 3 != 0;
    struct tel_text *const texts[] = {
        &record.uri_stem,
        &record.method,
        &record.uri_query,
        &record.host,
        &record.version,
        &record.route,
        &record.error,
        &record.fault,
        &record.request_headers[0],
        &record.response_headers[0],
        &record.request_headers[1],
        &record.response_headers[1],
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = take_text(&input);
    }
    struct tel__fields fields;
    const char *list = lists[choice / 2 % (sizeof(lists) / sizeof(lists[0]))];
    check(tel__fields_compile(&fields, list, choice % 2 == 1, NULL, 0) == 0);
    print(&fields, &record);
    return 0;
}
