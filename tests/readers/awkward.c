/*
 * Spans and log records with everything that is awkward in them, sent to a collector by the library's
 * own exporter: `awkward http://127.0.0.1:4318`. The ends of every number's range, strings that are
 * empty, too long or no UTF-8, events and links, a full tracestate, more than a span has room for.
 * What they should say is in test_otlp.py.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "telemetry/telemetry.h"

#define LENGTH(text) (sizeof(text) - 1)

static const char invalid[] = "a\xff\xc0\x80z";
static const char nul[] = "a\0b";
static const char unicode[] = "caf\xc3\xa9 \xf0\x9f\xa6\x89 \xe2\x80\xae"; /* an owl, and U+202E */
static const uint8_t other_trace[16] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff};
static const uint8_t other_span[8] = {0x80, 0, 0, 0, 0, 0, 0, 1};

static struct tel_attribute text(const char *key, const char *data, size_t length)
{
    return (struct tel_attribute){
        .key = key, .type = TEL_VALUE_STRING, .value.string = {data, length}};
}

static struct tel_attribute integer(const char *key, int64_t value)
{
    return (struct tel_attribute){.key = key, .type = TEL_VALUE_INT, .value.integer = value};
}

static void numbers(struct tel_tracer *tracer)
{
    struct tel_span span;
    tel_span_begin(
        &span, tracer, 0,
        &(struct tel_span_start){.name = "numbers", .kind = TEL_SPAN_SERVER, .start_wall_ns = 1});
    tel_span_set_int(&span, "int.min", INT64_MIN);
    tel_span_set_int(&span, "int.max", INT64_MAX);
    tel_span_set_int(&span, "int.zero", 0);
    tel_span_set_int(&span, "int.minus.one", -1);
    tel_span_set_double(&span, "double.zero", 0.0);
    tel_span_set_double(&span, "double.minus.zero", -0.0);
    tel_span_set_double(&span, "double.tiny", 5e-324);
    tel_span_set_double(&span, "double.huge", 1.7976931348623157e308);
    tel_span_set_double(&span, "double.infinite", -INFINITY);
    tel_span_set_double(&span, "double.nan", NAN);
    tel_span_set_bool(&span, "bool.false", false);
    tel_span_set_bool(&span, "bool.true", true);
    tel_span_set_int(&span, "int.zero", 7); /* replaced */
    tel_span_set_status(&span, TEL_STATUS_OK);
    tel_span_end(&span, UINT64_MAX);
}

static void strings(struct tel_tracer *tracer)
{
    struct tel_span span;
    char longest[TEL_ATTRIBUTE_VALUE_MAX + 100];
    memset(longest, 'x', sizeof longest);
    longest[TEL_ATTRIBUTE_VALUE_MAX - 1] = '\xc3'; /* cut in the middle of a character */
    longest[TEL_ATTRIBUTE_VALUE_MAX] = '\xa9';
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = unicode, .kind = TEL_SPAN_CLIENT});
    tel_span_set_string(&span, "empty", "", 0);
    tel_span_set_string(&span, "invalid", invalid, LENGTH(invalid));
    tel_span_set_string(&span, "nul", nul, LENGTH(nul));
    tel_span_set_string(&span, "unicode", unicode, LENGTH(unicode));
    tel_span_set_string(&span, "longest", longest, sizeof longest);
    tel_span_set_status(&span, TEL_STATUS_ERROR);
    tel_span_end(&span, 0);
}

static void events_and_links(struct tel_tracer *tracer)
{
    struct tel_span span;
    struct tel_span child;
    struct tel_context parent = {0};
    static const char traceparent[] =
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-later";
    static const char tracestate[] = "z=1,rojo=00f067aa0ba902b7,t/enant@v=x y!~";
    parent.valid = tel_traceparent_parse(traceparent, LENGTH(traceparent), &parent) == 0;
    parent.remote = true;
    tel_tracestate_parse(tracestate, LENGTH(tracestate), &parent);
    const struct tel_attribute attributes[] = {text("text", "", 0), text("bytes", invalid, 5),
                                               integer("most", INT64_MAX)};
    tel_span_begin(
        &span, tracer, 0,
        &(struct tel_span_start){.name = "events", .kind = TEL_SPAN_SERVER, .parent = &parent});
    tel_span_add_event(&span, "none", 1, NULL, 0);
    tel_span_add_event(&span, "all", UINT64_MAX, attributes, 3);
    tel_span_add_link(&span, other_trace, other_span, TEL_FLAG_SAMPLED, attributes, 3);
    tel_span_add_link(&span, other_trace, other_span, 0, NULL, 0);
    tel_span_begin(
        &child, tracer, 0,
        &(struct tel_span_start){.name = "child", .kind = TEL_SPAN_INTERNAL, .parent_span = &span});
    tel_span_end(&child, 0);
    tel_span_end(&span, 0);
}

