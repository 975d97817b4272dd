/*
 * The hub: the last frames, which one thread publishes and the viewers of every site are sent.
 *
 * How it works: frames are numbered from 1 on; the hub keeps the last PAGE_HUB_FRAMES. A reader asks for
 * the frame of a number and holds it while it sends it; one that asks for what is gone already gets
 * the oldest there is, and so learns how many it missed. A frame is freed when neither the hub nor a
 * reader holds it.
 *
 * Threads: publish and clear by the main thread; newest, get and release by any. A mutex guards the
 * table of pointers; nothing is copied, sent or allocated under it.
 * Memory: PAGE_HUB_FRAMES frames of up to PAGE_FRAME_BYTES_MAX, and none while nobody looks.
 */
#ifndef GLASSBOX_PAGE_HUB_H
#define GLASSBOX_PAGE_HUB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_HUB_FRAMES      16 /* a power of two: four seconds of them */
#define PAGE_FRAME_BYTES_MAX ((size_t)256 * 1024)

struct page_frame {
    _Atomic unsigned holders;
    uint64_t number;
    size_t length;
    char bytes[]; /* as they are sent */
};

struct page_hub {
    pthread_mutex_t lock;
    uint64_t newest; /* number of the last one published; 0: none was */
    struct page_frame *frames[PAGE_HUB_FRAMES];
};

/* Returns 0 or a negative errno. */
int page_hub_init(struct page_hub *hub);
void page_hub_fini(struct page_hub *hub);

/* Publishes a copy of these bytes as the next frame. Returns 0 or -ENOMEM: then there is none. */
int page_hub_publish(struct page_hub *hub, const char *bytes, size_t length);
/* Forgets all frames; numbers go on. */
void page_hub_clear(struct page_hub *hub);

/* The number of the last frame; 0 before the first. */
uint64_t page_hub_newest(struct page_hub *hub);
/* The number of the oldest frame that the hub keeps, or would if it had been published. */
uint64_t page_hub_oldest(struct page_hub *hub);
/* The frame with this number, or the oldest after it that is still there; NULL when it is not there
 * yet. The caller releases it. */
struct page_frame *page_hub_get(struct page_hub *hub, uint64_t number);
void page_frame_release(struct page_frame *frame);

#endif
