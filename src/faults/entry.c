/*
 * The tables of an entry's keys: its own, then one for each kind, made from kinds.def. To add a kind:
 * a row there, a table FAULT_<ID> here, its members in struct fault_value.
 */
#include "faults/entry.h"

#include <errno.h>
#include <string.h>

#include "faults/text.h"

#define WEEK_MS   UINT64_C(604800000)
#define MINUTE_MS UINT64_C(60000)

#define TABLE(rows_, check_)                                                        \
    {                                                                               \
        .rows = rows_, .count = sizeof(rows_) / sizeof((rows_)[0]), .check = check_ \
    }

/* ---- values -------------------------------------------------------------------------------- */

#define RATIO                                                                    \
    {                                                                            \
        "ratio", field_ratio, FIELD(struct fault_value, ratio), .required = true \
    }
#define QUANTILE(name_)                                                                  \
    {                                                                                    \
#name_, field_duration, FIELD(struct fault_value, name_##_ns), .required = true, \
                                                                       .max = MINUTE_MS  \
    }

static int check_latency(struct fields *fields, const void *into)
{
    const struct fault_value *value = into;
    return value->p50_ns <= value->p90_ns && value->p90_ns <= value->p99_ns
               ? 0
               : fields_refuse(fields, "p50, p90, p99 must not fall");
}

static const struct field error_rows[] = {
    RATIO,
    {"status", field_status, FIELD(struct fault_value, status), .min = 400, .max = 599},
};
static const struct field latency_rows[] = {QUANTILE(p50), QUANTILE(p90), QUANTILE(p99)};
static const struct field cpu_rows[] = {
    {"per_request", field_duration, FIELD(struct fault_value, cpu_ns), .required = true, .min = 1,
     .max = MINUTE_MS},
};
static const struct field ratio_rows[] = {RATIO};
static const struct field slow_start_rows[] = {
    {"ready_after", field_duration, FIELD(struct fault_value, ready_ns), .required = true, .min = 1,
     .max = WEEK_MS},
};
static const struct field memory_rows[] = {
    {"bytes", field_size, FIELD(struct fault_value, bytes), .required = true,
     .min = UINT64_C(1) << 10, .max = UINT64_C(1) << 40},
};
static const struct field background_cpu_rows[] = {
    {"cpus", field_cpus, FIELD(struct fault_value, cpus), .required = true, .max = 64},
};

/* A kind without rows is written as `true`. */
static const struct field_table tables[FAULT_KINDS] = {
    [FAULT_ERROR] = TABLE(error_rows, NULL),
    [FAULT_LATENCY] = TABLE(latency_rows, check_latency),
    [FAULT_CPU] = TABLE(cpu_rows, NULL),
    [FAULT_RESET] = TABLE(ratio_rows, NULL),
    [FAULT_TRUNCATE] = TABLE(ratio_rows, NULL),
    [FAULT_SLOW_START] = TABLE(slow_start_rows, NULL),
    [FAULT_MEMORY] = TABLE(memory_rows, NULL),
    [FAULT_BACKGROUND_CPU] = TABLE(background_cpu_rows, NULL),
};

static int read_kind(struct fields *fields, const struct field *field, const json_t *value,
                     void *into)
{
    bool is_true;
    return field->table->count > 0 ? field_object(fields, field, value, into)
                                   : field_true(fields, field, value, &is_true);
}

/* ---- routes -------------------------------------------------------------------------------- */

/* The routes that a path, or the start of one and `*`, names. */
static uint32_t named_routes(const char *pattern, size_t length)
{
    const struct route *table = router_table();
    const bool is_prefix = length > 0 && pattern[length - 1] == '*';
    const size_t compared = is_prefix ? length - 1 : length;
    uint32_t routes = 0;
    for (size_t i = ROUTE_NONE + 1; i < ROUTES; i++) {
        const size_t width = table[i].path_length;
        if (fault_may_touch(&table[i]) && (is_prefix ? width >= compared : width == compared) &&
            memcmp(table[i].path, pattern, compared) == 0) {
            routes |= UINT32_C(1) << i;
        }
    }
    return routes;
}

