/*
 * One deflate stream over all pieces. Room for the output is asked for in chunks; the last chunk is
 * whatever the buffer's ceiling leaves.
 */
#include "telemetry/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <zlib.h>

#define GZIP_LEVEL  Z_BEST_SPEED
#define GZIP_WINDOW (15 + 16) /* the largest window, in gzip's wrapping */
#define GZIP_MEMORY 8         /* zlib's default */
#define CHUNK       16384     /* bytes of room a step */

/* Gives the stream room at the buffer's end. Returns 0 or the buffer's error. */
static int make_room(z_stream *stream, struct tel_buffer *out)
{
    size_t left = out->limit - out->length;
    size_t room = left > 0 && left < CHUNK ? left : CHUNK;
    if (tel_buffer_reserve(out, room) != 0) {
        return out->error;
    }
    stream->next_out = (Bytef *)out->data + out->length;
    stream->avail_out = (uInt)room;
    return 0;
}

/* Runs deflate until the piece is taken, or until the end of the stream when it is the last. */
static int deflate_piece(z_stream *stream, const struct iovec *piece, bool last,
                         struct tel_buffer *out)
{
    if (piece->iov_len > UINT_MAX) {
        return -EMSGSIZE;
    }
    stream->next_in = piece->iov_base;
    stream->avail_in = (uInt)piece->iov_len;
    for (;;) {
        int error = make_room(stream, out);
        if (error != 0) {
            return error;
        }
        int result = deflate(stream, last ? Z_FINISH : Z_NO_FLUSH);
        out->length = (size_t)((char *)stream->next_out - out->data);
        if (result == Z_STREAM_END || (!last && stream->avail_in == 0)) {
            return 0;
        }
        if (result != Z_OK) {
            return -ENOMEM; /* nothing else is left with these arguments */
        }
    }
}

int tel_gzip(const struct iovec *pieces, size_t count, struct tel_buffer *out)
{
    z_stream stream = {0};
    tel_buffer_clear(out);
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return -ENOMEM;
    }
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        error = deflate_piece(&stream, &pieces[i], i + 1 == count, out);
    }
    deflateEnd(&stream);
    return error;
}
