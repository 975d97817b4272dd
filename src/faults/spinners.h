/*
 * Spinners: CPU time burnt in the background, by threads of their own, for as long as a fault says
 * so.
 *
 * How it works: cpus that are wanted are shared out, one a thread and what is left to the last: 1.5
 * are `fault cpu 0`, which never rests, and `fault cpu 1`, which burns half of each SPINNERS_PERIOD.
 * What was burnt is what the thread's own CPU clock says, and is held against the time that has
 * gone by, so that what a busy machine withheld is made up for, up to SPINNERS_DEBT.
 *
 * Threads: spinners_set() and spinners_fini() by one thread; spinners_burning() by any. The threads
 * have the priority of all others: that they are in the way is the point.
 * Failure: a thread that cannot be started is told as a diagnostic; spinners_burning() says what the
 * others burn.
 */
#ifndef GLASSBOX_FAULTS_SPINNERS_H
#define GLASSBOX_FAULTS_SPINNERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPINNERS_MAX       64
#define SPINNERS_PERIOD_NS UINT64_C(10000000)  /* of rest and work */
#define SPINNERS_DEBT_NS   UINT64_C(200000000) /* of CPU time that is made up for */

struct spinner {
    pthread_t thread;
    bool running;         /* started and not joined */
    _Atomic double share; /* of a CPU; 0: ends */
    size_t number;
    struct spinners *all;
};

struct spinners {
    pthread_mutex_t mutex; /* of what resting threads wait for */
    pthread_cond_t changed;
    struct spinner items[SPINNERS_MAX];
};

void spinners_init(struct spinners *spinners);

/* Burns so many CPUs from now on: threads that are too many end at once. */
void spinners_set(struct spinners *spinners, double cpus);

/* The CPUs that are being burnt: what is wanted, unless threads could not be started. */
double spinners_burning(const struct spinners *spinners);

/* Ends all threads. */
void spinners_fini(struct spinners *spinners);

#endif
