/*
 * A document becomes a plan: its own keys first, so that begin and seed are known; then the list of
 * faults, or those of each step, each entry flattened into one fault for each of its kinds. All of it
 * in a plan of its own, copied out at the end: a document is taken whole or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "faults/document.h"
#include "faults/entry.h"
#include "faults/plan.h"
#include "faults/text.h"
#include "telemetry/clock.h"

#define WEEK_MS       UINT64_C(604800000)
#define PROBLEM_BYTES 4096 /* before it is cut */
#define WEEK_NS       (WEEK_MS * TEL_NS_PER_MS)

static const char no_memory[] = "there is no memory to read it";

struct reading {
    struct fields fields;
    struct fault_plan plan;
    const json_t *faults; /* one of the two */
    const json_t *timeline;
    uint64_t step_at_ns; /* of the step that is read */
};

/* ---- faults -------------------------------------------------------------------------------- */

static int check_end(struct fields *fields, const struct fault *fault)
{
    if (fault->end_wall_ns <= fault->start_wall_ns) {
        fields_enter(fields, "end");
        fields_refuse(fields, "not after the start, ");
        tel_buffer_append_time(fields->problem, fault->start_wall_ns, 3);
        return -EINVAL;
    }
    if (fault->end_wall_ns - fault->start_wall_ns > WEEK_NS) {
        fields_enter(fields, "end");
        fields_refuse(fields, "more than 168h after the start, ");
        tel_buffer_append_time(fields->problem, fault->start_wall_ns, 3);
        return -EINVAL;
    }
    return 0;
}

/* Adds the entry's faults, one for each kind. */
static int add_entry(struct reading *reading, const struct entry *entry)
{
    struct fault_plan *plan = &reading->plan;
    struct fault fault = {
        .routes = entry->routes,
        .seed = entry->has_seed ? entry->seed : plan->seed,
        .start_wall_ns = plan->begin_wall_ns + reading->step_at_ns + entry->start_ns,
    };
    memcpy(fault.pattern, entry->pattern, sizeof(fault.pattern));
    fault.end_wall_ns =
        entry->has_end ? entry->end_wall_ns : fault.start_wall_ns + entry->duration_ns;
    const int result = check_end(&reading->fields, &fault);
    for (enum fault_kind kind = 0; kind < FAULT_KINDS && result == 0; kind++) {
        if ((entry->kinds & UINT32_C(1) << kind) == 0) {
            continue;
        }
        if (plan->fault_count == FAULT_PLAN_FAULTS_MAX) {
            return fields_refuse(&reading->fields,
                                 "more than %d faults, each kind of an entry counted",
                                 FAULT_PLAN_FAULTS_MAX);
        }
        fault.kind = kind;
        fault.value = entry->values[kind];
        plan->faults[plan->fault_count++] = fault;
    }
    return result;
}

static int read_faults(struct reading *reading, const json_t *list)
{
    struct fields *fields = &reading->fields;
    if (!json_is_array(list)) {
        return fields_refuse_found(fields, list, "is not a list of faults");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct entry entry;
        const size_t stood = fields_enter_element(fields, i);
        int result = entry_read(fields, json_array_get(list, i), &entry);
        result = result == 0 ? add_entry(reading, &entry) : result;
        if (result != 0) {
            return result;
        }
        fields_leave(fields, stood);
    }
    return 0;
}

/* ---- a timeline ---------------------------------------------------------------------------- */

struct step {
    uint64_t at_ns;
    const json_t *faults;
};

static const struct field step_rows[] = {
    {"at", field_duration, FIELD(struct step, at_ns), .required = true, .max = WEEK_MS},
    {"note", field_ignored, .offset = 0},
    {"faults", field_json, FIELD(struct step, faults), .required = true},
};
static const struct field_table step_table = {step_rows, 3, NULL};

static int read_step(struct reading *reading, size_t index, const json_t *json)
{
    struct fields *fields = &reading->fields;
    struct step step = {0};
    int result = fields_read(fields, &step_table, json, &step, NULL);
    if (result != 0) {
        return result;
    }
    if (index > 0 && step.at_ns <= reading->step_at_ns) {
        fields_enter(fields, "at");
        return fields_refuse(fields, "not after the step before it");
    }
    reading->step_at_ns = step.at_ns;
    const size_t stood = fields_enter(fields, "faults");
    result = read_faults(reading, step.faults);
    if (result == 0) {
        fields_leave(fields, stood);
    }
    return result;
}

static int read_timeline(struct reading *reading, const json_t *list)
{
    struct fields *fields = &reading->fields;
    if (!json_is_array(list)) {
        return fields_refuse_found(fields, list, "is not a list of steps");
    }
    if (json_array_size(list) > FAULT_PLAN_STEPS_MAX) {
        return fields_refuse(fields, "%zu steps: %d are allowed", json_array_size(list),
                             FAULT_PLAN_STEPS_MAX);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const size_t stood = fields_enter_element(fields, i);
        const int result = read_step(reading, i, json_array_get(list, i));
        if (result != 0) {
            return result;
        }
        fields_leave(fields, stood);
    }
    return 0;
}

