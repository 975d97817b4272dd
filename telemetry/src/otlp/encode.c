/*
 * What requests of all signals have alike: attributes, and the head of resource and scope. The
 * records have files of their own, encode_span.c and encode_log.c.
 *
 * The encoder runs once a record at tens of thousands a second, beside the threads that make them,
 * so it is written for few branches and one check for room an item: each item's bound is added up
 * first, then it is put with plain stores. Fields may come in any order in protobuf; they come here
 * in the order in which the record holds them.
 *
 * Attribute keys and event names are static strings of which only the address is known. What they
 * are encoded as is remembered by address in a small direct-mapped table: a program has a few dozen.
 */
#include "otlp/encode.h"

#include <errno.h>

#include "base/text.h"
#include "base/wire.h"

enum { RESOURCE_SPANS = 1 };                                     /* the request */
enum { RESOURCE = 1, SCOPE_SPANS = 2, RESOURCE_SCHEMA_URL = 3 }; /* ResourceSpans */
enum { SCOPE = 1, SCOPE_SCHEMA_URL = 3 };                        /* ScopeSpans */
enum { RESOURCE_ATTRIBUTES = 1 };                                /* Resource */
enum { SCOPE_NAME = 1, SCOPE_VERSION = 2 };                      /* Scope */
enum { KEY = 1, VALUE = 2 };                                     /* KeyValue */
enum { STRING = 1, BOOL = 2, INT = 3, DOUBLE = 4, BYTES = 7 };   /* AnyValue */

/* Bytes of an attribute's tags, lengths and a number at most. */
#define ATTRIBUTE_FIXED_MAX 48

/* ---- keys ---------------------------------------------------------------------------------- */

void tel__encode_fill_key(struct tel__encode_key *key, const char *text)
{
    *key = (struct tel__encode_key){.text = text, .length = strlen(text)};
    if (key->length <= TEL__ENCODE_KEY_MAX) {
        uint8_t *head = (uint8_t *)key->head;
        uint8_t *at = tel__wire_put_bytes(head, KEY, text, key->length);
        at = tel__wire_put_tag(at, VALUE, TEL__WIRE_BYTES);
        key->head_length = (uint8_t)(at - head);
    }
}
_Static_assert(TEL__ENCODE_KEY_MAX < 128, "a length of one byte");

/* ---- attributes ---------------------------------------------------------------------------- */

static size_t value_size(const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        return tel__wire_bytes_size(attribute->value.string.length);
    case TEL_VALUE_BOOL:
        return 2;
    case TEL_VALUE_INT:
        return tel__wire_uint_size((uint64_t)attribute->value.integer);
    case TEL_VALUE_DOUBLE:
        return TEL__WIRE_DOUBLE_SIZE;
    }
    return 0;
}

size_t tel__encode_string_size(size_t length)
{
    return tel__wire_bytes_size(length);
}

uint8_t *tel__encode_put_string(uint8_t *at, const char *data, size_t length)
{
    return tel__wire_put_bytes(at, tel__utf8_is_valid(data, length) ? STRING : BYTES, data, length);
}

int tel__encode_settle(struct tel_buffer *out, size_t before)
{
    int error = out->error;
    if (error != 0) {
        out->length = before;
        out->error = 0;
    }
    return error;
}

/* The fields of an AnyValue. */
static inline uint8_t *put_value(uint8_t *at, const struct tel_attribute *attribute)
{
    switch (attribute->type) {
    case TEL_VALUE_STRING:
        return tel__encode_put_string(at, attribute->value.string.data,
                                      attribute->value.string.length);
    case TEL_VALUE_BOOL:
        return tel__wire_put_uint(at, BOOL, attribute->value.boolean);
    case TEL_VALUE_INT:
        return tel__wire_put_uint(at, INT, (uint64_t)attribute->value.integer);
    case TEL_VALUE_DOUBLE:
        return tel__wire_put_double(at, DOUBLE, attribute->value.real);
    }
    return at;
}

/* A key that is too long to be remembered, or not static. */
static void append_long(struct tel_buffer *out, unsigned field, size_t key_bytes,
                        const struct tel_attribute *attribute)
{
    size_t value_bytes = value_size(attribute);
    size_t length = tel__wire_bytes_size(key_bytes) + tel__wire_bytes_size(value_bytes);
    uint8_t *at = tel__wire_room(out, length + ATTRIBUTE_FIXED_MAX);
    if (at == NULL) {
        return;
    }
    at = tel__wire_put_length(at, field, length);
    at = tel__wire_put_bytes(at, KEY, attribute->key, key_bytes);
    at = tel__wire_put_length(at, VALUE, value_bytes);
    tel__wire_end(out, put_value(at, attribute));
}

/* Where all lengths take a byte each, as nearly always: no size need be known before its place.
 *
 *     [field][length][key: as remembered][value's length][value]
 *                   └──────────────── length ────────────────┘
 */
#define SHORT_VALUE_MAX (127 - TEL__ENCODE_KEY_MAX - 3 - 1)

