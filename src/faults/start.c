/*
 * What the options name is read before anything is served, and everything that is wrong is told, by
 * the name the operator wrote, before starting fails.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "diagnostics.h"
#include "faults/internal.h"
#include "faults/read_file.h"
#include "faults/token.h"

/* Told like any other option that cannot be used. */
static int refuse(const struct options *options, enum option_id id, const char *value,
                  const char *reason)
{
    const bool variable = options->origin[id] == OPTION_FROM_ENVIRONMENT;
    char name[64];
    char text[1024];
    snprintf(name, sizeof(name), "%s%s", variable ? "" : "--",
             variable ? option_specs[id].variable : option_specs[id].flag);
    snprintf(text, sizeof(text), "%s `%.256s`: %s", name, value, reason);
    DIAGNOSTICS(TEL_ERROR, "options", text, DIAGNOSTICS_TEXT("option", name));
    return -EINVAL;
}

static int read_plan(struct faults *faults, uint64_t wall_ns)
{
    const struct options *options = faults->options;
    if (options->faults[0] == '\0') {
        return 0;
    }
    faults->file.watched = true;
    const char *reason = faults->watch.reason;
    if (fault_watch_open(&faults->watch, wall_ns, &faults->fresh) != FAULT_WATCH_LOADED) {
        return refuse(options, OPTION_ID_faults, options->faults,
                      reason[0] != '\0' ? reason : "there is no memory to read it");
    }
    faults->file.loaded_wall_ns = wall_ns;
    faults->file.loads_ok = 1;
    faults_arm(faults, FAULT_SOURCE_FILE, &faults->fresh, wall_ns);
    return 0;
}

/* The incident's text to a plan. Returns 0 or a negative errno with the reason. */
static int parse_incident(const char *path, uint64_t wall_ns, struct fault_plan *plan,
                          char reason[FAULT_REASON_BYTES])
{
    struct tel_buffer text;
    tel_buffer_init(&text, FAULT_PLAN_BYTES_MAX);
    int error = read_file(path, &text);
    if (error != 0) {
        fault_watch_explain(error, reason);
    } else {
        snprintf(reason, FAULT_REASON_BYTES, "there is no memory to read it");
        error = fault_plan_parse(text.data, text.length, false, wall_ns, plan, reason);
    }
    if (error == 0 && !plan->has_timeline) {
        snprintf(reason, FAULT_REASON_BYTES,
                 "it has no timeline, as an incident must: a plan of faults is for --faults");
        error = -EINVAL;
    }
    if (error == 0) {
        error = faults_check_override(plan, wall_ns, reason);
    }
    tel_buffer_fini(&text);
    return error;
}

/* One that is over is no reason not to start: a process may be replaced after it. */
static int read_incident(struct faults *faults, uint64_t wall_ns)
{
    const struct options *options = faults->options;
    char reason[FAULT_REASON_BYTES];
    struct fault_plan plan;
    if (options->incident[0] == '\0') {
        return 0;
    }
    if (parse_incident(options->incident, wall_ns, &plan, reason) != 0) {
        return refuse(options, OPTION_ID_incident, options->incident, reason);
    }
    if (fault_plan_end(&plan) <= wall_ns) {
        DIAGNOSTICS(TEL_INFO_LEVEL, "faults", "the incident is over: nothing of it is in force",
                    DIAGNOSTICS_TEXT("path", options->incident),
                    DIAGNOSTICS_TEXT("plan", plan.name));
        return 0;
    }
    faults_arm(faults, FAULT_SOURCE_INCIDENT, &plan, wall_ns);
    return 0;
}

static int read_token(const struct options *options)
{
    char reason[FAULT_TOKEN_REASON_BYTES];
    if (options->fault_token_file[0] == '\0' ||
        fault_token_check_file(options->fault_token_file, reason) == 0) {
        return 0;
    }
    return refuse(options, OPTION_ID_fault_token_file, options->fault_token_file, reason);
}

int faults_read_options(struct faults *faults, uint64_t wall_ns)
{
    const int plan = read_plan(faults, wall_ns);
    const int incident = read_incident(faults, wall_ns);
    const int token = read_token(faults->options);
    return plan != 0 ? plan : incident != 0 ? incident : token;
}
