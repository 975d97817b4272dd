/*
 * Samplers: names to structs, and trace ids to decisions. A new sampler is a row of `names` and,
 * if its root is new, a case of tel__sampler_decide().
 */
#include "trace/sampler.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RANDOM_BITS 56

static const struct {
    const char *name;
    struct tel_sampler sampler;
} names[] = {
    {"always_on", {TEL_SAMPLER_ALWAYS_ON, 1, false}},
    {"always_off", {TEL_SAMPLER_ALWAYS_OFF, 1, false}},
    {"traceidratio", {TEL_SAMPLER_RATIO, 1, false}},
    {"parentbased_always_on", {TEL_SAMPLER_ALWAYS_ON, 1, true}},
    {"parentbased_always_off", {TEL_SAMPLER_ALWAYS_OFF, 1, true}},
    {"parentbased_traceidratio", {TEL_SAMPLER_RATIO, 1, true}},
};

/* A plain decimal in 0..1, read as in C whatever the program's locale. */
static bool parse_ratio(const char *text, double *ratio)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0') {
        return false; /* no blanks, no hex, no inf or nan */
    }
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        return false;
    }
    char *end;
    *ratio = strtod_l(text, &end, c_locale);
    freelocale(c_locale);
    return *end == '\0' && *ratio >= 0 && *ratio <= 1;
}

int tel_sampler_parse(const char *name, const char *argument, struct tel_sampler *sampler)
{
    *sampler =
        (struct tel_sampler){.root = TEL_SAMPLER_ALWAYS_ON, .ratio = 1, .parent_based = true};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(name, names[i].name) != 0) {
            continue;
        }
        struct tel_sampler found = names[i].sampler;
        if (found.root == TEL_SAMPLER_RATIO && argument != NULL &&
            !parse_ratio(argument, &found.ratio)) {
            return -EINVAL;
        }
        *sampler = found;
        return 0;
    }
    return -EINVAL;
}

/* The randomness of a trace id lies in its last seven bytes, most significant first. */
static uint64_t randomness(const uint8_t trace_id[16])
{
    uint64_t value = 0;
    for (int i = 16 - RANDOM_BITS / 8; i < 16; i++) {
        value = value << 8 | trace_id[i];
    }
    return value;
}

bool tel__sampler_decide(const struct tel_sampler *sampler, const uint8_t trace_id[16],
                         bool has_parent, bool parent_sampled)
{
    static const double range = (double)(1ull << RANDOM_BITS);
    if (has_parent && sampler->parent_based) {
        return parent_sampled;
    }
    switch (sampler->root) {
    case TEL_SAMPLER_ALWAYS_ON:
        return true;
    case TEL_SAMPLER_ALWAYS_OFF:
        return false;
    case TEL_SAMPLER_RATIO:
        /* Compared as integers: a double would round the largest ids up to the threshold of 0. */
        return randomness(trace_id) >= (uint64_t)((1 - sampler->ratio) * range);
    }
    return false;
}
