/*
 * Two looks at the stamp stand around a reading: only what did not change meanwhile is judged.
 *
 * Invariant: `seen` and `seen_error` are what the last reading gave; `judged` says whether there was
 * a verdict on that, so that nothing is judged twice.
 */
#include "faults/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults/read_file.h"
#include "telemetry/clock.h"

void fault_watch_init(struct fault_watch *watch, const char *path)
{
    *watch = (struct fault_watch){.path = path};
    tel_buffer_init(&watch->fresh, FAULT_PLAN_BYTES_MAX);
    tel_buffer_init(&watch->seen, FAULT_PLAN_BYTES_MAX);
    tel_buffer_init(&watch->loaded, FAULT_PLAN_BYTES_MAX);
}

void fault_watch_fini(struct fault_watch *watch)
{
    tel_buffer_fini(&watch->fresh);
    tel_buffer_fini(&watch->seen);
    tel_buffer_fini(&watch->loaded);
}

static bool is_same(const struct tel_buffer *a, const struct tel_buffer *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

/* Whether the file may still be written to without its stamp showing it; a time of change that is
 * far ahead is a clock that was set back, and as good as old. */
static bool is_young(const struct tel_stamp *stamp, uint64_t wall_ns)
{
    uint64_t changed_ns =
        (uint64_t)stamp->changed.tv_sec * TEL_NS_PER_SECOND + (uint64_t)stamp->changed.tv_nsec;
    uint64_t age_ns = wall_ns > changed_ns ? wall_ns - changed_ns : changed_ns - wall_ns;
    return stamp->there && age_ns < FAULT_WATCH_YOUNG_NS;
}

/* What a look is for another time: nothing is known of the file then. */
static bool is_passing(int error)
{
    return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

void fault_watch_explain(int error, char reason[FAULT_REASON_BYTES])
{
    if (error == -EMSGSIZE) {
        snprintf(reason, FAULT_REASON_BYTES, "it is too large: a plan has at most %d bytes",
                 FAULT_PLAN_BYTES_MAX);
    } else {
        snprintf(reason, FAULT_REASON_BYTES, "it cannot be read: %s", read_file_error(error));
    }
}

/* What `seen` is worth, by itself. NOTHING: there is no memory to tell. */
static enum fault_watch_news judge(struct fault_watch *watch, uint64_t wall_ns,
                                   struct fault_plan *plan)
{
    if (watch->seen_error != 0) {
        fault_watch_explain(watch->seen_error, watch->reason);
        return FAULT_WATCH_REFUSED;
    }
    if (watch->has_plan && is_same(&watch->seen, &watch->loaded)) {
        watch->reason[0] = '\0';
        return FAULT_WATCH_BACK;
    }
    int error =
        fault_plan_parse(watch->seen.data, watch->seen.length, true, wall_ns, plan, watch->reason);
    if (error != 0) {
        return error == -ENOMEM ? FAULT_WATCH_NOTHING : FAULT_WATCH_REFUSED;
    }
    watch->reason[0] = '\0';
    watch->loaded_wall_ns = wall_ns;
    tel_buffer_clear(&watch->loaded);
    tel_buffer_append(&watch->loaded, watch->seen.data, watch->seen.length);
    watch->has_plan = watch->loaded.error == 0;
    return FAULT_WATCH_LOADED;
}

/* Reads into `seen`; returns whether that is as it was. */
static bool read_again(struct fault_watch *watch)
{
    int error = read_file(watch->path, &watch->fresh);
    if (error == watch->seen_error && (error != 0 || is_same(&watch->fresh, &watch->seen))) {
        return true;
    }
    const struct tel_buffer fresh = watch->fresh;
    watch->fresh = watch->seen;
    watch->seen = fresh;
    watch->seen_error = error;
    watch->judged = false;
    return false;
}

/* Whether what is there has gone without a verdict for too long to be taken for half-written. */
static bool is_overdue(struct fault_watch *watch, uint64_t wall_ns)
{
    if (watch->waiting_wall_ns == 0 || watch->waiting_wall_ns > wall_ns) {
        watch->waiting_wall_ns = wall_ns;
    }
    return wall_ns - watch->waiting_wall_ns >= FAULT_WATCH_PATIENCE_NS;
}

enum fault_watch_news fault_watch_open(struct fault_watch *watch, uint64_t wall_ns,
                                       struct fault_plan *plan)
{
    tel_stamp_look(&watch->stamp, watch->path);
    read_again(watch);
    enum fault_watch_news news = judge(watch, wall_ns, plan);
    watch->judged = news != FAULT_WATCH_NOTHING;
    return news;
}

enum fault_watch_news fault_watch_look(struct fault_watch *watch, uint64_t wall_ns,
                                       struct fault_plan *plan)
{
    struct tel_stamp before;
    struct tel_stamp after;
    char kept[FAULT_REASON_BYTES];
    tel_stamp_look(&before, watch->path);
    if (watch->settled && tel_stamp_is_equal(&before, &watch->stamp)) {
        return FAULT_WATCH_NOTHING;
    }
    bool as_it_was = read_again(watch);
    tel_stamp_look(&after, watch->path);
    watch->stamp = before;
    watch->settled = watch->judged && !is_young(&before, wall_ns);
    if (watch->judged) {
        watch->waiting_wall_ns = 0;
        return FAULT_WATCH_NOTHING;
    }
    const bool overdue = is_overdue(watch, wall_ns);
    if (is_passing(watch->seen_error) || (!tel_stamp_is_equal(&before, &after) && !overdue)) {
        return FAULT_WATCH_NOTHING;
    }
    memcpy(kept, watch->reason, sizeof(kept));
    enum fault_watch_news news = judge(watch, wall_ns, plan);
    if (news == FAULT_WATCH_REFUSED && !as_it_was && !overdue) { /* half of one, perhaps */
        memcpy(watch->reason, kept, sizeof(kept));
        return FAULT_WATCH_NOTHING;
    }
    watch->judged = news != FAULT_WATCH_NOTHING;
    watch->waiting_wall_ns = watch->judged ? 0 : watch->waiting_wall_ns;
    return news;
}