/* ---- the document -------------------------------------------------------------------------- */

static int read_name(struct fields *fields, const struct field *field, const json_t *value,
                     void *into)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *name = json_string_value(value);
    const size_t length = json_string_length(value);
    (void)field;
    if (name == NULL || length == 0 || length >= FAULT_PLAN_NAME_BYTES ||
        strspn(name, allowed) != length) {
        return fields_refuse_found(fields, value, "is not a name: 1 to %d of A-Z a-z 0-9 . _ -",
                                   FAULT_PLAN_NAME_BYTES - 1);
    }
    memcpy(into, name, length + 1);
    return 0;
}

enum { ROW_NAME, ROW_DESCRIPTION, ROW_BEGIN, ROW_SEED, ROW_FAULTS, ROW_TIMELINE };

static const struct field rows[] = {
    [ROW_NAME] = {"name", read_name, FIELD(struct reading, plan.name)},
    [ROW_DESCRIPTION] = {"description", field_ignored, .offset = 0},
    [ROW_BEGIN] = {"begin", field_time, FIELD(struct reading, plan.begin_wall_ns)},
    [ROW_SEED] = {"seed", field_count, FIELD(struct reading, plan.seed), .max = FAULT_SEED_MAX},
    [ROW_FAULTS] = {"faults", field_json, FIELD(struct reading, faults)},
    [ROW_TIMELINE] = {"timeline", field_json, FIELD(struct reading, timeline)},
};
static const struct field_table table = {rows, sizeof(rows) / sizeof(rows[0]), NULL};

static int refuse_missing(struct fields *fields, const char *name, const char *why)
{
    fields_enter(fields, name);
    return fields_refuse(fields, "missing: %s", why);
}

static int check_keys(struct reading *reading, uint32_t present, bool must_begin)
{
    struct fields *fields = &reading->fields;
    if (reading->faults != NULL && reading->timeline != NULL) {
        return fields_refuse(fields, "both faults and timeline: one of them is allowed");
    }
    if (reading->faults == NULL && reading->timeline == NULL) {
        return fields_refuse(fields, "neither faults nor timeline: one of them is needed");
    }
    if (reading->timeline != NULL && (present & 1u << ROW_NAME) == 0) {
        return refuse_missing(fields, "name", "a timeline is an incident, which has one");
    }
    if (must_begin && (present & 1u << ROW_BEGIN) == 0) {
        return refuse_missing(fields, "begin",
                              "a plan in a file says when it begins, such as "
                              "\"2026-11-26T08:00:00Z\"");
    }
    return 0;
}

static int read_root(struct reading *reading, const json_t *root, bool must_begin)
{
    struct fields *fields = &reading->fields;
    uint32_t present = 0;
    int result = fields_read(fields, &table, root, reading, &present);
    result = result == 0 ? check_keys(reading, present, must_begin) : result;
    if (result != 0) {
        return result;
    }
    reading->plan.has_timeline = reading->timeline != NULL;
    fields_enter(fields, reading->faults != NULL ? "faults" : "timeline");
    return reading->faults != NULL ? read_faults(reading, reading->faults)
                                   : read_timeline(reading, reading->timeline);
}

static void give_reason(int result, const struct tel_buffer *problem,
                        char reason[FAULT_REASON_BYTES])
{
    if (result == -ENOMEM) {
        memcpy(reason, no_memory, sizeof(no_memory));
        return;
    }
    const size_t length = text_cut(problem->data, problem->length, FAULT_REASON_BYTES - 1);
    memcpy(reason, problem->data, length);
    reason[length] = '\0';
}

/* Reads into `reading`, whose plan has the begin that it is if the document has none. */
static int read_document(struct reading *reading, const char *json, size_t length, bool must_begin)
{
    struct document document;
    int result =
        document_open(&document, json, length, FAULT_PLAN_BYTES_MAX, reading->fields.problem);
    if (result == 0) {
        result = read_root(reading, document.root, must_begin);
        document_close(&document);
    }
    return result;
}

int fault_plan_parse(const char *json, size_t length, bool must_begin, uint64_t now_wall_ns,
                     struct fault_plan *plan, char reason[FAULT_REASON_BYTES])
{
    struct tel_buffer problem;
    struct reading *reading = calloc(1, sizeof(*reading));
    tel_buffer_init(&problem, PROBLEM_BYTES);
    int result = -ENOMEM;
    if (reading != NULL) {
        reading->fields.problem = &problem;
        reading->plan.begin_wall_ns = now_wall_ns;
        result = read_document(reading, json, length, must_begin);
    }
    if (result == 0) {
        *plan = reading->plan;
    } else {
        result = problem.error == -ENOMEM ? -ENOMEM : result;
        give_reason(result, &problem, reason);
    }
    tel_buffer_fini(&problem);
    free(reading);
    return result;
}
