/*
 * Making a family: everything that would later break a scrape is refused here.
 *
 * Two families clash when any name one of them puts into an exposition is also one of the other's:
 * OpenMetrics gives `x_total` the family name `x`, and a histogram `x_seconds` owns
 * `x_seconds_count`. So each type has a list of suffixes, a family's names are its base with each
 * of them, and no two families may share one.
 *
 * To add a type: a row in `shapes`, then the switches in the exposition_*.c files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "metrics/histogram.h"
#include "metrics/model.h"
#include "metrics/number.h"

struct shape {
    const char *suffix;  /* the full name must end in it */
    bool strip;          /* the base name is without it */
    const char *owns[6]; /* suffixes of the names it puts into an exposition, after the base */
};

static const struct shape shapes[] = {
    [TEL_COUNTER] = {"_total", true, {"", "_total", "_created"}},
    [TEL_GAUGE] = {"", false, {""}},
    [TEL_HISTOGRAM] = {"_seconds", false, {"", "_bucket", "_count", "_sum", "_created"}},
    [TEL_INFO] = {"_info", true, {"", "_info"}},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* What a name may not end in unless its type brings it along. But things may be counted as they are
 * created (otel.sdk.log.created): `x_created_total` is no sample of `x`, and that `x` exposes
 * `x_created` itself is found out when names meet. */
static const char *const reserved_suffixes[] = {"_total", "_created", "_bucket",
                                                "_count", "_sum",     "_info"};
#define RESERVED (sizeof(reserved_suffixes) / sizeof(reserved_suffixes[0]))

/* [a-zA-Z_][a-zA-Z0-9_]*, for metrics also colons. */
static bool is_name(const char *name, bool colons)
{
    if (name == NULL || name[0] == '\0' || (name[0] >= '0' && name[0] <= '9')) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        bool digit = *at >= '0' && *at <= '9';
        if (!letter && !digit && *at != '_' && !(colons && *at == ':')) {
            return false;
        }
    }
    return true;
}

static bool ends_in(const char *name, size_t length, const char *suffix)
{
    size_t suffix_length = strlen(suffix);
    return length > suffix_length &&
           memcmp(name + length - suffix_length, suffix, suffix_length) == 0;
}

static size_t base_length_of(const struct tel_family_options *options)
{
    const struct shape *shape = &shapes[options->type];
    return strlen(options->name) - (shape->strip ? strlen(shape->suffix) : 0);
}

static bool has_good_name(const struct tel_family_options *options)
{
    if ((unsigned)options->type >= SHAPES || !is_name(options->name, true)) {
        return false;
    }
    const char *suffix = shapes[options->type].suffix;
    size_t length = strlen(options->name);
    if (suffix[0] != '\0' && !ends_in(options->name, length, suffix)) {
        return false;
    }
    size_t base = base_length_of(options);
    for (size_t i = 0; i < RESERVED; i++) {
        if (ends_in(options->name, base, reserved_suffixes[i]) &&
            !(options->type == TEL_COUNTER && strcmp(reserved_suffixes[i], "_created") == 0)) {
            return false;
        }
    }
    return true;
}

/* OpenMetrics: the unit is the last part of the family name; an info has none. */
static bool has_good_unit(const struct tel_family_options *options)
{
    const char *unit = options->unit;
    if (unit == NULL) {
        return true;
    }
    size_t base = base_length_of(options);
    size_t length = strlen(unit);
    return options->type != TEL_INFO && is_name(unit, false) &&
           ends_in(options->name, base, unit) && options->name[base - length - 1] == '_';
}

/* `le` is the bucket's; `__` is Prometheus' own; the overflow label is ours. */
static bool is_label(const char *name, enum tel_metric_type type)
{
    return is_name(name, false) && strncmp(name, "__", 2) != 0 &&
           !(type == TEL_HISTOGRAM && strcmp(name, "le") == 0) &&
           strcmp(name, TEL__OVERFLOW_LABEL) != 0;
}

static bool has_good_labels(const struct tel_family_options *options)
{
    if (options->label_count > TEL_LABELS_MAX ||
        (options->label_count > 0 && options->label_names == NULL)) {
        return false;
    }
    for (size_t i = 0; i < options->label_count; i++) {
        if (!is_label(options->label_names[i], options->type)) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(options->label_names[i], options->label_names[j]) == 0) {
                return false;
            }
        }
    }
    return true;
}

static bool has_good_help(const struct tel_family_options *options)
{
    return options->help == NULL || tel__utf8_is_valid(options->help, strlen(options->help));
}

