/*
 * A small file, whole: what operators give by name.
 *
 * Threads: any. Failure: nothing waits for a writer (a FIFO is refused, as all that is no regular
 * file), and no more than the buffer's limit is kept.
 */
#ifndef GLASSBOX_FAULTS_READ_FILE_H
#define GLASSBOX_FAULTS_READ_FILE_H

#include "telemetry/buffer.h"

/* Reads `path` into *out, replacing what is in it. Returns 0 or a negative errno: -EMSGSIZE when it
 * has more than the buffer's limit, -EINVAL when it is no regular file. */
int read_file(const char *path, struct tel_buffer *out);

/* What such an errno means for the operator: "No such file or directory", … Static, or strerror's. */
const char *read_file_error(int error);

#endif
