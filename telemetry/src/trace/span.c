/*
 * Spans: from begin to the queue.
 *
 * A span's attributes, events and links lie packed one after the other in `items`, whose first
 * `used` bytes mean something; begin does not touch the others. An event or link goes in with all its
 * attributes or not at all, so what was dropped is a whole number of things and can be counted.
 *
 * An attribute whose key is there already replaces the old one. Looking for it means walking the
 * items, so `keys_seen` holds a bit for each key's address (a Bloom filter of one hash): only a bit
 * that is set already makes set_attribute() look. A span of a dozen keys seldom has two on one bit.
 */
#include <assert.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "telemetry/clock.h"
#include "telemetry/trace.h"
#include "trace/item.h"
#include "trace/sampler.h"
#include "trace/tracer.h"

#define NAME_MAX_BYTES 1024

_Static_assert(sizeof(struct tel__span_record) + NAME_MAX_BYTES + TEL_TRACESTATE_MAX +
                       TEL_SPAN_BYTES <=
                   TEL__QUEUE_RECORD_MAX,
               "the queue takes the largest record");

static void count_dropped(uint16_t *counter)
{
    *counter = *counter < UINT16_MAX ? (uint16_t)(*counter + 1) : *counter;
}

/* Takes trace and parent from whichever parent there is; returns its flags, or -1 without one. */
static int adopt_parent(struct tel_span *span, const struct tel_span_start *start)
{
    const struct tel_span *parent_span = start->parent_span;
    const struct tel_context *parent = start->parent;
    if (parent_span != NULL) {
        memcpy(span->trace_id, parent_span->trace_id, sizeof(span->trace_id));
        memcpy(span->parent_span_id, parent_span->span_id, sizeof(span->parent_span_id));
        span->context = parent_span->context;
        return parent_span->flags;
    }
    span->context = parent; /* its baggage goes on even when its traceparent was bad */
    if (parent == NULL || !parent->valid) {
        return -1;
    }
    memcpy(span->trace_id, parent->trace_id, sizeof(span->trace_id));
    memcpy(span->parent_span_id, parent->span_id, sizeof(span->parent_span_id));
    span->parent_remote = parent->remote;
    return parent->flags;
}

/* What no parent and no sampler decides. */
static void clear(struct tel_span *span)
{
    span->end_wall_ns = 0;
    memset(span->parent_span_id, 0, sizeof(span->parent_span_id));
    span->status = TEL_STATUS_UNSET;
    span->parent_remote = false;
    span->recording = false;
    span->dropped_attributes = 0;
    span->dropped_events = 0;
    span->dropped_links = 0;
    span->used = 0;
    memset(span->keys_seen, 0, sizeof(span->keys_seen));
}

static enum tel_parent_origin parent_origin(const struct tel_span *span,
                                            const struct tel_span_start *start)
{
    if (!span->has_parent) {
        return TEL_PARENT_NONE;
    }
    return start->parent_span != NULL || !span->parent_remote ? TEL_PARENT_LOCAL
                                                              : TEL_PARENT_REMOTE;
}

void tel_span_begin(struct tel_span *span, struct tel_tracer *tracer, size_t shard,
                    const struct tel_span_start *start)
{
    assert(shard < tracer->options.shard_count);
    clear(span);
    span->tracer = tracer;
    span->name = start->name;
    span->kind = (uint8_t)start->kind;
    span->shard = (uint32_t)shard;
    span->start_wall_ns = start->start_wall_ns != 0 ? start->start_wall_ns : tel_clock_wall_ns();

    int parent_flags = adopt_parent(span, start);
    span->has_parent = parent_flags >= 0;
    if (span->has_parent) {
        span->flags = (uint8_t)(parent_flags & TEL_FLAG_RANDOM);
    } else {
        tel__random_trace_id(span->trace_id);
        span->flags = TEL_FLAG_RANDOM;
    }
    tel__random_span_id(span->span_id);
    if (tel__sampler_decide(&tracer->options.sampler, span->trace_id, span->has_parent,
                            span->has_parent && (parent_flags & TEL_FLAG_SAMPLED) != 0)) {
        span->flags |= TEL_FLAG_SAMPLED;
        /* Without a queue the decision still goes to those we call, but nothing is kept here. */
        span->recording = tracer->options.queue_size > 0;
    }
    tel__count(
        &tracer->shards[shard].started[parent_origin(span, start)][tel_span_is_sampled(span)]);
}

void tel_span_set_name(struct tel_span *span, const char *name)
{
    span->name = name;
}

void tel_span_set_status(struct tel_span *span, enum tel_span_status status)
{
    span->status = (uint8_t)status;
}

