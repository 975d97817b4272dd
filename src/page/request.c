/*
 * To add something to what the page shows: a line in append_request(), and in the shape that
 * tests/wire/events.py holds every frame against.
 */
#include "page/request.h"

#include <string.h>
#include <strings.h>

#include "page/totals.h"
#include "page/writer.h"

/* How much of a request is told; each level leaves out what made the one before too long. */
enum detail { DETAIL_ALL, DETAIL_NO_ATTRIBUTES, DETAIL_SHORT, DETAILS };

/* ---- spans ------------------------------------------------------------------------------------- */

static const char *const kind_names[] = {"", "INTERNAL", "SERVER", "CLIENT"};
static const char *const status_names[] = {"UNSET", "OK", "ERROR"};

/* Any value as a string. */
static void append_value(struct writer *json, const struct tel_attribute *attribute)
{
    if (attribute->type == TEL_VALUE_STRING) {
        writer_text(json, NULL, attribute->value.string.data, attribute->value.string.length);
        return;
    }
    writer_value(json, NULL);
    tel_buffer_append_char(json->out, '"');
    if (attribute->type == TEL_VALUE_BOOL) {
        tel_buffer_append_string(json->out, attribute->value.boolean ? "true" : "false");
    } else if (attribute->type == TEL_VALUE_INT) {
        tel_buffer_append_i64(json->out, attribute->value.integer);
    } else {
        tel_buffer_append_double(json->out, attribute->value.real);
    }
    tel_buffer_append_char(json->out, '"');
}

static void append_attribute(struct writer *json, const struct tel_attribute *attribute)
{
    writer_open(json, NULL, '[');
    writer_string(json, NULL, attribute->key);
    append_value(json, attribute);
    writer_close(json, ']');
}

static void append_attributes(struct writer *json, const struct tel_span *span, bool told)
{
    struct tel_item item;
    writer_open(json, "attributes", '[');
    for (size_t position = 0; told && tel_span_next_item(span, &position, &item);) {
        if (item.what == TEL_ITEM_ATTRIBUTE) {
            append_attribute(json, &item.attribute);
        }
    }
    writer_close(json, ']');
}

/* Events, each with the attributes that follow it; links are not shown. */
static void append_events(struct writer *json, const struct tel_span *span, bool told)
{
    struct tel_item item;
    bool within = false;
    writer_open(json, "events", '[');
    for (size_t position = 0; tel_span_next_item(span, &position, &item);) {
        if (item.what == TEL_ITEM_NESTED) {
            if (within && told) {
                append_attribute(json, &item.attribute);
            }
            continue;
        }
        if (within && item.what != TEL_ITEM_ATTRIBUTE) {
            writer_close(json, ']');
            writer_close(json, '}');
            within = false;
        }
        if (item.what == TEL_ITEM_EVENT) {
            writer_open(json, NULL, '{');
            writer_string(json, "name", item.attribute.key);
            writer_ms(json, "at_ms", item.wall_ns);
            writer_open(json, "attributes", '[');
            within = true;
        }
    }
    if (within) {
        writer_close(json, ']');
        writer_close(json, '}');
    }
    writer_close(json, ']');
}

static void append_span(struct writer *json, const struct tel_span *span,
                        enum tel_span_status status, bool attributes)
{
    writer_open(json, NULL, '{');
    writer_hex(json, "span_id", span->span_id, sizeof(span->span_id));
    if (span->has_parent) {
        writer_hex(json, "parent_id", span->parent_span_id, sizeof(span->parent_span_id));
    } else {
        writer_null(json, "parent_id");
    }
    writer_string(json, "name", span->name);
    writer_string(json, "kind", kind_names[span->kind]);
    writer_ms(json, "start_ms", span->start_wall_ns);
    writer_ms(json, "end_ms", span->end_wall_ns);
    writer_string(json, "status", status_names[status]);
    append_attributes(json, span, attributes);
    append_events(json, span, attributes);
    writer_close(json, '}');
}

void page_children_add(struct page_children *children, const struct tel_span *span)
{
    struct tel_buffer out;
    struct writer json = writer_of(&out);
    tel_buffer_init(&out, PAGE_CHILDREN_BYTES - children->length);
    json.comma = children->length > 0;
    append_span(&json, span, (enum tel_span_status)span->status, true);
    if (out.error == 0) {
        memcpy(children->json + children->length, out.data, out.length);
        children->length += out.length;
    } else {
        children->is_cut = true;
    }
    tel_buffer_fini(&out);
}

static void append_spans(struct writer *json, const struct page_request *request,
                         enum detail detail)
{
    const struct page_children *children = request->children;
    writer_open(json, "spans", '[');
    /* A span that is not recorded keeps nothing of what it is told: its status is the request's. */
    append_span(json, request->span,
                request->failed ? TEL_STATUS_ERROR : (enum tel_span_status)request->span->status,
                detail == DETAIL_ALL && request->sampled);
    if (children != NULL && children->length > 0 && detail != DETAIL_SHORT) {
        writer_value(json, NULL);
        tel_buffer_append(json->out, children->json, children->length);
    }
    writer_close(json, ']');
}

/* ---- the other signals ------------------------------------------------------------------------- */

/* The bucket's sample as a scrape has it: cumulative. */
static uint64_t count_up_to(const struct tel_series *series, size_t bucket)
{
    uint64_t counts[TEL_BUCKETS_MAX + 1] = {0};
    uint64_t count = 0;
    tel_histogram_add_counts(series, counts);
    for (size_t i = 0; i <= bucket; i++) {
        count += counts[i];
    }
    return count;
}

