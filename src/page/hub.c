/*
 * Invariant: frames[n % PAGE_HUB_FRAMES] is frame n, for the last of them that were published since the
 * hub was cleared; other places are NULL.
 */
#include "page/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int page_hub_init(struct page_hub *hub)
{
    memset(hub, 0, sizeof(*hub));
    return -pthread_mutex_init(&hub->lock, NULL);
}

void page_hub_fini(struct page_hub *hub)
{
    page_hub_clear(hub);
    pthread_mutex_destroy(&hub->lock);
}

void page_frame_release(struct page_frame *frame)
{
    if (frame != NULL && atomic_fetch_sub_explicit(&frame->holders, 1, memory_order_acq_rel) == 1) {
        free(frame);
    }
}

int page_hub_publish(struct page_hub *hub, const char *bytes, size_t length)
{
    struct page_frame *frame = malloc(sizeof(*frame) + length);
    if (frame == NULL) {
        return -ENOMEM;
    }
    atomic_init(&frame->holders, 1); /* the hub's */
    frame->length = length;
    memcpy(frame->bytes, bytes, length);
    pthread_mutex_lock(&hub->lock);
    frame->number = ++hub->newest;
    struct page_frame **place = &hub->frames[frame->number % PAGE_HUB_FRAMES];
    struct page_frame *old = *place;
    *place = frame;
    pthread_mutex_unlock(&hub->lock);
    page_frame_release(old);
    return 0;
}

void page_hub_clear(struct page_hub *hub)
{
    struct page_frame *old[PAGE_HUB_FRAMES];
    pthread_mutex_lock(&hub->lock);
    memcpy(old, hub->frames, sizeof(old));
    memset(hub->frames, 0, sizeof(hub->frames));
    pthread_mutex_unlock(&hub->lock);
    for (size_t i = 0; i < PAGE_HUB_FRAMES; i++) {
        page_frame_release(old[i]);
    }
}

uint64_t page_hub_newest(struct page_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    uint64_t newest = hub->newest;
    pthread_mutex_unlock(&hub->lock);
    return newest;
}

static uint64_t oldest_of(uint64_t newest)
{
    return newest >= PAGE_HUB_FRAMES ? newest - PAGE_HUB_FRAMES + 1 : 1;
}

uint64_t page_hub_oldest(struct page_hub *hub)
{
    return oldest_of(page_hub_newest(hub));
}

struct page_frame *page_hub_get(struct page_hub *hub, uint64_t number)
{
    struct page_frame *frame = NULL;
    pthread_mutex_lock(&hub->lock);
    const uint64_t newest = hub->newest;
    const uint64_t oldest = oldest_of(newest);
    for (uint64_t at = number > oldest ? number : oldest; at <= newest && frame == NULL; at++) {
        frame = hub->frames[at % PAGE_HUB_FRAMES];
    }
    if (frame != NULL) {
        atomic_fetch_add_explicit(&frame->holders, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&hub->lock);
    return frame;
}
