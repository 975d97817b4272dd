/*
 * Ballast: memory that is held, and used, for as long as a fault says so.
 *
 * How it works: one mapping, grown and cut to what is wanted by a thread of its own, `fault memory`,
 * which writes to every page: so neither a loop nor a caller waits for the kernel's clearing of
 * pages. The thread is there while memory is wanted, and sleeps when it holds what it should.
 *
 * Threads: ballast_set() and ballast_fini() by one thread; ballast_held() by any.
 * Failure: what cannot be mapped is told as a diagnostic, and what was held before stays held;
 * ballast_held() says how much that is. That is for a limit on addresses, or a system that does not
 * overcommit; elsewhere, and under a container's limit, mapping succeeds, and writing to what is not
 * there has the kernel's OOM killer end a process, of which there is nothing to tell any more.
 */
#ifndef GLASSBOX_FAULTS_BALLAST_H
#define GLASSBOX_FAULTS_BALLAST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ballast {
    pthread_mutex_t mutex; /* of what the thread waits for */
    pthread_cond_t changed;
    pthread_t thread;
    bool running;            /* started and not joined */
    bool finished;           /* it has nothing to do any more; under the mutex */
    _Atomic uint64_t wanted; /* bytes */
    _Atomic uint64_t held;   /* bytes written to, and so resident */
    char *bytes;             /* the mapping: the thread's */
    uint64_t mapped;
};

void ballast_init(struct ballast *ballast);

/* Wants so many bytes from now on, and returns at once. */
void ballast_set(struct ballast *ballast, uint64_t bytes);

/* What is held now: on its way to what is wanted, or less when there was not enough. */
uint64_t ballast_held(const struct ballast *ballast);

/* Gives everything back and ends the thread. */
void ballast_fini(struct ballast *ballast);

#endif
