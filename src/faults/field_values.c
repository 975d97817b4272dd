/*
 * A function a type. What a duration and a size look like, and the words when they are wrong, are
 * the options': option_value.h.
 */
#include <errno.h>
#include <string.h>

#include "faults/fields.h"
#include "faults/text.h"
#include "faults/timestamp.h"
#include "option_value.h"
#include "telemetry/clock.h"

int field_object(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    return fields_read(fields, field->table, value, into, NULL);
}

int field_json(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    (void)fields;
    (void)field;
    *(const json_t **)into = value;
    return 0;
}

int field_ignored(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    (void)field;
    (void)into;
    return json_is_string(value) ? 0 : fields_refuse_found(fields, value, "is not a text");
}

int field_true(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    (void)field;
    if (!json_is_true(value)) {
        return fields_refuse_found(fields, value, "is not true, which is all that it can be");
    }
    *(bool *)into = true;
    return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

int field_count(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < field->min ||
        (uint64_t)number > field->max) {
        return fields_refuse_found(fields, value, "is not a whole number from %llu to %llu",
                                   (unsigned long long)field->min, (unsigned long long)field->max);
    }
    *(uint64_t *)into = (uint64_t)number;
    return 0;
}

int field_status(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    uint64_t status = 0;
    const int result = field_count(fields, field, value, &status);
    if (result == 0) {
        *(uint16_t *)into = (uint16_t)status;
    }
    return result;
}

int field_ratio(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    const double ratio = json_number_value(value);
    (void)field;
    if (!json_is_number(value) || !(ratio >= 0 && ratio <= 1)) {
        return fields_refuse_found(fields, value, "is not a ratio: 0 to 1");
    }
    *(double *)into = ratio == 0 ? 0 : ratio; /* no -0 */
    return 0;
}

int field_cpus(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    const double cpus = json_number_value(value);
    if (!json_is_number(value) || !(cpus > 0 && cpus <= (double)field->max)) {
        return fields_refuse_found(fields, value, "is not a number of CPUs: above 0, up to %llu",
                                   (unsigned long long)field->max);
    }
    *(double *)into = cpus;
    return 0;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* Reads as an option of that type would, of which `form` says how it looks. */
static int quantity(struct fields *fields, const struct field *field, enum option_type type,
                    const char *form, const json_t *value, uint64_t *number)
{
    const struct option_rule rule = {.type = type, .min = field->min, .max = field->max};
    if (!json_is_string(value) ||
        !text_is_plain(json_string_value(value), json_string_length(value))) {
        return fields_refuse_found(fields, value, "is not %s", form);
    }
    /* A buffer without room, for the place is said before what is wrong, and only then. */
    struct tel_buffer nothing;
    tel_buffer_init(&nothing, 0);
    if (option_value_parse(&rule, json_string_value(value), number, &nothing) == 0) {
        return 0;
    }
    fields_refuse(fields, "%s", "");
    option_value_parse(&rule, json_string_value(value), number, fields->problem);
    return -EINVAL;
}

int field_duration(struct fields *fields, const struct field *field, const json_t *value,
                   void *into)
{
    uint64_t ms = 0;
    const int result =
        quantity(fields, field, OPTION_DURATION,
                 "a duration with a unit, such as \"500ms\", \"2s\" or \"1m\"", value, &ms);
    *(uint64_t *)into = ms * TEL_NS_PER_MS;
    return result;
}

int field_size(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    return quantity(fields, field, OPTION_SIZE, "a size, such as \"512k\" or \"64MiB\"", value,
                    into);
}

int field_time(struct fields *fields, const struct field *field, const json_t *value, void *into)
{
    (void)field;
    const int result =
        json_is_string(value) ? timestamp_parse(json_string_value(value), into) : -EINVAL;
    if (result == -ERANGE) {
        return fields_refuse_found(fields, value, "is out of range: the years 1970 to 2499, UTC");
    }
    return result == 0 ? 0
                       : fields_refuse_found(
                             fields, value,
                             "is not a time with its zone, such as \"2026-11-26T08:00:00Z\"");
}
