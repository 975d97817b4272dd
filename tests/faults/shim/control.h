/*
 * What a test orders of the shim and what the shim tells it: one struct in a file that both have
 * mapped, so that a fault can begin and end at any moment of the program's life.
 *
 * Orders are read at each call; a 0 orders nothing. Counts only grow. control.py has the same
 * struct; `size` keeps the two from drifting apart.
 */
#ifndef FAULTS_CONTROL_H
#define FAULTS_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

#define CONTROL_VARIABLE "FAULTS_CONTROL" /* the file */

/* A kind of call that can be refused. `calls` counts from the moment that the program maps the
 * file; `at` is told in the same count. */
struct refusals {
    _Atomic uint64_t calls;
    _Atomic uint64_t refused;
    _Atomic uint64_t at;      /* the call that is refused */
    _Atomic uint64_t lasting; /* and all after it */
    _Atomic uint64_t every;   /* each n-th is refused */
    _Atomic uint64_t where; /* who asked for the last that was refused: an address in the program */
};

enum refused_kind {
    REFUSE_MEMORY,      /* ENOMEM: malloc and its like, mmap */
    REFUSE_DESCRIPTORS, /* EMFILE: open, socket, eventfd, epoll, timerfd, pipe, dup */
    REFUSE_ACCEPTS,     /* EMFILE: accept4 */
    REFUSE_THREADS,     /* EAGAIN: pthread_create */
    REFUSED_KINDS
};

struct control {
    _Atomic uint64_t size; /* of this struct: set by the test, looked at by the shim */
    struct refusals refusals[REFUSED_KINDS];
    _Atomic uint64_t ours_only; /* memory: only where the program itself asks, not its libraries */

    /* Reads and writes: of a hundred calls so many are cut short, interrupted, or told to come
     * again. Which ones is drawn by `seed`. */
    _Atomic uint64_t short_percent;
    _Atomic uint64_t interrupted_percent;
    _Atomic uint64_t again_percent;
    _Atomic uint64_t seed;
    _Atomic uint64_t transfers;
    _Atomic uint64_t cut;
    _Atomic uint64_t interrupted;
    _Atomic uint64_t told_again;

    _Atomic int64_t wall_offset_ns; /* what CLOCK_REALTIME is off */
    _Atomic uint64_t frozen_ns;     /* what CLOCK_MONOTONIC reads */

    _Atomic uint64_t close_fd; /* closed at the next wait for events, plus 1; then 0 again */
};

#endif