/* ---- attributes ---------------------------------------------------------------------------- */

#define KEY_WORDS (sizeof(((struct tel_span *)NULL)->keys_seen) / sizeof(uint64_t))

/* Where a key's bit is: the product's top bits, mixed best, choose the word and the next the bit. */
struct key_place {
    size_t word;
    uint64_t bit;
};

static inline struct key_place place_of(const char *key)
{
    uint64_t mixed = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15u;
    return (struct key_place){(mixed >> 62) % KEY_WORDS, 1ull << (mixed >> 56 & 63)};
}

/* Where the span's own attribute with this key begins; NULL when there is none. */
static char *find_attribute(struct tel_span *span, const char *key)
{
    const char *end = span->items + span->used;
    struct tel__item_head head;
    for (char *at = span->items; at < end; at += sizeof(head) + head.length) {
        memcpy(&head, at, sizeof(head));
        if (head.key == key && head.what == TEL_ITEM_ATTRIBUTE) {
            return at;
        }
    }
    return NULL;
}

/* Takes an attribute with this key out, provided that `size` bytes fit afterwards. */
static void make_way(struct tel_span *span, const char *key, size_t size)
{
    char *old = find_attribute(span, key);
    if (old == NULL) {
        return; /* another key has the same bit */
    }
    struct tel__item_head head;
    memcpy(&head, old, sizeof(head));
    size_t old_size = sizeof(head) + head.length;
    if (span->used - old_size + size <= sizeof(span->items)) {
        const char *next = old + old_size;
        memmove(old, next, (size_t)(span->items + span->used - next));
        span->used = (uint16_t)(span->used - old_size);
    }
}

/* Folded into each setter, where the type is a constant. The copy comes last: a tail call. */
TEL__FOLDED void add_attribute(struct tel_span *span, const char *key, enum tel_value_type type,
                               union tel_value value)
{
    const struct tel_item item = {.what = TEL_ITEM_ATTRIBUTE,
                                  .attribute = {.key = key, .type = type, .value = value}};
    size_t size = tel__item_size(&item);
    if (span->used + size > sizeof(span->items)) {
        count_dropped(&span->dropped_attributes);
        return;
    }
    struct key_place place = place_of(key);
    char *at = span->items + span->used;
    span->used = (uint16_t)(span->used + size);
    span->keys_seen[place.word] |= place.bit;
    tel__item_pack(at, &item);
}

/* What set_attribute() leaves to this is rare, and out of its way it costs the usual nothing. */
__attribute__((noinline)) static void set_again(struct tel_span *span, const char *key,
                                                enum tel_value_type type, union tel_value value)
{
    const struct tel_item item = {.what = TEL_ITEM_ATTRIBUTE,
                                  .attribute = {.key = key, .type = type, .value = value}};
    make_way(span, key, tel__item_size(&item));
    add_attribute(span, key, type, value);
}

TEL__FOLDED void set_attribute(struct tel_span *span, const char *key, enum tel_value_type type,
                               union tel_value value)
{
    if (!span->recording) {
        return;
    }
    struct key_place place = place_of(key);
    if ((span->keys_seen[place.word] & place.bit) != 0) {
        set_again(span, key, type, value);
    } else {
        add_attribute(span, key, type, value);
    }
}

void tel_span_set_string(struct tel_span *span, const char *key, const char *value, size_t length)
{
    set_attribute(span, key, TEL_VALUE_STRING, (union tel_value){.string = {value, length}});
}

void tel_span_set_int(struct tel_span *span, const char *key, int64_t value)
{
    set_attribute(span, key, TEL_VALUE_INT, (union tel_value){.integer = value});
}

void tel_span_set_bool(struct tel_span *span, const char *key, bool value)
{
    set_attribute(span, key, TEL_VALUE_BOOL, (union tel_value){.boolean = value});
}

void tel_span_set_double(struct tel_span *span, const char *key, double value)
{
    set_attribute(span, key, TEL_VALUE_DOUBLE, (union tel_value){.real = value});
}

/* ---- events and links ---------------------------------------------------------------------- */

/* Appends an item with its nested attributes, all or nothing. */
TEL__FOLDED bool append_group(struct tel_span *span, const struct tel_item *head,
                              const struct tel_attribute *attributes, size_t count)
{
    size_t room = sizeof(span->items) - span->used;
    size_t size = tel__item_size(head);
    for (size_t i = 0; i < count && size <= room; i++) {
        const struct tel_item nested = {.what = TEL_ITEM_NESTED, .attribute = attributes[i]};
        size += tel__item_size(&nested);
    }
    if (size > room) {
        return false;
    }
    char *at = tel__item_pack(span->items + span->used, head);
    for (size_t i = 0; i < count; i++) {
        const struct tel_item nested = {.what = TEL_ITEM_NESTED, .attribute = attributes[i]};
        at = tel__item_pack(at, &nested);
    }
    span->used = (uint16_t)(at - span->items);
    return true;
}

