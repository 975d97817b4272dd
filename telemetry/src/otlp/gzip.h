/*
 * A request's body, compressed.
 *
 * Threads: pure, on the buffer given. Memory: about 256 KiB while it runs (zlib), then only *out.
 * Source: RFC 1952, through zlib.
 */
#ifndef TEL_OTLP_GZIP_H
#define TEL_OTLP_GZIP_H

#include <stddef.h>

#include "telemetry/buffer.h"

struct tel__bytes {
    const void *data;
    size_t length;
};

/* Compresses the pieces, one after the other, into *out, replacing what is in it. Returns 0, or
 * -ENOMEM or -EMSGSIZE. */
int tel__gzip(const struct tel__bytes *pieces, size_t count, struct tel_buffer *out);

#endif
