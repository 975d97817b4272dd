/*
 * Label values from arbitrary bytes, three of them apart by NULs: what is exposed is well-formed and
 * reads back as the value, mended; a value that was mended is not mended again.
 */
#include "metrics/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT 3

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Reads `name="value"` off the text; returns what follows it. */
static const char *read_pair(const char *at, const char *end, const char *name,
                             struct tel_buffer *value)
{
    const size_t length = strlen(name);
    check((size_t)(end - at) > length + 2 && memcmp(at, name, length) == 0);
    check(memcmp(at + length, "=\"", 2) == 0);
    for (at += length + 2; at < end && *at != '"'; at++) {
        check(*at != '\n');
        if (*at == '\\') {
            at++;
            check(at < end && strchr("\\\"n", *at) != NULL);
            tel_buffer_append_char(value, *at == 'n' ? '\n' : *at);
        } else {
            tel_buffer_append_char(value, *at);
        }
    }
    check(at < end);
    return at + 1;
}

static void check_text(const char *const *names, const struct tel__labels *labels)
{
    struct tel_buffer text;
    tel_buffer_init(&text, 65536);
    tel__labels_append_text(&text, names, labels);
    check(text.error == 0);
    const char *at = text.length > 0 ? text.data : "";
    const char *end = at + text.length;
    for (size_t i = 0; i < labels->count; i++) {
        struct tel_buffer value;
        if (labels->lengths[i] == 0) {
            continue;
        }
        tel_buffer_init(&value, 65536);
        at += at < end && *at == ',' ? 1 : 0;
        at = read_pair(at, end, names[i], &value);
        check(value.length == labels->lengths[i]);
        check(memcmp(value.data, labels->values[i], value.length) == 0);
        tel_buffer_fini(&value);
    }
    check(at == end);
    tel_buffer_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[COUNT] = {"a", "bc", "otel_scope_name"};
    static struct tel__labels labels;
    static struct tel__labels again;
    char *copies[COUNT];
    const char *values[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        const uint8_t *stop = size > 0 ? memchr(data, '\0', size) : NULL;
        const size_t length = stop != NULL ? (size_t)(stop - data) : size;
        copies[i] = strndup((const char *)data, length);
        check(copies[i] != NULL);
        values[i] = copies[i];
        data += length + (stop != NULL);
        size -= length + (stop != NULL);
    }
    tel__labels_init(&labels, values, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        check(labels.lengths[i] <= TEL_LABEL_VALUE_MAX);
        check(tel__utf8_is_valid(labels.values[i], labels.lengths[i]));
        check((labels.lengths[i] == 0) == (values[i][0] == '\0'));
        values[i] = strndup(labels.values[i], labels.lengths[i]);
        check(values[i] != NULL);
    }
    check_text(names, &labels);
    tel__labels_init(&again, values, COUNT);
    check(again.hash == labels.hash);
    for (size_t i = 0; i < COUNT; i++) {
        check(again.values[i] == values[i] && again.lengths[i] == labels.lengths[i]);
        free((char *)values[i]);
        free(copies[i]);
    }
    return 0;
}
