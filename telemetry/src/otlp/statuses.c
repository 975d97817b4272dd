/*
 * A row is published by its code, which is stored last and never changes: a reader that sees a code
 * sees its spans.
 */
#include "otlp/statuses.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static unsigned code_at(const struct tel__statuses *statuses, size_t index)
{
    return index < TEL__STATUSES_MAX
               ? atomic_load_explicit(&statuses->rows[index].code, memory_order_acquire)
               : 0;
}

/* The row of the code, or the first one that has none: TEL__STATUSES_MAX when all are taken. */
static size_t find_row(const struct tel__statuses *statuses, unsigned code)
{
    size_t index = 0;
    while (index < TEL__STATUSES_MAX && code_at(statuses, index) != code &&
           code_at(statuses, index) != 0) {
        index++;
    }
    return index;
}

static void add(_Atomic uint64_t *count, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, value + amount, memory_order_relaxed);
}

void tel__statuses_add(struct tel__statuses *statuses, unsigned code, uint64_t spans)
{
    size_t index = find_row(statuses, code);
    if (code == 0 || index == TEL__STATUSES_MAX) {
        add(&statuses->other, spans);
        return;
    }
    add(&statuses->rows[index].spans, spans);
    atomic_store_explicit(&statuses->rows[index].code, code, memory_order_release);
}

int tel__statuses_read(const struct tel__statuses *statuses, size_t index,
                       char text[TEL__STATUS_TEXT], uint64_t *spans)
{
    unsigned code = code_at(statuses, index);
    if (code != 0) {
        snprintf(text, TEL__STATUS_TEXT, "%u", code);
        *spans = atomic_load_explicit(&statuses->rows[index].spans, memory_order_relaxed);
        return 0;
    }
    if (index > 0 && code_at(statuses, index - 1) == 0) {
        return -ENOENT;
    }
    memcpy(text, TEL__STATUSES_OTHER_TEXT, sizeof(TEL__STATUSES_OTHER_TEXT));
    *spans = atomic_load_explicit(&statuses->other, memory_order_relaxed);
    return 0;
}

void tel__statuses_name(const struct tel__statuses *statuses, unsigned code,
                        char text[TEL__STATUS_TEXT])
{
    if (code != 0 && code_at(statuses, find_row(statuses, code)) == code) {
        snprintf(text, TEL__STATUS_TEXT, "%u", code);
    } else {
        memcpy(text, TEL__STATUSES_OTHER_TEXT, sizeof(TEL__STATUSES_OTHER_TEXT));
    }
}
