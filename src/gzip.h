/*
 * gzip of one buffer into another.
 *
 * Threads: any.
 */
#ifndef GLASSBOX_GZIP_H
#define GLASSBOX_GZIP_H

#include "telemetry/buffer.h"

/* Replaces `packed` by the gzip form of `plain`. Returns 0 or a negative errno. */
int gzip_compress(const struct tel_buffer *plain, struct tel_buffer *packed);

#endif
