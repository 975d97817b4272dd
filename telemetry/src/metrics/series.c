/*
 * Series: finding one by its label values, and making it when it is new.
 *
 * Finding takes no lock. Each family has an open-addressing table of series; slots go from NULL to
 * a series once and never change again, and a table is at most half full, so a probe ends. A table
 * that became too small is replaced by one of twice the size; the old one stays for those who may
 * still probe it, and who at worst do not find a new series there and then ask under the lock.
 *
 * A full family is found out about without the lock too, so a client that invents label values
 * cannot make threads wait for each other.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/histogram.h"
#include "metrics/model.h"

#define TABLE_FIRST_SIZE 8 /* slots; a power of two */

/* Room for the labels of one series: 32 names and values, escaped. More is a programming error. */
#define FRAGMENT_MAX ((size_t)64 * 1024)

struct tel__series_table {
    struct tel__series_table *older;
    size_t mask;
    size_t used;
    _Atomic(struct tel_series *) slots[];
};

static bool matches(const struct tel_series *series, const struct tel__labels *labels)
{
    if (series->hash != labels->hash) {
        return false;
    }
    const char *value = series->values;
    for (size_t i = 0; i < labels->count; i++) {
        if (series->value_lengths[i] != labels->lengths[i] ||
            memcmp(value, labels->values[i], labels->lengths[i]) != 0) {
            return false;
        }
        value += labels->lengths[i];
    }
    return true;
}

static struct tel_series *table_find(const struct tel__series_table *table,
                                     const struct tel__labels *labels)
{
    if (table == NULL) {
        return NULL;
    }
    for (size_t at = labels->hash & table->mask;; at = (at + 1) & table->mask) {
        struct tel_series *series = atomic_load_explicit(&table->slots[at], memory_order_acquire);
        if (series == NULL || matches(series, labels)) {
            return series;
        }
    }
}

static void table_insert(struct tel__series_table *table, struct tel_series *series)
{
    size_t at = series->hash & table->mask;
    while (atomic_load_explicit(&table->slots[at], memory_order_relaxed) != NULL) {
        at = (at + 1) & table->mask;
    }
    atomic_store_explicit(&table->slots[at], series, memory_order_release);
    table->used++;
}

/* Under the lock: a table with room for one more, published; NULL without memory. */
static struct tel__series_table *table_with_room(struct tel_family *family)
{
    struct tel__series_table *old = atomic_load_explicit(&family->table, memory_order_relaxed);
    if (old != NULL && (old->used + 1) * 2 <= old->mask + 1) {
        return old;
    }
    size_t size = old != NULL ? (old->mask + 1) * 2 : TABLE_FIRST_SIZE;
    struct tel__series_table *table = calloc(1, sizeof(*table) + size * sizeof(table->slots[0]));
    if (table == NULL) {
        return NULL;
    }
    table->older = old;
    table->mask = size - 1;
    struct tel_series *series = atomic_load_explicit(&family->first, memory_order_relaxed);
    while (series != NULL) {
        table_insert(table, series);
        series = atomic_load_explicit(&series->next, memory_order_relaxed);
    }
    atomic_store_explicit(&family->table, table, memory_order_release);
    return table;
}

static bool take_cells(struct tel_series *series)
{
    struct tel_registry *registry = series->family->registry;
    for (size_t shard = 0; shard < series->shard_count; shard++) {
        series->slots[shard].cell = tel__cell_take(&registry->pages[shard]);
        if (series->slots[shard].cell == NULL) {
            return false;
        }
    }
    return true;
}

/* Where the parts of a series' one block begin, behind the slots. */
struct layout {
    size_t lengths;
    size_t values;
    size_t text;
    size_t protobuf;
    size_t size;
};

static struct layout lay_out(size_t shard_count, const struct tel__labels *labels,
                             size_t text_length, size_t protobuf_length)
{
    struct layout layout;
    layout.lengths = sizeof(struct tel_series) + shard_count * sizeof(union tel__slot);
    layout.values = layout.lengths + labels->count * sizeof(labels->lengths[0]);
    layout.text = layout.values;
    for (size_t i = 0; i < labels->count; i++) {
        layout.text += labels->lengths[i];
    }
    layout.protobuf = layout.text + text_length;
    layout.size = layout.protobuf + protobuf_length;
    return layout;
}

