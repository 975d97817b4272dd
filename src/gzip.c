/*
 * The fastest level: a scrape is read once, on a near network, and the CPU is this thread's. The
 * state of some 260 KiB is made at first use and freed with each call, so that a service nobody
 * scrapes with gzip does not carry it.
 */
#include "gzip.h"

#include <errno.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* 16 asks zlib for the gzip wrapper */

int gzip_compress(const struct tel_buffer *plain, struct tel_buffer *packed)
{
    z_stream stream = {.zalloc = NULL};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return -ENOMEM;
    }
    tel_buffer_clear(packed);
    size_t room = deflateBound(&stream, plain->length);
    char *out = tel_buffer_extend(packed, room);
    int result = Z_MEM_ERROR;
    if (out != NULL) {
        stream.next_in = (Bytef *)plain->data;
        stream.avail_in = (uInt)plain->length;
        stream.next_out = (Bytef *)out;
        stream.avail_out = (uInt)room;
        result = deflate(&stream, Z_FINISH);
        packed->length = stream.total_out;
    }
    deflateEnd(&stream);
    return result == Z_STREAM_END ? 0 : -ENOMEM;
}
