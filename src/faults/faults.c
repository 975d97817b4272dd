/*
 * Looking and publishing. What is published holds from one change of the plan in force to the next;
 * a look that finds the time within, and nothing armed since, has nothing to do. A wall clock that
 * was set is then outside, or the timer, which is of the wall clock, goes off.
 *
 * Invariant: what operators do is published before they are answered; the process faults follow when
 * the main thread looks, for which the timer is set to go off at once.
 */
#include "faults/faults.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "diagnostics.h"
#include "faults/incidents.h"
#include "faults/internal.h"
#include "telemetry/clock.h"

#define TIMER_OFF      UINT64_MAX
#define FAULT_AHEAD_NS (UINT64_C(168) * 3600 * TEL_NS_PER_SECOND) /* of an override's begin */

/* ---- under the mutex --------------------------------------------------------------------------- */

/* The timer is a descriptor so that any thread may set it. A failure costs a tick: that looks too. */
static void set_timer(struct faults *faults, uint64_t wall_ns)
{
    if (faults->timer_fd < 0 || faults->timer_wall_ns == wall_ns) {
        return;
    }
    struct itimerspec when = {.it_value = {.tv_nsec = 0}}; /* off */
    if (wall_ns != TIMER_OFF) {
        when.it_value.tv_sec = (time_t)(wall_ns / TEL_NS_PER_SECOND);
        when.it_value.tv_nsec = (long)(wall_ns % TEL_NS_PER_SECOND);
    }
    if (timerfd_settime(faults->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0) {
        faults->timer_wall_ns = wall_ns;
    }
}

/* Publishes what is in force at `wall_ns`, unless that is published. */
static void publish(struct faults *faults, uint64_t wall_ns)
{
    const bool holds = faults->armings == faults->layers.armings &&
                       wall_ns >= faults->computed_wall_ns && wall_ns < faults->change_wall_ns;
    if (holds) {
        return;
    }
    const struct fault_layer *layer = fault_layers_at(&faults->layers, wall_ns);
    faults->source = layer;
    fault_plan_at(layer->source != FAULT_SOURCE_NONE ? &layer->plan : NULL, wall_ns,
                  &faults->state);
    fault_process_set_readiness(&faults->process, &faults->state);
    faults->armings = faults->layers.armings;
    faults->computed_wall_ns = wall_ns;
    faults->change_wall_ns = fault_layers_next_change(&faults->layers, wall_ns);
    atomic_fetch_add_explicit(&faults->generation, 1, memory_order_release);
}

static void say_armed(enum fault_source source, const struct fault_plan *plan)
{
    char bytes[2][40];
    const uint64_t times[] = {plan->begin_wall_ns, fault_plan_end(plan)};
    for (size_t i = 0; i < 2; i++) {
        const time_t seconds = (time_t)(times[i] / TEL_NS_PER_SECOND);
        struct tm parts;
        strftime(bytes[i], sizeof(bytes[i]), "%FT%TZ", gmtime_r(&seconds, &parts));
    }
    DIAGNOSTICS(TEL_INFO_LEVEL, "faults", "a fault plan is armed",
                DIAGNOSTICS_TEXT("source", fault_source_name(source)),
                DIAGNOSTICS_TEXT("plan", plan->name), DIAGNOSTICS_TEXT("begin", bytes[0]),
                DIAGNOSTICS_TEXT("end", bytes[1]), DIAGNOSTICS_NUMBER("faults", plan->fault_count));
}

void faults_arm(struct faults *faults, enum fault_source source, const struct fault_plan *plan,
                uint64_t wall_ns)
{
    say_armed(source, plan); /* before what follows from it */
    pthread_mutex_lock(&faults->mutex);
    fault_layers_arm(&faults->layers, source, plan);
    publish(faults, wall_ns);
    set_timer(faults, 1); /* long ago: the main thread looks */
    pthread_mutex_unlock(&faults->mutex);
}

/* ---- the main thread --------------------------------------------------------------------------- */

static void note_news(struct faults *faults, enum fault_watch_news news)
{
    pthread_mutex_lock(&faults->mutex);
    struct fault_file_status *file = &faults->file;
    memcpy(file->reason, faults->watch.reason, sizeof(file->reason));
    file->loaded_wall_ns = faults->watch.loaded_wall_ns;
    if (news == FAULT_WATCH_REFUSED) {
        file->loads_refused++;
    } else {
        file->loads_ok++;
    }
    pthread_mutex_unlock(&faults->mutex);
}

static void look_at_file(struct faults *faults, uint64_t wall_ns)
{
    enum fault_watch_news news = fault_watch_look(&faults->watch, wall_ns, &faults->fresh);
    if (news == FAULT_WATCH_NOTHING) {
        return;
    }
    note_news(faults, news);
    if (news == FAULT_WATCH_LOADED) {
        faults_arm(faults, FAULT_SOURCE_FILE, &faults->fresh, wall_ns);
    } else if (news == FAULT_WATCH_REFUSED) {
        DIAGNOSTICS(TEL_WARN, "faults", "the fault plan file is refused: the plan in force stays",
                    DIAGNOSTICS_TEXT("path", faults->watch.path),
                    DIAGNOSTICS_TEXT("reason", faults->watch.reason));
    } else {
        DIAGNOSTICS(TEL_INFO_LEVEL, "faults", "the fault plan file is as it was again",
                    DIAGNOSTICS_TEXT("path", faults->watch.path));
    }
}

/* "error,latency,memory": every kind that is in force somewhere. */
static void format_kinds(const struct fault_state *state, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t kind = 0; kind < FAULT_KINDS; kind++) {
        bool is_on = state->process[kind].is_on;
        for (size_t route = 0; route < ROUTES && kind < FAULT_ROUTE_KINDS; route++) {
            is_on |= state->routes[route][kind].is_on;
        }
        if (is_on && length < size) {
            length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? "," : "",
                                       fault_kind_name((enum fault_kind)kind));
        }
    }
}