static void append_short(struct tel_buffer *out, uint8_t *at, unsigned field,
                         const struct tel__encode_key *key, const struct tel_attribute *attribute)
{
    uint8_t *content = at + 2;
    uint8_t *value = content + key->head_length + 1;
    memcpy(content, key->head, sizeof(key->head)); /* whole: sooner done than its length is */
    uint8_t *end = put_value(value, attribute);
    at[0] = (uint8_t)(field << 3 | TEL__WIRE_BYTES);
    at[1] = (uint8_t)(end - content);
    value[-1] = (uint8_t)(end - value);
    tel__wire_end(out, end);
}

void tel__encode_attribute(struct tel__encoder *encoder, struct tel_buffer *out, unsigned field,
                           const struct tel_attribute *attribute)
{
    const struct tel__encode_key *key = tel__encode_key(encoder, attribute->key);
    bool is_short = attribute->type != TEL_VALUE_STRING ||
                    attribute->value.string.length <= SHORT_VALUE_MAX - 2;
    if (__builtin_expect(key->head_length == 0 || !is_short, 0)) {
        append_long(out, field, key->length, attribute);
        return;
    }
    uint8_t *at = tel__wire_room(out, 2 + sizeof(key->head) + 1 + SHORT_VALUE_MAX);
    if (at != NULL) {
        append_short(out, at, field, key, attribute);
    }
}

/* ---- what is alike ------------------------------------------------------------------------- */

/* Resource values are text; the one that the conventions make a number goes out as one. */
static bool parse_number(const struct tel_resource_attribute *attribute, int64_t *number)
{
    if (strcmp(attribute->key, "process.pid") != 0) {
        return false;
    }
    size_t length = strspn(attribute->value, "0123456789");
    if (length == 0 || length > 18 || attribute->value[length] != '\0') {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        *number = *number * 10 + (attribute->value[i] - '0');
    }
    return true;
}

static void append_resource(struct tel_buffer *out, const struct tel_resource *resource)
{
    size_t start = tel__wire_open(out, RESOURCE);
    for (size_t i = 0; i < tel_resource_count(resource); i++) {
        const struct tel_resource_attribute given = tel_resource_at(resource, i);
        if (!tel__utf8_is_valid(given.key, strlen(given.key))) {
            continue; /* a key has no other form than text */
        }
        struct tel_attribute attribute = {.key = given.key, .type = TEL_VALUE_STRING};
        if (parse_number(&given, &attribute.value.integer)) {
            attribute.type = TEL_VALUE_INT;
        } else {
            attribute.value.string.data = given.value;
            attribute.value.string.length = strlen(given.value);
        }
        append_long(out, RESOURCE_ATTRIBUTES, strlen(given.key), &attribute);
    }
    tel__wire_close(out, start);
    tel__wire_append_text(out, RESOURCE_SCHEMA_URL, TEL__SCHEMA_URL, strlen(TEL__SCHEMA_URL));
}

static void append_scope(struct tel_buffer *out, const char *name, const char *version)
{
    size_t start = tel__wire_open(out, SCOPE);
    if (name != NULL) {
        tel__wire_append_text(out, SCOPE_NAME, name, strlen(name));
    }
    if (version != NULL) {
        tel__wire_append_text(out, SCOPE_VERSION, version, strlen(version));
    }
    tel__wire_close(out, start);
    tel__wire_append_text(out, SCOPE_SCHEMA_URL, TEL__SCHEMA_URL, strlen(TEL__SCHEMA_URL));
}

int tel__encoder_init(struct tel__encoder *encoder, const struct tel_resource *resource,
                      const char *scope_name, const char *scope_version)
{
    *encoder = (struct tel__encoder){0};
    tel_buffer_init(&encoder->resource, TEL__ENCODE_HEAD_MAX);
    tel_buffer_init(&encoder->scope, TEL__ENCODE_HEAD_MAX);
    append_resource(&encoder->resource, resource);
    append_scope(&encoder->scope, scope_name, scope_version);
    int error = encoder->resource.error != 0 ? encoder->resource.error : encoder->scope.error;
    if (error != 0) {
        tel__encoder_fini(encoder);
    }
    return error;
}

void tel__encoder_fini(struct tel__encoder *encoder)
{
    tel_buffer_fini(&encoder->resource);
    tel_buffer_fini(&encoder->scope);
}

int tel__encode_head(const struct tel__encoder *encoder, size_t records_length,
                     struct tel_buffer *head)
{
    size_t scope_spans = encoder->scope.length + records_length;
    size_t resource_spans = encoder->resource.length + tel__wire_bytes_size(scope_spans);
    tel_buffer_clear(head);
    uint8_t *at = tel__wire_room(head, resource_spans - records_length + 2 * TEL__WIRE_VARINT_MAX);
    if (at == NULL) {
        return head->error;
    }
    at = tel__wire_put_length(at, RESOURCE_SPANS, resource_spans);
    at = tel__wire_put_raw(at, encoder->resource.data, encoder->resource.length);
    at = tel__wire_put_length(at, SCOPE_SPANS, scope_spans);
    at = tel__wire_put_raw(at, encoder->scope.data, encoder->scope.length);
    tel__wire_end(head, at);
    return 0;
}