void tel_span_add_event(struct tel_span *span, const char *name, uint64_t wall_ns,
                        const struct tel_attribute *attributes, size_t count)
{
    if (!span->recording) {
        return;
    }
    struct tel_item event = {.what = TEL_ITEM_EVENT,
                             .attribute = {.key = name},
                             .wall_ns = wall_ns != 0 ? wall_ns : tel_clock_wall_ns()};
    if (!append_group(span, &event, attributes, count)) {
        count_dropped(&span->dropped_events);
    }
}

void tel_span_add_link(struct tel_span *span, const uint8_t trace_id[16], const uint8_t span_id[8],
                       uint8_t flags, const struct tel_attribute *attributes, size_t count)
{
    if (!span->recording) {
        return;
    }
    struct tel_item link = {.what = TEL_ITEM_LINK, .flags = flags};
    memcpy(link.trace_id, trace_id, sizeof(link.trace_id));
    memcpy(link.span_id, span_id, sizeof(link.span_id));
    if (!append_group(span, &link, attributes, count)) {
        count_dropped(&span->dropped_links);
    }
}

/* ---- end ----------------------------------------------------------------------------------- */

/* Everything of the span but its text, which follows at `bytes`. */
static void fill_record(struct tel__span_record *record, const struct tel_span *span)
{
    record->start_wall_ns = span->start_wall_ns;
    record->end_wall_ns = span->end_wall_ns;
    memcpy(record->trace_id, span->trace_id, sizeof(record->trace_id));
    memcpy(record->span_id, span->span_id, sizeof(record->span_id));
    memcpy(record->parent_span_id, span->parent_span_id, sizeof(record->parent_span_id));
    record->flags = span->flags;
    record->kind = span->kind;
    record->status = span->status;
    record->has_parent = span->has_parent;
    record->parent_remote = span->parent_remote;
    record->dropped_attributes = span->dropped_attributes;
    record->dropped_events = span->dropped_events;
    record->dropped_links = span->dropped_links;
}

/* What the queue has no room for is counted there. */
static void queue_span(const struct tel_span *span, struct tel__queue *queue)
{
    const char *name = span->name != NULL ? span->name : "";
    const struct tel_context *context = span->context;
    size_t name_length = strnlen(name, NAME_MAX_BYTES + 1);
    name_length = tel__utf8_cut(name, name_length, NAME_MAX_BYTES);
    size_t state_length = context != NULL && context->valid ? context->tracestate_length : 0;
    size_t length =
        offsetof(struct tel__span_record, bytes) + name_length + state_length + span->used;
    struct tel__span_record *record = tel__queue_reserve(queue, span->shard, length);
    if (record == NULL) {
        return;
    }
    fill_record(record, span);
    record->name_length = (uint16_t)name_length;
    record->tracestate_length = (uint16_t)state_length;
    record->items_length = span->used;
    tel__copy(record->bytes, name, name_length);
    if (state_length > 0) {
        memcpy(record->bytes + name_length, context->tracestate, state_length);
    }
    memcpy(record->bytes + name_length + state_length, span->items, span->used);
    tel__queue_commit(queue, span->shard, length);
}

void tel_span_end(struct tel_span *span, uint64_t end_wall_ns)
{
    struct tel_tracer *tracer = span->tracer;
    if (span->end_wall_ns != 0) {
        return; /* ended before: counting it twice would break the equation */
    }
    uint64_t end = end_wall_ns != 0 ? end_wall_ns : tel_clock_wall_ns();
    span->end_wall_ns = end > span->start_wall_ns ? end : span->start_wall_ns;

    struct tel__tracer_shard *shard = &tracer->shards[span->shard];
    tel__count(&shard->ended);
    if (span->kind == TEL_SPAN_SERVER) {
        tel__count(&shard->ended_server);
    }
    if (!span->recording) {
        tel__count(&shard->unsampled);
    } else {
        queue_span(span, &tracer->queue);
    }
    span->recording = false;
}

/* ---- reading ------------------------------------------------------------------------------- */

bool tel_span_next_item(const struct tel_span *span, size_t *position, struct tel_item *item)
{
    return tel__items_step(span->items, span->used, position, item);
}