/* What was published since the last look is applied to the process, and told. */
static void apply(struct faults *faults, const struct fault_state *state, enum fault_source source)
{
    char kinds[128];
    format_kinds(state, kinds, sizeof(kinds));
    fault_process_apply(&faults->process, state);
    if (state->is_on || faults->told) {
        DIAGNOSTICS(TEL_INFO_LEVEL, "faults",
                    state->is_on ? "faults are in force" : "no fault is in force any more",
                    DIAGNOSTICS_TEXT("source", fault_source_name(source)),
                    DIAGNOSTICS_TEXT("kinds", kinds));
    }
    faults->told = state->is_on;
}

void faults_look_at(struct faults *faults, uint64_t wall_ns)
{
    if (faults->watch.path != NULL) {
        look_at_file(faults, wall_ns);
    }
    pthread_mutex_lock(&faults->mutex);
    publish(faults, wall_ns);
    set_timer(faults, faults->change_wall_ns);
    uint64_t generation = atomic_load_explicit(&faults->generation, memory_order_relaxed);
    const struct fault_state state = faults->state;
    const enum fault_source source = faults->source->source;
    pthread_mutex_unlock(&faults->mutex);
    if (generation != faults->applied) {
        faults->applied = generation;
        apply(faults, &state, source);
    }
}

void faults_look(struct faults *faults)
{
    faults_look_at(faults, tel_clock_wall_ns());
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    uint64_t turns;
    if (read((int)fd, &turns, sizeof(turns)) == sizeof(turns)) {
        faults_look(argument);
    }
}

/* ---- life -------------------------------------------------------------------------------------- */

struct faults *faults_create(const struct options *options)
{
    const uint64_t wall_ns = tel_clock_wall_ns();
    struct faults *faults = aligned_alloc(64, (sizeof(*faults) + 63) / 64 * 64);
    if (faults == NULL) {
        DIAGNOSTICS(TEL_ERROR, "faults", "cannot start", DIAGNOSTICS_TEXT("part", "faults"),
                    DIAGNOSTICS_TEXT("error", strerror(ENOMEM)));
        errno = ENOMEM;
        return NULL;
    }
    memset(faults, 0, sizeof(*faults));
    faults->options = options;
    faults->timer_fd = -1;
    pthread_mutex_init(&faults->mutex, NULL);
    fault_layers_init(&faults->layers);
    fault_watch_init(&faults->watch, options->faults[0] != '\0' ? options->faults : NULL);
    fault_process_init(&faults->process);
    int error = faults_read_options(faults, wall_ns);
    publish(faults, wall_ns); /* there is always something published */
    if (error != 0) {
        faults_destroy(faults);
        errno = -error;
        return NULL;
    }
    return faults;
}

