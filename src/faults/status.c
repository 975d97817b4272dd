/*
 * What is in force, as JSON: one object, the same for the API and the page. A table of value members
 * a kind; the rest is written as it stands in the plan.
 */
#include <inttypes.h>
#include <string.h>

#include "faults/internal.h"
#include "telemetry/clock.h"

#define TIME_DIGITS 3

/* ---- values ------------------------------------------------------------------------------------ */

/* A member's value is `value` in the struct, times a unit. */
enum form { FORM_DOUBLE, FORM_STATUS, FORM_MS, FORM_COUNT };

static const struct member {
    enum fault_kind kind;
    const char *name;
    enum form form;
    size_t offset;
} members[] = {
#define MEMBER(KIND, name, FORM, member)                                      \
    {                                                                         \
        FAULT_##KIND, name, FORM_##FORM, offsetof(struct fault_value, member) \
    }
    MEMBER(ERROR, "ratio", DOUBLE, ratio),
    MEMBER(ERROR, "status", STATUS, status),
    MEMBER(LATENCY, "p50_ms", MS, p50_ns),
    MEMBER(LATENCY, "p90_ms", MS, p90_ns),
    MEMBER(LATENCY, "p99_ms", MS, p99_ns),
    MEMBER(CPU, "cpu_ms", MS, cpu_ns),
    MEMBER(RESET, "ratio", DOUBLE, ratio),
    MEMBER(TRUNCATE, "ratio", DOUBLE, ratio),
    MEMBER(SLOW_START, "ready_after_ms", MS, ready_ns),
    MEMBER(MEMORY, "bytes", COUNT, bytes),
    MEMBER(BACKGROUND_CPU, "cpus", DOUBLE, cpus),
#undef MEMBER
};

static void append_value(struct tel_buffer *out, enum form form, const void *value)
{
    uint16_t status;
    uint64_t count;
    double real;
    switch (form) {
    case FORM_DOUBLE:
        memcpy(&real, value, sizeof(real));
        tel_buffer_append_double(out, real);
        break;
    case FORM_STATUS:
        memcpy(&status, value, sizeof(status));
        tel_buffer_append_u64(out, status);
        break;
    case FORM_MS:
        memcpy(&count, value, sizeof(count));
        tel_buffer_append_double(out, (double)count / TEL_NS_PER_MS);
        break;
    case FORM_COUNT:
        memcpy(&count, value, sizeof(count));
        tel_buffer_append_u64(out, count);
        break;
    }
}

static void append_values(struct tel_buffer *out, const struct fault *fault)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i].kind == fault->kind) {
            tel_buffer_append_format(out, ",\"%s\":", members[i].name);
            append_value(out, members[i].form, (const char *)&fault->value + members[i].offset);
        }
    }
}

/* ---- faults ------------------------------------------------------------------------------------ */

static void append_text(struct tel_buffer *out, const char *name, const char *text)
{
    tel_buffer_append_format(out, ",\"%s\":", name);
    tel_buffer_append_json(out, text, strlen(text));
}

static void append_time(struct tel_buffer *out, const char *name, uint64_t wall_ns)
{
    tel_buffer_append_format(out, ",\"%s\":\"", name);
    tel_buffer_append_time(out, wall_ns, TIME_DIGITS);
    tel_buffer_append_char(out, '"');
}

static void append_routes(struct tel_buffer *out, uint32_t routes)
{
    const char *separator = "";
    tel_buffer_append_string(out, ",\"routes\":[");
    for (size_t route = 0; route < ROUTES; route++) {
        if ((routes >> route & 1) != 0) {
            const char *path = router_table()[route].path;
            tel_buffer_append_string(out, separator);
            tel_buffer_append_json(out, path, strlen(path));
            separator = ",";
        }
    }
    tel_buffer_append_char(out, ']');
}

/* What is left of a fault's time in force: all of it before its start. */
static uint64_t remaining_ms(const struct fault *fault, uint64_t wall_ns)
{
    uint64_t from_ns = wall_ns > fault->start_wall_ns ? wall_ns : fault->start_wall_ns;
    return from_ns < fault->end_wall_ns ? (fault->end_wall_ns - from_ns) / TEL_NS_PER_MS : 0;
}

static void append_fault(struct tel_buffer *out, const struct fault *fault, uint64_t wall_ns)
{
    const char *state = wall_ns < fault->start_wall_ns ? "scheduled"
                        : wall_ns < fault->end_wall_ns ? "in_force"
                                                       : "over";
    tel_buffer_append_format(out, "{\"fault\":\"%s\"", fault_kind_name(fault->kind));
    if (fault_kind_scope(fault->kind) == FAULT_SCOPE_ROUTE) {
        append_text(out, "route", fault->pattern);
        append_routes(out, fault->routes);
    }
    append_values(out, fault);
    tel_buffer_append_format(out, ",\"seed\":%" PRIu64, fault->seed);
    append_time(out, "start", fault->start_wall_ns);
    append_time(out, "end", fault->end_wall_ns);
    append_text(out, "state", state);
    tel_buffer_append_format(out, ",\"remaining_ms\":%" PRIu64 "}", remaining_ms(fault, wall_ns));
}

/* ---- the whole --------------------------------------------------------------------------------- */

static void append_plan(struct tel_buffer *out, const struct fault_plan *plan)
{
    tel_buffer_append_string(out, "{\"name\":");
    if (plan->name[0] != '\0') {
        tel_buffer_append_json(out, plan->name, strlen(plan->name));
    } else {
        tel_buffer_append_string(out, "null");
    }
    append_time(out, "begin", plan->begin_wall_ns);
    append_time(out, "end", fault_plan_end(plan));
    tel_buffer_append_format(out, ",\"seed\":%" PRIu64 "}", plan->seed);
}

static void append_layer(struct tel_buffer *out, const struct fault_layer *layer, uint64_t wall_ns)
{
    tel_buffer_append_format(out, "\"source\":\"%s\",\"plan\":", fault_source_name(layer->source));
    if (layer->source == FAULT_SOURCE_NONE) {
        tel_buffer_append_string(out, "null,\"faults\":[]");
        return;
    }
    append_plan(out, &layer->plan);
    tel_buffer_append_string(out, ",\"faults\":[");
    for (size_t i = 0; i < layer->plan.fault_count; i++) {
        tel_buffer_append_string(out, i > 0 ? "," : "");
        append_fault(out, &layer->plan.faults[i], wall_ns);
    }
    tel_buffer_append_char(out, ']');
}

static void append_file(struct tel_buffer *out, const char *path,
                        const struct fault_file_status *file)
{
    tel_buffer_append_string(out, ",\"file\":{\"path\":");
    tel_buffer_append_json(out, path, strlen(path));
    append_time(out, "loaded", file->loaded_wall_ns);
    tel_buffer_append_string(out, ",\"error\":");
    if (file->reason[0] != '\0') {
        tel_buffer_append_json(out, file->reason, strlen(file->reason));
    } else {
        tel_buffer_append_string(out, "null");
    }
    tel_buffer_append_char(out, '}');
}

void faults_append_json(struct faults *faults, struct tel_buffer *out)
{
    const uint64_t wall_ns = tel_clock_wall_ns();
    pthread_mutex_lock(&faults->mutex);
    tel_buffer_append_char(out, '{');
    append_layer(out, faults->source, wall_ns);
    if (faults->file.watched) {
        append_file(out, faults->options->faults, &faults->file);
    } else {
        tel_buffer_append_string(out, ",\"file\":null");
    }
    tel_buffer_append_char(out, '}');
    pthread_mutex_unlock(&faults->mutex);
}