static int refuse_route(struct fields *fields, const json_t *value)
{
    const struct route *table = router_table();
    const char *separator = "";
    fields_refuse_found(fields, value, "names no route that users call: ");
    for (size_t i = ROUTE_NONE + 1; i < ROUTES; i++) {
        if (fault_may_touch(&table[i])) {
            tel_buffer_append_string(fields->problem, separator);
            tel_buffer_append_string(fields->problem, table[i].path);
            separator = ", ";
        }
    }
    return fields_add(fields, ", or the start of some with a * behind it");
}

static int read_route(struct fields *fields, const struct field *field, const json_t *value,
                      void *into)
{
    struct entry *entry = into;
    const char *pattern = json_string_value(value);
    const size_t length = json_string_length(value);
    (void)field;
    entry->routes =
        json_is_string(value) && length < FAULT_PATTERN_BYTES ? named_routes(pattern, length) : 0;
    if (entry->routes == 0) {
        return refuse_route(fields, value);
    }
    memcpy(entry->pattern, pattern, length);
    return 0;
}

/* ---- the entry ----------------------------------------------------------------------------- */

enum { ROW_ROUTE, ROW_START, ROW_DURATION, ROW_END, ROW_SEED, ROW_KINDS };

static const struct field rows[] = {
    [ROW_ROUTE] = {"route", read_route, .offset = 0},
    [ROW_START] = {"start", field_duration, FIELD(struct entry, start_ns), .max = WEEK_MS},
    [ROW_DURATION] = {"duration", field_duration, FIELD(struct entry, duration_ns), .min = 1,
                      .max = WEEK_MS},
    [ROW_END] = {"end", field_time, FIELD(struct entry, end_wall_ns)},
    [ROW_SEED] = {"seed", field_count, FIELD(struct entry, seed), .max = FAULT_SEED_MAX},
#define FAULT(ID, name, ...)                                                              \
    [ROW_KINDS + FAULT_##ID] = {name, read_kind, FIELD(struct entry, values[FAULT_##ID]), \
                                .table = &tables[FAULT_##ID]},
#include "faults/kinds.def"
#undef FAULT
};
static const struct field_table table = TABLE(rows, NULL);

static int refuse_kind(struct fields *fields, const char *kind, const char *why)
{
    fields_enter(fields, kind);
    return fields_refuse(fields, "%s", why);
}

static int check_kinds(struct fields *fields, const struct entry *entry)
{
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
        const bool of_route = fault_kind_scope(kind) == FAULT_SCOPE_ROUTE;
        if ((entry->kinds & UINT32_C(1) << kind) != 0 && of_route != (entry->routes != 0)) {
            return refuse_kind(fields, fault_kind_name(kind),
                               of_route ? "needs a route: it is drawn for each request"
                                        : "takes no route: it is of the process as a whole");
        }
    }
    if (entry->kinds == 0) {
        fields_refuse(fields, "no fault; one or more of: ");
        fields_append_names(rows + ROW_KINDS, FAULT_KINDS, fields->problem);
        return -EINVAL;
    }
    return 0;
}

static int check_end(struct fields *fields, bool has_duration, bool has_end)
{
    if (has_duration && has_end) {
        return fields_refuse(fields, "both duration and end: one of them is allowed");
    }
    if (!has_duration && !has_end) {
        return fields_refuse(fields, "neither duration nor end: a fault must end");
    }
    return 0;
}

int entry_read(struct fields *fields, const json_t *json, struct entry *entry)
{
    uint32_t present = 0;
    *entry = (struct entry){.values[FAULT_ERROR].status = 500};
    int result = fields_read(fields, &table, json, entry, &present);
    if (result == 0) {
        entry->kinds = present >> ROW_KINDS;
        entry->has_seed = (present & 1u << ROW_SEED) != 0;
        entry->has_end = (present & 1u << ROW_END) != 0;
        result = check_kinds(fields, entry);
    }
    return result == 0 ? check_end(fields, (present & 1u << ROW_DURATION) != 0, entry->has_end)
                       : result;
}