static struct tel_series *assemble(struct tel_family *family, const struct tel__labels *labels,
                                   const struct tel_buffer *text, const struct tel_buffer *protobuf)
{
    size_t shard_count = family->registry->shard_count;
    struct layout layout = lay_out(shard_count, labels, text->length, protobuf->length);
    char *block = calloc(1, layout.size);
    if (block == NULL) {
        return NULL;
    }
    struct tel_series *series = (struct tel_series *)block;
    series->family = family;
    series->hash = labels->hash;
    series->shard_count = shard_count;
    series->value_lengths = (const uint16_t *)(block + layout.lengths);
    series->values = block + layout.values;
    series->text = (struct tel__fragment){block + layout.text, text->length};
    series->protobuf = (struct tel__fragment){block + layout.protobuf, protobuf->length};
    memcpy(block + layout.lengths, labels->lengths, labels->count * sizeof(labels->lengths[0]));
    char *value = block + layout.values;
    for (size_t i = 0; i < labels->count; i++) {
        memcpy(value, labels->values[i], labels->lengths[i]);
        value += labels->lengths[i];
    }
    if (text->length > 0) {
        memcpy(block + layout.text, text->data, text->length);
        memcpy(block + layout.protobuf, protobuf->data, protobuf->length);
    }
    return series;
}

struct tel_series *tel__series_create(struct tel_family *family, const char *const *names,
                                      const struct tel__labels *labels)
{
    struct tel_buffer text;
    struct tel_buffer protobuf;
    tel_buffer_init(&text, FRAGMENT_MAX);
    tel_buffer_init(&protobuf, FRAGMENT_MAX);
    tel__labels_append_text(&text, names, labels);
    tel__labels_append_protobuf(&protobuf, names, labels);
    struct tel_series *series = NULL;
    if (text.error == 0 && protobuf.error == 0) {
        series = assemble(family, labels, &text, &protobuf);
    }
    tel_buffer_fini(&protobuf);
    tel_buffer_fini(&text);
    if (series != NULL && family->options.type != TEL_HISTOGRAM && !take_cells(series)) {
        /* Cells already taken stay in their pages, at 0 and unused. */
        free(series);
        series = NULL;
    }
    return series;
}

void tel__series_destroy(struct tel_series *series)
{
    if (series == NULL) {
        return;
    }
    if (series->family->options.type == TEL_HISTOGRAM) {
        tel__histogram_fini(series);
    }
    free(series);
}

/* Under the lock. */
static void list_append(struct tel_family *family, struct tel_series *series)
{
    if (family->last != NULL) {
        atomic_store_explicit(&family->last->next, series, memory_order_release);
    } else {
        atomic_store_explicit(&family->first, series, memory_order_release);
    }
    family->last = series;
    family->series_count++;
    if (family->series_count >= family->options.series_limit) {
        atomic_store_explicit(&family->full, true, memory_order_release);
    }
}

/* Under the lock. Another thread may have been faster, or have taken the last place. */
static struct tel_series *find_or_add(struct tel_family *family, const struct tel__labels *labels)
{
    struct tel_series *series =
        table_find(atomic_load_explicit(&family->table, memory_order_relaxed), labels);
    if (series != NULL || atomic_load_explicit(&family->full, memory_order_relaxed)) {
        return series;
    }
    struct tel__series_table *table = table_with_room(family);
    if (table == NULL) {
        return NULL;
    }
    series = tel__series_create(family, family->options.label_names, labels);
    if (series != NULL) {
        table_insert(table, series);
        list_append(family, series);
    }
    return series;
}

struct tel_series *tel__family_overflow(struct tel_family *family)
{
    atomic_fetch_add_explicit(&family->registry->overflowed, 1, memory_order_relaxed);
    if (!atomic_load_explicit(&family->spare_used, memory_order_relaxed)) {
        atomic_store_explicit(&family->spare_used, true, memory_order_relaxed);
    }
    return family->spare;
}

struct tel_series *tel_family_series(struct tel_family *family, size_t shard,
                                     const char *const *label_values)
{
    assert(shard < family->registry->shard_count);
    (void)shard; /* the table is shared; a shard's own cells begin where it writes */
    if (family->options.label_count == 0) {
        return family->spare;
    }
    struct tel__labels labels;
    tel__labels_init(&labels, label_values, family->options.label_count);
    /* Read before the table: when it says full, the table that is read next has every series. */
    bool full = atomic_load_explicit(&family->full, memory_order_acquire);
    struct tel_series *series =
        table_find(atomic_load_explicit(&family->table, memory_order_acquire), &labels);
    if (series == NULL && !full) {
        pthread_mutex_lock(&family->registry->lock);
        series = find_or_add(family, &labels);
        pthread_mutex_unlock(&family->registry->lock);
    }
    return series != NULL ? series : tel__family_overflow(family);
}

void tel__family_series_fini(struct tel_family *family)
{
    for (struct tel_series *series = atomic_load(&family->first); series != NULL;) {
        struct tel_series *next = atomic_load(&series->next);
        tel__series_destroy(series);
        series = next;
    }
    tel__series_destroy(family->spare);
    for (struct tel__series_table *table = atomic_load(&family->table); table != NULL;) {
        struct tel__series_table *older = table->older;
        free(table);
        table = older;
    }
}
