/*
 * Threads that are deaf to signals: those are for the threads that wait for them, and a SIGPIPE of a
 * socket or a pipe that nobody reads must end in EPIPE.
 *
 * Threads: any.
 */
#ifndef TEL_BASE_THREAD_H
#define TEL_BASE_THREAD_H

#include <pthread.h>

/* Starts run(argument) with every signal blocked. Returns 0 or a negative errno. */
int tel__thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