static void append_metric(struct writer *json, const struct page_request *request)
{
    const struct tel_access_record *record = request->record;
    struct tel_bucket bucket;
    struct tel_buffer text;
    tel_buffer_init(&text, PAGE_RECORD_BYTES);
    tel_histogram_find_bucket(request->series, record->duration_ns, &bucket);
    writer_open(json, "bucket", '{');
    writer_text(json, "le", bucket.le, bucket.le_length);
    writer_u64(json, "index", bucket.index);
    writer_u64(json, "count", count_up_to(request->series, bucket.index));
    writer_close(json, '}');
    if (request->exemplar != NULL) {
        tel_exemplar_append(request->exemplar, record->duration_ns, &text);
    }
    writer_text(json, "exemplar", text.data, text.length);
    tel_buffer_clear(&text);
    tel_histogram_append_bucket(request->series, bucket.index, &text);
    writer_text(json, "series", text.data, text.length);
    if (text.error != 0) {
        json->out->error = text.error;
    }
    tel_buffer_fini(&text);
}

static void append_log(struct writer *json, const struct page_request *request,
                       struct tel_buffer *line)
{
    tel_buffer_clear(line);
    tel_access_log_append_line(request->access_log, request->record, line);
    writer_text(json, "log", line->data, line->length);
    if (line->error != 0) {
        json->out->error = line->error;
    }
}

/* ---- the whole --------------------------------------------------------------------------------- */

/* Appends what there is, and no more than the buffer shall hold. */
static void append_start(struct tel_buffer *out, const struct tel_text *text, size_t most)
{
    const size_t room = most > out->length ? most - out->length : 0;
    if (text->data != NULL) {
        tel_buffer_append(out, text->data, text->length < room ? text->length : room);
    }
}

static bool log_has_query(const struct tel_access_log *log)
{
    const char *field;
    for (size_t i = 0; log != NULL && (field = tel_access_log_field(log, i)) != NULL; i++) {
        if (strcasecmp(field, "cs-uri") == 0 || strcasecmp(field, "cs-uri-query") == 0) {
            return true;
        }
    }
    return false;
}

/* The query is shown where a signal has it: who keeps it out of those does not find it here. */
static void append_path(struct writer *json, const struct page_request *request, bool is_short)
{
    const struct tel_access_record *record = request->record;
    const size_t most = is_short ? PAGE_PATH_BYTES : SIZE_MAX;
    struct tel_buffer path;
    tel_buffer_init(&path, PAGE_RECORD_BYTES);
    append_start(&path, &record->uri_stem, most);
    if (record->uri_query.data != NULL &&
        (request->sampled || log_has_query(request->access_log))) {
        append_start(&path, &(struct tel_text){"?", 1}, most);
        append_start(&path, &record->uri_query, most);
    }
    writer_text(json, "path", path.data != NULL ? path.data : "", path.length);
    if (path.error != 0) {
        json->out->error = path.error;
    }
    tel_buffer_fini(&path);
}

static void append_facts(struct writer *json, const struct page_request *request, bool is_short)
{
    const struct tel_access_record *record = request->record;
    writer_hex(json, "id", record->span_id, sizeof(record->span_id));
    writer_hex(json, "trace_id", record->trace_id, sizeof(record->trace_id));
    writer_bool(json, "sampled", request->sampled);
    writer_bool(json, "failed", request->failed);
    writer_bool(json, "user",
                totals_find_route(record->route.data, record->route.length) != ROUTE_NONE);
    writer_ms(json, "end_ms", record->end_wall_ns);
    writer_ms(json, "duration_ms", record->duration_ns);
    writer_string(json, "method", request->method);
    writer_text(json, "route", record->route.data, record->route.length);
    append_path(json, request, is_short);
    if (record->status != 0) {
        writer_u64(json, "status", record->status);
    } else {
        writer_null(json, "status");
    }
    writer_text(json, "error", record->error.data, record->error.length);
    writer_text(json, "fault", record->fault.data, record->fault.length);
}

static void append_request(struct tel_buffer *out, const struct page_request *request,
                           struct tel_buffer *line, enum detail detail)
{
    struct writer json = writer_of(out);
    writer_open(&json, NULL, '{');
    append_facts(&json, request, detail == DETAIL_SHORT);
    append_metric(&json, request);
    if (request->access_log != NULL && detail != DETAIL_SHORT) {
        append_log(&json, request, line);
    } else {
        writer_null(&json, "log");
    }
    append_spans(&json, request, detail);
    if (detail != DETAIL_ALL || (request->children != NULL && request->children->is_cut)) {
        writer_bool(&json, "cut", true);
    }
    writer_close(&json, '}');
}

bool page_request_format(const struct page_request *request, struct tel_buffer *line,
                         struct page_record *record)
{
    bool fits = false;
    struct tel_buffer out;
    tel_buffer_init(&out, sizeof(record->json));
    for (enum detail detail = DETAIL_ALL; detail < DETAILS && !fits; detail++) {
        tel_buffer_clear(&out);
        append_request(&out, request, line, detail);
        fits = out.error == 0;
    }
    if (fits) {
        record->end_ns = request->end_ns;
        record->length = out.length;
        memcpy(record->json, out.data, out.length);
    }
    tel_buffer_fini(&out);
    return fits;
}