int faults_start(struct faults *faults, struct event_base *base)
{
    faults->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (faults->timer_fd < 0) {
        return -errno;
    }
    faults->timer_wall_ns = TIMER_OFF;
    faults->timer = event_new(base, faults->timer_fd, EV_READ | EV_PERSIST, on_timer, faults);
    if (faults->timer == NULL || event_add(faults->timer, NULL) != 0) {
        return -ENOMEM;
    }
    faults_look(faults);
    return 0;
}

void faults_end(struct faults *faults)
{
    if (faults->stopped) {
        return;
    }
    faults->stopped = true;
    fault_process_fini(&faults->process);
    if (faults->timer != NULL) {
        event_free(faults->timer);
        faults->timer = NULL;
    }
    pthread_mutex_lock(&faults->mutex);
    if (faults->timer_fd >= 0) {
        close(faults->timer_fd);
        faults->timer_fd = -1;
    }
    pthread_mutex_unlock(&faults->mutex);
}

void faults_destroy(struct faults *faults)
{
    if (faults == NULL) {
        return;
    }
    faults_end(faults);
    fault_watch_fini(&faults->watch);
    pthread_mutex_destroy(&faults->mutex);
    free(faults);
}

/* ---- what operators do --------------------------------------------------------------------------- */

int faults_check_override(const struct fault_plan *plan, uint64_t wall_ns,
                          char reason[FAULT_REASON_BYTES])
{
    const char *why = NULL;
    if (plan->fault_count == 0) {
        why = "the plan holds no fault: DELETE takes off what is there";
    } else if (plan->begin_wall_ns > wall_ns && plan->begin_wall_ns - wall_ns > FAULT_AHEAD_NS) {
        why = "begin: more than 168h ahead";
    }
    if (why != NULL) {
        snprintf(reason, FAULT_REASON_BYTES, "%s", why);
    }
    return why != NULL ? -EINVAL : 0;
}

int faults_put(struct faults *faults, const char *json, size_t length,
               char reason[FAULT_REASON_BYTES])
{
    struct fault_plan plan;
    const uint64_t wall_ns = tel_clock_wall_ns();
    snprintf(reason, FAULT_REASON_BYTES, "there is no memory to read the plan");
    int error = fault_plan_parse(json, length, false, wall_ns, &plan, reason);
    if (error == 0) {
        error = faults_check_override(&plan, wall_ns, reason);
    }
    if (error == 0 && fault_plan_end(&plan) <= wall_ns) {
        snprintf(reason, FAULT_REASON_BYTES, "the plan is over: its last fault has ended");
        error = -EINVAL;
    }
    if (error == 0) {
        faults_arm(faults, FAULT_SOURCE_API, &plan, wall_ns);
    }
    return error;
}

int faults_play(struct faults *faults, const char *name, size_t length)
{
    struct fault_plan plan;
    char reason[FAULT_REASON_BYTES];
    size_t document_length;
    const uint64_t wall_ns = tel_clock_wall_ns();
    const char *document = fault_incident_find(name, length, &document_length);
    if (document == NULL) {
        return -ENOENT;
    }
    int error = fault_plan_parse(document, document_length, false, wall_ns, &plan, reason);
    if (error == 0) {
        faults_arm(faults, FAULT_SOURCE_INCIDENT, &plan, wall_ns);
    }
    return error;
}

void faults_clear(struct faults *faults)
{
    pthread_mutex_lock(&faults->mutex);
    fault_layers_take_off(&faults->layers);
    publish(faults, tel_clock_wall_ns());
    set_timer(faults, 1);
    pthread_mutex_unlock(&faults->mutex);
}
