/*
 * The threshold is below the smallest exchange and the slabs of connections, above what is allocated
 * again and again: mapping a block costs some microseconds. To set it also stops glibc from raising
 * it.
 */
#include "memory.h"

#include <malloc.h>

#define MAPPED_BYTES (16 * 1024)

void memory_init(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
#endif
}
