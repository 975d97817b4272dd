/*
 * A thread of a process fault: named, deaf to signals, and told of when it cannot be had.
 *
 * Threads: any.
 */
#ifndef GLASSBOX_FAULTS_FAULT_THREAD_H
#define GLASSBOX_FAULTS_FAULT_THREAD_H

#include <pthread.h>

/* Starts run(argument). Returns 0 or a negative errno, which has been told as a diagnostic. The
 * name is the thread's to set. */
int fault_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
