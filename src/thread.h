/*
 * Threads that are deaf to signals, which belong to the main thread's loop.
 *
 * Threads: any.
 */
#ifndef GLASSBOX_THREAD_H
#define GLASSBOX_THREAD_H

#include <pthread.h>

/* Starts run(argument) with every signal blocked. Returns 0 or a negative errno. The name is the
 * thread's to set. */
int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
