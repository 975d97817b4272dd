/*
 * gzip of what is in memory: an OTLP request's body, an exposition for a scraper that takes it.
 *
 * How it works: the fastest level, since the CPU is a thread's that has better to do, and what
 * telemetry says repeats itself: a tenth of the size is left already. The compressor's state is
 * made and freed with each call, so a program that seldom compresses does not carry it.
 *
 *     struct iovec pieces[] = {{head.data, head.length}, {rest.data, rest.length}};
 *     if (tel_gzip(pieces, 2, &packed) == 0) { send(packed.data, packed.length); }
 *
 * Threads: pure, on the buffer given. Memory: about 256 KiB while it runs (zlib), then only *out,
 * which grows with what comes out, not with what goes in.
 * Source: RFC 1952, through zlib.
 */
#ifndef TELEMETRY_GZIP_H
#define TELEMETRY_GZIP_H

#include <stddef.h>
#include <sys/uio.h>

#include "telemetry/buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Compresses `count` (1 or more) pieces of less than 4 GiB, one after the other, into one gzip
 * member in *out, replacing what is in it. Returns 0; -ENOMEM; or -EMSGSIZE when the buffer's limit
 * or a piece's is reached. After an error *out is of no use. */
int tel_gzip(const struct iovec *pieces, size_t count, struct tel_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
