/*
 * What the shim's files share.
 */
#ifndef FAULTS_SHIM_H
#define FAULTS_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"

/* The test's orders; a struct of nothing but zeros before main() and without a test. */
extern struct control *shim_control;

/* Counts a call of this kind; whether it is to be refused. */
bool shim_refuses(enum refused_kind kind, const void *caller);

/* A number that depends on the seed and on how many were drawn before. */
uint64_t shim_draw(void);

/* Why a call that waits ends early this time: EINTR, or 0. */
int shim_interruption(void);

/* The function of this name that the program would have called without us. */
void *shim_next(void **cache, const char *name);

#define CALLER __builtin_return_address(0)

/* The real one of a function. */
#define NEXT(name)                                    \
    ({                                                \
        static void *cache;                           \
        (__typeof__(name) *)shim_next(&cache, #name); \
    })

#endif
