/*
 * A slab:
 *
 *     [ struct slab | slot | slot | … | slot | never taken yet … ]
 *                     └ [ owner, next free | block ]
 *
 * Invariants: a slab is in the list `open` when it has both room and a block taken; it is `spare`
 * when no block is taken; it is in neither when it is full. Slots behind `carved` were never taken,
 * so their pages are not touched before they are needed.
 */
#include "http/slabs.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "http/poison.h"

struct slot {
    struct slab *owner;
    struct slot *next; /* of the free ones */
    _Alignas(16) char block[];
};

struct slab {
    struct slab *next, **link; /* in `open` */
    struct slot *free;
    size_t taken;
    size_t carved;
    _Alignas(16) char slots[];
};

static size_t capacity(const struct slabs *slabs)
{
    return (SLAB_BYTES - sizeof(struct slab)) / slabs->block_bytes;
}

static bool is_full(const struct slabs *slabs, const struct slab *slab)
{
    return slab->free == NULL && slab->carved == capacity(slabs);
}

static void link_slab(struct slabs *slabs, struct slab *slab)
{
    slab->link = &slabs->open;
    slab->next = slabs->open;
    if (slab->next != NULL) {
        slab->next->link = &slab->next;
    }
    slabs->open = slab;
}

static void unlink_slab(struct slab *slab)
{
    *slab->link = slab->next;
    if (slab->next != NULL) {
        slab->next->link = slab->link;
    }
}

static void free_slab(struct slabs *slabs, struct slab *slab)
{
    UNPOISON(slab, SLAB_BYTES);
    free(slab);
    slabs->count--;
}

/* One with room: the one in use that last lost a block, the spare, or a new one. */
static struct slab *find_room(struct slabs *slabs)
{
    struct slab *slab = slabs->open;
    if (slab != NULL) {
        return slab;
    }
    slab = slabs->spare;
    slabs->spare = NULL;
    if (slab == NULL) {
        slab = malloc(SLAB_BYTES);
        if (slab == NULL) {
            return NULL;
        }
        *slab = (struct slab){.free = NULL};
        slabs->count++;
    }
    link_slab(slabs, slab);
    return slab;
}

void slabs_init(struct slabs *slabs, size_t block_bytes)
{
    assert(block_bytes <= SLAB_BYTES / 8);
    *slabs = (struct slabs){.block_bytes = sizeof(struct slot) + (block_bytes + 15) / 16 * 16};
}

void slabs_fini(struct slabs *slabs)
{
    assert(slabs->open == NULL);
    if (slabs->spare != NULL) {
        free_slab(slabs, slabs->spare);
        slabs->spare = NULL;
    }
}

void *slabs_take(struct slabs *slabs)
{
    struct slab *slab = find_room(slabs);
    if (slab == NULL) {
        return NULL;
    }
    struct slot *slot = slab->free;
    if (slot != NULL) {
        slab->free = slot->next;
    } else {
        slot = (struct slot *)(void *)(slab->slots + slab->carved++ * slabs->block_bytes);
        slot->owner = slab;
    }
    slab->taken++;
    if (is_full(slabs, slab)) {
        unlink_slab(slab);
    }
    UNPOISON(slot->block, slabs->block_bytes - sizeof *slot);
    return slot->block;
}

void slabs_give(struct slabs *slabs, void *block)
{
    struct slot *slot = (struct slot *)(void *)((char *)block - offsetof(struct slot, block));
    struct slab *slab = slot->owner;
    const bool was_full = is_full(slabs, slab);
    POISON(slot->block, slabs->block_bytes - sizeof *slot);
    slot->next = slab->free;
    slab->free = slot;
    slab->taken--;
    if (!was_full) {
        unlink_slab(slab);
    }
    if (slab->taken > 0) {
        link_slab(slabs, slab);
    } else if (slabs->spare == NULL) {
        slabs->spare = slab;
    } else {
        free_slab(slabs, slab);
    }
}
