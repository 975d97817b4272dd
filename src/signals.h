/*
 * The three signals of the process: made from the options and the OTEL_* variables before anything
 * is served, flushed after everything was.
 *
 * Threads: the main thread.
 */
#ifndef GLASSBOX_SIGNALS_H
#define GLASSBOX_SIGNALS_H

#include <stdint.h>

struct service;

/* Makes the signals of `service` (options and worker_count are set) and starts their threads. Returns 0 or a negative errno; the reason has been told as a
 * diagnostic, and signals_fini() cleans up what was made. */
int signals_init(struct service *service);

/* Writes out what waits, for up to `deadline_ms`, and joins the threads. What is left is
 * counted. Returns 0 or -ETIMEDOUT. */
int signals_flush(struct service *service, uint32_t deadline_ms);

/* Frees everything; NULLs are fine. */
void signals_fini(struct service *service);

#endif
