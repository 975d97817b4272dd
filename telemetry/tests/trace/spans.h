/*
 * What the tests of spans share: tracers, and a record's items as text.
 */
#ifndef TEL_TESTS_TRACE_SPANS_H
#define TEL_TESTS_TRACE_SPANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "queued.h"

static inline struct tel_tracer *make_tracer(struct tel_sampler sampler, size_t queue_size)
{
    struct tel_tracer *tracer = tel_tracer_create(&(struct tel_tracer_options){
        .shard_count = 1, .sampler = sampler, .queue_size = queue_size});
    assert_non_null(tracer);
    return tracer;
}

static const struct tel_sampler always_on = {TEL_SAMPLER_ALWAYS_ON, 1, true};
static const struct tel_sampler always_off = {TEL_SAMPLER_ALWAYS_OFF, 1, true};

/* Appends an item to the text at `out`: `key=value` an attribute, `@name/time` an event, `>id/flags` a
 * link, `.key=value` what is nested. */
static inline void describe_item(const struct tel_item *item, char *out, size_t size)
{
    const struct tel_attribute *attribute = &item->attribute;
    const char *dot = item->what == TEL_ITEM_NESTED ? "." : "";
    size_t at = strlen(out);
    out += at;
    size -= at;
    int length;
    if (item->what == TEL_ITEM_EVENT) {
        length =
            snprintf(out, size, "@%s/%llu ", attribute->key, (unsigned long long)item->wall_ns);
    } else if (item->what == TEL_ITEM_LINK) {
        length =
            snprintf(out, size, ">%02x%02x/%d ", item->trace_id[0], item->span_id[0], item->flags);
    } else if (attribute->type == TEL_VALUE_STRING) {
        length = snprintf(out, size, "%s%s=%.*s ", dot, attribute->key,
                          (int)attribute->value.string.length, attribute->value.string.data);
    } else if (attribute->type == TEL_VALUE_INT) {
        length = snprintf(out, size, "%s%s=%lld ", dot, attribute->key,
                          (long long)attribute->value.integer);
    } else if (attribute->type == TEL_VALUE_BOOL) {
        length = snprintf(out, size, "%s%s=%s ", dot, attribute->key,
                          attribute->value.boolean ? "true" : "false");
    } else {
        length = snprintf(out, size, "%s%s=%g ", dot, attribute->key, attribute->value.real);
    }
    assert_true(length > 0 && (size_t)length < size);
}

/* The record's items as text. */
static inline void describe(const struct tel__span_record *record, char *out, size_t size)
{
    struct tel_item item;
    size_t position = 0;
    out[0] = '\0';
    while (tel__item_next(record, &position, &item)) {
        describe_item(&item, out, size);
    }
}

static inline void assert_items(struct tel_tracer *tracer, const char *expected)
{
    char text[4096];
    const struct tel__span_record *record = peek_span(tracer);
    assert_non_null(record);
    describe(record, text, sizeof(text));
    assert_string_equal(text, expected);
    pop_span(tracer);
}

static inline void begin(struct tel_span *span, struct tel_tracer *tracer)
{
    memset(span, 0xa5, sizeof(*span)); /* begin must not count on a clean struct */
    tel_span_begin(span, tracer, 0,
                   &(struct tel_span_start){.name = "name", .kind = TEL_SPAN_SERVER});
}

#endif
