/*
 * A bounded queue of byte records between one producing and one consuming thread.
 *
 * How it works: a power-of-two array of bytes, a write position only the producer moves, a read
 * position only the consumer moves, both ever growing. A record lies in one piece, 8-aligned, after
 * a header of its length; where it would not fit before the array's end a skip header fills the
 * rest. The array is mapped memory that becomes resident only as it is used.
 *
 *        read                write
 *     ....[len|record][len|record]............[skip]
 *
 * The producer reserves, fills and commits; a full ring makes reserve return NULL, at once.
 *
 * Threads: reserve/commit by the producer; peek/pop by the consumer; counts by any.
 */
#ifndef TEL_BASE_RING_H
#define TEL_BASE_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct tel__ring {
    char *bytes;
    size_t size;    /* bytes, a power of two */
    uint64_t limit; /* records that may wait; 0: only bytes bound it */
    _Alignas(64) _Atomic uint64_t write_at;
    _Atomic uint64_t pushed; /* records committed, ever */
    uint64_t read_seen;      /* the producer's last look at read_at */
    uint64_t popped_seen;    /* and at popped */
    uint64_t reserved_at;    /* where the record being filled lies */
    _Alignas(64) _Atomic uint64_t read_at;
    _Atomic uint64_t popped; /* records popped, ever */
};

/* `size_bytes` is rounded up to a power of two, at least 4 KiB. Returns 0, -EINVAL or -ENOMEM. */
int tel__ring_init(struct tel__ring *ring, size_t size_bytes, uint64_t record_limit);
void tel__ring_fini(struct tel__ring *ring);

/* Room for a record of `length` bytes, 8-aligned, or NULL when the ring is full or the record can
 * never fit: with its header of 8 bytes it may take half the ring, so that an empty ring always
 * takes it. Nothing is visible to the consumer before commit with the length really used, which
 * may be less; a reservation that is not committed is forgotten by the next. */
void *tel__ring_reserve(struct tel__ring *ring, size_t length);
void tel__ring_commit(struct tel__ring *ring, size_t length);

/* The oldest record and its length, or NULL when there is none; it stays until pop. */
const void *tel__ring_peek(struct tel__ring *ring, size_t *length);
void tel__ring_pop(struct tel__ring *ring);

/* Records waiting, bytes used: exact for the consumer, a moment's view for others, and never more
 * than the limit or the size. */
uint64_t tel__ring_count(const struct tel__ring *ring);
size_t tel__ring_used_bytes(const struct tel__ring *ring);

#endif
