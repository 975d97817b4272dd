/*
 * A service as main() makes it, with everything on, for the pages that are made of its registry.
 */
#ifndef GLASSBOX_REFERENCE_LIVE_H
#define GLASSBOX_REFERENCE_LIVE_H

#include "telemetry/buffer.h"
#include "telemetry/metrics.h"

/* Writes a page of a registry and of its first scrape, in text. Returns 0 or -1. */
typedef int live_writer(struct tel_buffer *out, const struct tel_registry *registry,
                        const char *text);

/* Starts such a service, has the page written, and ends it. Returns 0, or -1 after it has said why. */
int live_page(struct tel_buffer *out, live_writer *write);

/* A type's name in the references. */
const char *live_type(enum tel_metric_type type);

#endif
