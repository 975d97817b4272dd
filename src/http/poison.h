/*
 * Blocks on a free list are nobody's: AddressSanitizer is told so, as it cannot know by itself of
 * memory that does not go back to malloc(3). Nothing in other builds.
 */
#ifndef GLASSBOX_HTTP_POISON_H
#define GLASSBOX_HTTP_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_WITH_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(POISON_WITH_ASAN)
#include <sanitizer/asan_interface.h>
#define POISON(memory, size)   __asan_poison_memory_region((memory), (size))
#define UNPOISON(memory, size) __asan_unpoison_memory_region((memory), (size))
#else
#define POISON(memory, size)   ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#endif

#endif
