/*
 * Values of options: a parse and a format function a type, found by a table. What a number looks
 * like is quantity.c's business; here it gets its range, and its words when it is wrong.
 */
#include "option_value.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "quantity.h"
#include "telemetry/access_log.h"

/* The first that fits is the one that format writes, so the largest comes first. */
static const struct quantity_unit size_units[] = {
    {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"g", 1u << 30}, {"m", 1u << 20},
    {"k", 1u << 10},   {"b", 1},          {"", 1},           {NULL, 0},
};
static const struct quantity_unit duration_units[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

/* What a type's functions have in common. */
typedef int parse_fn(const struct option_rule *rule, const char *text, void *value,
                     struct tel_buffer *problem);
typedef void format_fn(const struct option_rule *rule, const void *value, struct tel_buffer *out);

static int refuse(struct tel_buffer *problem, const char *text, const char *why)
{
    tel_buffer_append_format(problem, "`%.100s` %s", text, why);
    return -EINVAL;
}

static int in_range(const struct option_rule *rule, const char *text, uint64_t number, void *value,
                    struct tel_buffer *problem)
{
    if (number >= rule->min && number <= rule->max) {
        *(uint64_t *)value = number;
        return 0;
    }
    struct option_rule anything = {.type = rule->type, .min = 0, .max = UINT64_MAX};
    tel_buffer_append_format(problem, "`%.100s` is out of range: ", text);
    option_value_format(&anything, &rule->min, problem);
    tel_buffer_append_string(problem, " to ");
    option_value_format(&anything, &rule->max, problem);
    return -ERANGE;
}

static int parse_count(const struct option_rule *rule, const char *text, void *value,
                       struct tel_buffer *problem)
{
    uint64_t number;
    const char *end = quantity_digits(text, &number);
    if (end == NULL || *end != '\0') {
        return refuse(problem, text, "is not a whole number that can be used here");
    }
    return in_range(rule, text, number, value, problem);
}

static void format_count(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    (void)rule;
    tel_buffer_append_u64(out, *(const uint64_t *)value);
}

static int parse_size(const struct option_rule *rule, const char *text, void *value,
                      struct tel_buffer *problem)
{
    uint64_t bytes;
    if (quantity_parse(size_units, text, &bytes) != 0) {
        return refuse(problem, text, "is not a size, such as 512, 16k or 1MiB");
    }
    return in_range(rule, text, bytes, value, problem);
}

static void format_size(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    (void)rule;
    uint64_t bytes = *(const uint64_t *)value;
    if (bytes % 1024 != 0 || bytes == 0) {
        tel_buffer_append_u64(out, bytes);
    } else {
        quantity_append(size_units, bytes, out);
    }
}

static int parse_duration(const struct option_rule *rule, const char *text, void *value,
                          struct tel_buffer *problem)
{
    uint64_t ms = 0;
    if (strcmp(text, "0") != 0 && quantity_parse(duration_units, text, &ms) != 0) {
        return refuse(problem, text, "is not a duration with a unit, such as 500ms, 2s or 1m");
    }
    return in_range(rule, text, ms, value, problem);
}

static void format_duration(const struct option_rule *rule, const void *value,
                            struct tel_buffer *out)
{
    (void)rule;
    uint64_t ms = *(const uint64_t *)value;
    /* Minutes and hours only where they are as exact as people write them: 60s, but 5m. */
    quantity_append(ms % 60000 == 0 && ms > 60000 ? duration_units : duration_units + 2, ms, out);
}

static int parse_ratio(const struct option_rule *rule, const char *text, void *value,
                       struct tel_buffer *problem)
{
    (void)rule;
    uint64_t whole;
    uint64_t fraction;
    uint64_t scale;
    const char *at = quantity_digits(text, &whole);
    at = at == NULL ? NULL : quantity_fraction(at, &fraction, &scale);
    if (at == NULL || *at != '\0') {
        return refuse(problem, text, "is not a ratio, such as 0.1");
    }
    if (whole > 1 || (whole == 1 && fraction > 0)) {
        tel_buffer_append_format(problem, "`%.100s` is out of range: 0 to 1", text);
        return -ERANGE;
    }
    *(double *)value = (double)whole + (double)fraction / (double)scale;
    return 0;
}

/* With as many digits as parsing takes, zeros at the end apart: never with an exponent. */
static void format_ratio(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    (void)rule;
    uint64_t billionths = (uint64_t)(*(const double *)value * 1e9 + 0.5);
    unsigned digits = 9;
    for (; digits > 0 && billionths % 10 == 0; digits--) {
        billionths /= 10;
    }
    tel_buffer_append_fixed(out, billionths, digits);
}

/* The index of `text` in `a|b|c`, or -1. */
static int choice_index(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (int index = 0;; index++) {
        size_t width = strcspn(choices, "|");
        if (width == length && strncasecmp(choices, text, width) == 0) {
            return index;
        }
        if (choices[width] == '\0') {
            return -1;
        }
        choices += width + 1;
    }
}

static int parse_boolean(const struct option_rule *rule, const char *text, void *value,
                         struct tel_buffer *problem)
{
    (void)rule;
    int index = choice_index("false|true|no|yes|off|on|0|1", text);
    if (index < 0) {
        return refuse(problem, text, "is neither true nor false");
    }
    *(bool *)value = index % 2 == 1;
    return 0;
}

static void format_boolean(const struct option_rule *rule, const void *value,
                           struct tel_buffer *out)
{
    (void)rule;
    tel_buffer_append_string(out, *(const bool *)value ? "true" : "false");
}

static int parse_choice(const struct option_rule *rule, const char *text, void *value,
                        struct tel_buffer *problem)
{
    int index = choice_index(rule->choices, text);
    if (index < 0) {
        tel_buffer_append_format(problem, "`%.100s` is none of %s", text, rule->choices);
        return -EINVAL;
    }
    *(unsigned *)value = (unsigned)index;
    return 0;
}

static void format_choice(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    const char *choice = rule->choices;
    for (unsigned i = *(const unsigned *)value; i > 0; i--) {
        choice += strcspn(choice, "|") + 1;
    }
    tel_buffer_append(out, choice, strcspn(choice, "|"));
}

static int parse_string(const struct option_rule *rule, const char *text, void *value,
                        struct tel_buffer *problem)
{
    size_t length = strlen(text);
    if (length < rule->min || length > rule->max) {
        tel_buffer_append_format(problem, "has %zu bytes: %llu to %llu are allowed", length,
                                 (unsigned long long)rule->min, (unsigned long long)rule->max);
        return -ERANGE;
    }
    *(const char **)value = text;
    return 0;
}

static void format_string(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    (void)rule;
    tel_buffer_append_string(out, *(const char *const *)value);
}

static int parse_fields(const struct option_rule *rule, const char *text, void *value,
                        struct tel_buffer *problem)
{
    char message[512];
    if (text[0] != '\0' && tel_access_fields_check(text, message, sizeof(message)) != 0) {
        tel_buffer_append_string(problem, message);
        return -EINVAL;
    }
    return parse_string(rule, text, value, problem);
}

static void format_fields(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    format_string(rule, value, out);
}

static const char address_form[] = "is not ADDR:PORT, such as 127.0.0.1:8080, [::1]:8080 or :8080";

static int parse_address(const struct option_rule *rule, const char *text, void *value,
                         struct tel_buffer *problem)
{
    (void)rule;
    struct address *address = value;
    if (*text == '\0') {
        *address = (struct address){.length = 0};
        return 0;
    }
    if (address_parse(text, strlen(text), address) != 0) {
        return refuse(problem, text, address_form);
    }
    return 0;
}

static void format_address(const struct option_rule *rule, const void *value,
                           struct tel_buffer *out)
{
    (void)rule;
    const struct address *address = value;
    char text[ADDRESS_TEXT_MAX];
    if (address->every_family) {
        tel_buffer_append_format(out, "*:%u", ntohs(address->v6.sin6_port));
    } else if (address->length > 0) {
        tel_buffer_append_string(out, address_format(&address->any, text));
    }
}

static int parse_addresses(const struct option_rule *rule, const char *text, void *value,
                           struct tel_buffer *problem)
{
    struct address_list *list = value;
    struct address_list parsed = *list;
    for (const char *at = text;; at++) {
        size_t width = strcspn(at, ",");
        if (parsed.count >= rule->max) {
            tel_buffer_append_format(problem, "lists more than %llu addresses",
                                     (unsigned long long)rule->max);
            return -ERANGE;
        }
        if (address_parse(at, width, &parsed.items[parsed.count]) != 0) {
            return refuse(problem, text, address_form);
        }
        parsed.count++;
        at += width;
        if (*at == '\0') {
            break;
        }
    }
    *list = parsed;
    return 0;
}

static void format_addresses(const struct option_rule *rule, const void *value,
                             struct tel_buffer *out)
{
    const struct address_list *list = value;
    for (size_t i = 0; i < list->count; i++) {
        tel_buffer_append_string(out, i == 0 ? "" : ",");
        format_address(rule, &list->items[i], out);
    }
}

static const struct {
    parse_fn *parse;
    format_fn *format;
} types[] = {
#define OPTION_TYPE(NAME, stem) [OPTION_##NAME] = {parse_##stem, format_##stem},
    OPTION_TYPES(OPTION_TYPE)
#undef OPTION_TYPE
};

int option_value_parse(const struct option_rule *rule, const char *text, void *value,
                       struct tel_buffer *problem)
{
    return types[rule->type].parse(rule, text, value, problem);
}

void option_value_format(const struct option_rule *rule, const void *value, struct tel_buffer *out)
{
    types[rule->type].format(rule, value, out);
}
