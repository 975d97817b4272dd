/*
 * The plan's file, read again when it changes.
 *
 * How it works: each look compares the file's stamp (telemetry/stamp.h) with the one of the last
 * reading; so a file that is written anew, renamed into place, or reached by a link that was turned
 * (as a mounted ConfigMap is) is noticed. While a file is younger than FAULT_WATCH_YOUNG_NS it is
 * read at every look, because its stamp is no finer than the kernel's tick. Content that is no plan
 * may be half of one that is still being written: it is judged at the second look that finds the
 * same. Content that is as it was before is no news.
 *
 *     look ── same stamp, not young ──> nothing
 *       └── read ── as it was ─────────> nothing
 *             └── a plan ──────────────> LOADED
 *             └── none, twice ─────────> REFUSED, with the reason; once for each content
 *
 * Threads: one at a time: the owner's lock.
 * Memory: three buffers of at most FAULT_PLAN_BYTES_MAX.
 * Failure: what cannot be read, is too large, or is no plan is refused with the reason, and whatever
 * was loaded before is the caller's to keep. The file is opened without waiting, and only a regular
 * one is read; a file system that hangs makes the caller wait.
 */
#ifndef GLASSBOX_FAULTS_WATCH_H
#define GLASSBOX_FAULTS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "faults/plan.h"
#include "telemetry/buffer.h"
#include "telemetry/stamp.h"

#define FAULT_WATCH_YOUNG_NS    UINT64_C(2000000000)
#define FAULT_WATCH_PATIENCE_NS UINT64_C(2000000000) /* with what changes at every look */

enum fault_watch_news {
    FAULT_WATCH_NOTHING,
    FAULT_WATCH_LOADED,  /* another plan */
    FAULT_WATCH_REFUSED, /* what it holds is none: `reason` */
    FAULT_WATCH_BACK     /* after that, the plan that is loaded already */
};

struct fault_watch {
    const char *path; /* borrowed */
    struct tel_stamp stamp;
    bool settled;                    /* nothing to read while the stamp stays */
    struct tel_buffer fresh;         /* room for the next reading */
    struct tel_buffer seen;          /* what the last one gave */
    int seen_error;                  /* or why it gave nothing */
    bool judged;                     /* that was told */
    uint64_t waiting_wall_ns;        /* since when there was no verdict; 0: there is one */
    struct tel_buffer loaded;        /* the plan's text */
    bool has_plan;                   /* `loaded` is one */
    uint64_t loaded_wall_ns;         /* when */
    char reason[FAULT_REASON_BYTES]; /* why the last content was refused; "": it was not */
};

void fault_watch_init(struct fault_watch *watch, const char *path);
void fault_watch_fini(struct fault_watch *watch);

/* Reads the file for the first time: whatever it is, it is judged at once. Returns LOADED with *plan,
 * or REFUSED with *plan untouched. */
enum fault_watch_news fault_watch_open(struct fault_watch *watch, uint64_t wall_ns,
                                       struct fault_plan *plan);

/* Why a plan's file could not be read, in words: `error` is read_file()'s. */
void fault_watch_explain(int error, char reason[FAULT_REASON_BYTES]);

/* Looks again. *plan is written only when the answer is LOADED. */
enum fault_watch_news fault_watch_look(struct fault_watch *watch, uint64_t wall_ns,
                                       struct fault_plan *plan);

#endif