/* A name in two parts, as a family's names are: its base, and a suffix. */
struct joined {
    const char *base;
    size_t base_length;
    const char *suffix;
};

static char joined_at(const struct joined *name, size_t index)
{
    return index < name->base_length ? name->base[index] : name->suffix[index - name->base_length];
}

static bool joined_equal(const struct joined *a, const struct joined *b)
{
    size_t length = a->base_length + strlen(a->suffix);
    if (length != b->base_length + strlen(b->suffix)) {
        return false;
    }
    size_t at = 0;
    while (at < length && joined_at(a, at) == joined_at(b, at)) {
        at++;
    }
    return at == length;
}

static bool clashes(const struct tel_family *old, const struct tel_family_options *options)
{
    struct joined theirs = {old->options.name, old->base_length, NULL};
    struct joined ours = {options->name, base_length_of(options), NULL};
    for (size_t i = 0; shapes[old->options.type].owns[i] != NULL; i++) {
        theirs.suffix = shapes[old->options.type].owns[i];
        for (size_t j = 0; shapes[options->type].owns[j] != NULL; j++) {
            ours.suffix = shapes[options->type].owns[j];
            if (joined_equal(&theirs, &ours)) {
                return true;
            }
        }
    }
    return false;
}

static int check(const struct tel_registry *registry, const struct tel_family_options *options)
{
    if (!has_good_name(options) || !has_good_unit(options) || !has_good_labels(options) ||
        !has_good_help(options) || (options->type == TEL_HISTOGRAM && options->collect != NULL)) {
        return EINVAL;
    }
    for (const struct tel_family *old = registry->first; old != NULL; old = old->next) {
        if (clashes(old, options)) {
            return EEXIST;
        }
    }
    return 0;
}

/* The series that is always there: the only one of a family without labels, exposed from 0; the
 * overflow series of any other, exposed once something was added to it. */
static struct tel_series *create_spare(struct tel_family *family)
{
    static const char *const names[] = {TEL__OVERFLOW_LABEL};
    static const char *const values[] = {"true"};
    struct tel__labels labels;
    tel__labels_init(&labels, values, family->options.label_count > 0 ? 1 : 0);
    struct tel_series *series;
    pthread_mutex_lock(&family->registry->lock);
    series = tel__series_create(family, names, &labels);
    pthread_mutex_unlock(&family->registry->lock);
    if (series != NULL && family->options.type == TEL_HISTOGRAM &&
        tel__histogram_init(series) != 0) {
        tel__series_destroy(series);
        return NULL;
    }
    return series;
}

static int fill(struct tel_family *family, const struct tel_family_options *options)
{
    family->options = *options;
    family->options.label_names = NULL;
    family->options.divisor = options->divisor != 0 ? options->divisor : 1;
    family->options.series_limit =
        options->series_limit != 0 ? options->series_limit : TEL_SERIES_LIMIT;
    family->name_length = strlen(options->name);
    family->base_length = base_length_of(options);
    family->decimals = tel__decimals_of(family->options.divisor);
    if (options->label_count > 0) {
        const char **names = malloc(options->label_count * sizeof(*names));
        if (names == NULL) {
            return ENOMEM;
        }
        memcpy(names, options->label_names, options->label_count * sizeof(*names));
        family->options.label_names = names;
    }
    if (options->type == TEL_HISTOGRAM) {
        family->options.unit = "seconds";
        family->buckets = tel__buckets_create(options->bounds_ns, options->bound_count);
        if (family->buckets == NULL) {
            return errno;
        }
    }
    family->spare = create_spare(family);
    atomic_init(&family->spare_used, options->label_count == 0);
    return family->spare != NULL ? 0 : ENOMEM;
}

struct tel_family *tel_family_create(struct tel_registry *registry,
                                     const struct tel_family_options *options)
{
    int error = check(registry, options);
    if (error != 0) {
        errno = error;
        return NULL;
    }
    struct tel_family *family = calloc(1, sizeof(*family));
    if (family == NULL) {
        return NULL;
    }
    family->registry = registry;
    error = fill(family, options);
    if (error != 0) {
        tel__family_destroy(family);
        errno = error;
        return NULL;
    }
    if (registry->last != NULL) {
        registry->last->next = family;
    } else {
        registry->first = family;
    }
    registry->last = family;
    return family;
}

void tel__family_destroy(struct tel_family *family)
{
    tel__family_series_fini(family);
    free(family->buckets);
    free((void *)family->options.label_names);
    free(family);
}