/* More than there is room for: what is left out is counted. */
static void too_much(struct tel_tracer *tracer)
{
    struct tel_span span;
    char value[900];
    memset(value, 'y', sizeof value);
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = "too much", .kind = TEL_SPAN_SERVER});
    tel_span_set_string(&span, "one", value, sizeof value);
    tel_span_set_string(&span, "two", value, sizeof value);
    tel_span_set_string(&span, "three", value, sizeof value);
    tel_span_set_string(&span, "four", value, sizeof value);
    const struct tel_attribute large = text("large", value, sizeof value);
    tel_span_add_event(&span, "large", 0, &large, 1);
    tel_span_add_link(&span, other_trace, other_span, 0, &large, 1);
    tel_span_end(&span, 0);
}

static void records(struct tel_logger *logger, struct tel_tracer *tracer)
{
    struct tel_span span;
    const struct tel_attribute attributes[] = {text("empty", "", 0), text("invalid", invalid, 5),
                                               integer("least", INT64_MIN)};
    tel_span_begin(&span, tracer, 0,
                   &(struct tel_span_start){.name = "logged", .kind = TEL_SPAN_INTERNAL});
    tel_logger_emit(logger, 0, &(struct tel_log_record){.wall_ns = 1});
    tel_logger_emit(logger, 0,
                    &(struct tel_log_record){.wall_ns = UINT64_MAX,
                                             .severity = TEL_ERROR,
                                             .event_name = "an.event",
                                             .body = invalid,
                                             .body_length = LENGTH(invalid),
                                             .span = &span,
                                             .attributes = attributes,
                                             .attribute_count = 3});
    tel_logger_emit(logger, 0, &(struct tel_log_record){.severity = TEL_WARN, .body = ""});
    tel_span_end(&span, 0);
}

static int export_all(struct tel_tracer *tracer, struct tel_logger *logger, const char *endpoint)
{
    char traces[256];
    char logs[256];
    struct tel_resource *resource = tel_resource_create();
    struct tel_exporter_stats stats[2];
    snprintf(traces, sizeof traces, "%s/v1/traces", endpoint);
    snprintf(logs, sizeof logs, "%s/v1/logs", endpoint);
    tel_resource_add(resource, "service.name", unicode);
    tel_resource_add(resource, "empty", "");
    struct tel_exporter_options options = {.kind = TEL_EXPORTER_OTLP,
                                           .endpoint = traces,
                                           .timeout_ms = 5000,
                                           .schedule_delay_ms = 100,
                                           .export_timeout_ms = 10000,
                                           .max_batch = 512,
                                           .scope_name = "awkward",
                                           .scope_version = ""};
    struct tel_exporter *spans = tel_exporter_create(&options, tracer, resource);
    options.endpoint = logs;
    struct tel_exporter *entries = tel_exporter_create_logs(&options, logger, resource);
    if (spans == NULL || entries == NULL || tel_exporter_start(spans) != 0 ||
        tel_exporter_start(entries) != 0) {
        return 1;
    }
    tel_exporter_shutdown(spans, 10000);
    tel_exporter_shutdown(entries, 10000);
    tel_exporter_get_stats(spans, &stats[0]);
    tel_exporter_get_stats(entries, &stats[1]);
    tel_exporter_destroy(spans);
    tel_exporter_destroy(entries);
    tel_resource_destroy(resource);
    printf("%d spans, %d records\n", (int)stats[0].acknowledged, (int)stats[1].acknowledged);
    return 0;
}

int main(int argc, char *argv[])
{
    struct tel_tracer *tracer = tel_tracer_create(&(struct tel_tracer_options){
        .shard_count = 1, .sampler = {.root = TEL_SAMPLER_ALWAYS_ON}, .queue_size = 64});
    struct tel_logger *logger =
        tel_logger_create(&(struct tel_logger_options){.shard_count = 1, .queue_size = 64});
    if (argc != 2 || tracer == NULL || logger == NULL) {
        return 2;
    }
    numbers(tracer);
    strings(tracer);
    events_and_links(tracer);
    too_much(tracer);
    records(logger, tracer);
    int status = export_all(tracer, logger, argv[1]);
    tel_logger_destroy(logger);
    tel_tracer_destroy(tracer);
    return status;
}
