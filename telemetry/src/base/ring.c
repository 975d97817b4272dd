/*
 * The queue of records between two threads.
 *
 * Positions count bytes for ever; a position masked is an offset. Each record is
 *
 *     [uint32 length][uint32 kind][bytes, padded to 8]
 *
 * of kind RECORD or SKIP. A record that would cross the array's end is preceded by a SKIP up to
 * it; both become visible by the same store to write_at, so after a skip there is always a record.
 *
 * Invariants: read_at <= write_at <= read_at + size; everything in between is whole records.
 * The release store to write_at publishes a record, the release store to read_at gives its room
 * back. Either side keeps its last look at the other's position and looks again only when that is
 * not enough, so a ring that is neither full nor empty moves no shared cache line but its content.
 */
#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define HEADER_BYTES   8u
#define SMALLEST_BYTES 4096u

enum kind { RECORD = 0, SKIP = 1 };

struct header {
    uint32_t length; /* of the record's bytes, unpadded; of a skip: header included */
    uint32_t kind;
};

_Static_assert(sizeof(struct header) == HEADER_BYTES, "records must stay 8-aligned");

int tel__ring_init(struct tel__ring *ring, size_t size_bytes, uint64_t record_limit)
{
    memset(ring, 0, sizeof(*ring));
    if (size_bytes > UINT32_MAX / 2) { /* lengths are 32 bits */
        return -EINVAL;
    }
    size_t size = SMALLEST_BYTES;
    while (size < size_bytes) {
        size *= 2;
    }
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED) {
        return -ENOMEM;
    }
    ring->bytes = bytes;
    ring->size = size;
    ring->limit = record_limit;
    return 0;
}

void tel__ring_fini(struct tel__ring *ring)
{
    if (ring->bytes != NULL) {
        munmap(ring->bytes, ring->size);
        ring->bytes = NULL;
    }
}

static size_t padded(size_t length)
{
    return (length + 7) & ~(size_t)7;
}

static struct header *header_at(const struct tel__ring *ring, uint64_t position)
{
    return (struct header *)(void *)(ring->bytes + (position & (ring->size - 1)));
}

static bool has_room(struct tel__ring *ring, uint64_t write_at, size_t needed)
{
    if (write_at + needed - ring->read_seen <= ring->size) {
        return true;
    }
    ring->read_seen = atomic_load_explicit(&ring->read_at, memory_order_acquire);
    return write_at + needed - ring->read_seen <= ring->size;
}

static bool is_under_limit(struct tel__ring *ring)
{
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    if (ring->limit == 0 || pushed - ring->popped_seen < ring->limit) {
        return true;
    }
    ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    return pushed - ring->popped_seen < ring->limit;
}

void *tel__ring_reserve(struct tel__ring *ring, size_t length)
{
    if (length > ring->size / 2 - HEADER_BYTES || !is_under_limit(ring)) {
        return NULL;
    }
    uint64_t write_at = atomic_load_explicit(&ring->write_at, memory_order_relaxed);
    size_t needed = HEADER_BYTES + padded(length);
    size_t to_end = ring->size - (size_t)(write_at & (ring->size - 1));
    size_t skipped = needed <= to_end ? 0 : to_end;
    if (!has_room(ring, write_at, skipped + needed)) {
        return NULL;
    }
    if (skipped > 0) {
        /* Not visible yet: commit moves write_at over the skip and the record at once. */
        *header_at(ring, write_at) = (struct header){(uint32_t)skipped, SKIP};
    }
    ring->reserved_at = write_at + skipped;
    return header_at(ring, ring->reserved_at) + 1;
}

void tel__ring_commit(struct tel__ring *ring, size_t length)
{
    *header_at(ring, ring->reserved_at) = (struct header){(uint32_t)length, RECORD};
    /* Counted before it can be seen, so that popped never overtakes pushed. */
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_relaxed);
    atomic_store_explicit(&ring->write_at, ring->reserved_at + HEADER_BYTES + padded(length),
                          memory_order_release);
}

const void *tel__ring_peek(struct tel__ring *ring, size_t *length)
{
    uint64_t read_at = atomic_load_explicit(&ring->read_at, memory_order_relaxed);
    if (read_at == atomic_load_explicit(&ring->write_at, memory_order_acquire)) {
        return NULL;
    }
    const struct header *header = header_at(ring, read_at);
    if (header->kind == SKIP) {
        read_at += header->length;
        atomic_store_explicit(&ring->read_at, read_at, memory_order_release);
        header = header_at(ring, read_at);
    }
    *length = header->length;
    return header + 1;
}

void tel__ring_pop(struct tel__ring *ring)
{
    uint64_t read_at = atomic_load_explicit(&ring->read_at, memory_order_relaxed);
    const struct header *header = header_at(ring, read_at);
    assert(header->kind == RECORD && "pop follows a successful peek");
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    atomic_store_explicit(&ring->read_at, read_at + HEADER_BYTES + padded(header->length),
                          memory_order_release);
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
}

/* A thread that is neither side may sleep between its two looks while the ring goes round: what it
 * then sees is more than was ever in it, and stands for a ring that was full. */
static uint64_t bounded(uint64_t seen, uint64_t most)
{
    return seen < most ? seen : most;
}

uint64_t tel__ring_count(const struct tel__ring *ring)
{
    /* popped first: what it shows was pushed before, so the difference is never negative. */
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_acquire);
    uint64_t count = atomic_load_explicit(&ring->pushed, memory_order_relaxed) - popped;
    return ring->limit != 0 ? bounded(count, ring->limit) : count;
}

size_t tel__ring_used_bytes(const struct tel__ring *ring)
{
    uint64_t read_at = atomic_load_explicit(&ring->read_at, memory_order_acquire);
    return (size_t)bounded(atomic_load_explicit(&ring->write_at, memory_order_relaxed) - read_at,
                           ring->size);
}
