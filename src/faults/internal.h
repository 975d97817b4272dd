/*
 * struct faults, for the files of this folder.
 *
 * What the mutex guards is marked; the rest is the main thread's, or never changes.
 */
#ifndef GLASSBOX_FAULTS_INTERNAL_H
#define GLASSBOX_FAULTS_INTERNAL_H

#include <pthread.h>

#include "faults/faults.h"
#include "faults/process.h"
#include "faults/watch.h"
#include "options.h"

struct event;

/* What became of the file, as others may know. */
struct fault_file_status {
    bool watched; /* --faults was given */
    uint64_t loaded_wall_ns;
    char reason[FAULT_REASON_BYTES]; /* why the last content was refused; "": it was not */
    uint64_t loads_ok;
    uint64_t loads_refused;
};

struct faults {
    _Alignas(64) _Atomic uint64_t generation; /* of what is published; written under the mutex */
    _Alignas(64) pthread_mutex_t mutex;
    const struct options *options;

    /* guarded */
    struct fault_layers layers;
    struct fault_file_status file;
    struct fault_state state;         /* what is published */
    const struct fault_layer *source; /* whose it is */
    uint64_t armings;                 /* of the layers, then */
    uint64_t computed_wall_ns;        /* it holds from here */
    uint64_t change_wall_ns;          /* to here */
    int timer_fd;                     /* set for timer_wall_ns; -1: there is none */
    uint64_t timer_wall_ns;

    /* the main thread's */
    struct fault_watch watch;
    struct fault_plan fresh; /* what the file is read into */
    struct fault_process process;
    uint64_t applied; /* generation */
    bool told;        /* that there are faults */
    struct event *timer;
    bool stopped;
};

/* Reads what the options name: start.c. Returns 0 or a negative errno, all told by name. */
int faults_read_options(struct faults *faults, uint64_t wall_ns);

/* Whether a plan may hide the file's: for faults that it has, and soon. Returns 0 or -EINVAL with the
 * reason. One that is over passes. */
int faults_check_override(const struct fault_plan *plan, uint64_t wall_ns,
                          char reason[FAULT_REASON_BYTES]);

/* Says so, arms and publishes, under the mutex. */
void faults_arm(struct faults *faults, enum fault_source source, const struct fault_plan *plan,
                uint64_t wall_ns);

#endif
