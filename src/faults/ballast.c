/*
 * The thread compares what is mapped with what is wanted, and goes there in steps: cut what is too
 * much, map what is missing, write to it a MiB at a time. It looks at what is wanted after each step,
 * so that a fault that ends gives its memory back at once, however much was still to come.
 *
 *     bytes ├── written: held ──┤── mapped, not written yet ──┤
 *           0                  held                         mapped
 *
 * Invariant: held <= mapped; both only the thread's to write.
 */
#include "faults/ballast.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diagnostics.h"
#include "faults/thread.h"

#define STEP_BYTES ((uint64_t)1024 * 1024)

static uint64_t wanted_of(const struct ballast *ballast)
{
    return atomic_load_explicit(&ballast->ending, memory_order_relaxed)
               ? 0
               : atomic_load_explicit(&ballast->wanted, memory_order_relaxed);
}

/* Whoever sees it sees the mapping that it is of. */
static void set_held(struct ballast *ballast, uint64_t bytes)
{
    atomic_store_explicit(&ballast->held, bytes, memory_order_release);
}

/* ---- the thread's ------------------------------------------------------------------------------ */

/* Makes the mapping as large as `size`, whole pages. Returns 0 or a negative errno. */
static int resize(struct ballast *ballast, uint64_t size)
{
    if (size == ballast->mapped) {
        return 0;
    }
    if (size < ballast->mapped) {
        munmap(ballast->bytes + size, ballast->mapped - size);
        ballast->mapped = size;
        if (ballast_held(ballast) > size) {
            set_held(ballast, size);
        }
        return 0;
    }
    void *bytes =
        ballast->mapped > 0
            ? mremap(ballast->bytes, ballast->mapped, size, MREMAP_MAYMOVE)
            : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    madvise(bytes, size, MADV_DONTDUMP); /* nobody needs it in a core dump */
    ballast->bytes = bytes;
    ballast->mapped = size;
    return 0;
}

/* Writes to a step's pages, to each something else: equal pages may be merged. */
static void write_step(struct ballast *ballast, uint64_t page)
{
    uint64_t from = ballast_held(ballast);
    uint64_t to = from + STEP_BYTES < ballast->mapped ? from + STEP_BYTES : ballast->mapped;
    for (uint64_t at = from; at < to; at += page) {
        memcpy(ballast->bytes + at, &at, sizeof(at));
    }
    set_held(ballast, to);
}

/* Goes to what is wanted, or to what can be had; returns what was wanted then. */
static uint64_t settle(struct ballast *ballast, uint64_t page)
{
    uint64_t wanted = wanted_of(ballast);
    int error = resize(ballast, (wanted + page - 1) / page * page);
    if (error != 0) {
        DIAGNOSTICS(TEL_ERROR, "faults", "cannot hold the memory of a fault",
                    DIAGNOSTICS_NUMBER("wanted_bytes", wanted),
                    DIAGNOSTICS_NUMBER("held_bytes", ballast_held(ballast)),
                    DIAGNOSTICS_TEXT("error", strerror(-error)));
    }
    while (ballast_held(ballast) < ballast->mapped && wanted_of(ballast) == wanted) {
        write_step(ballast, page);
    }
    return wanted;
}

static void *run(void *argument)
{
    struct ballast *ballast = argument;
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t settled = 0;
    pthread_setname_np(pthread_self(), "fault memory");
    for (;;) {
        pthread_mutex_lock(&ballast->mutex);
        while (wanted_of(ballast) == settled && !atomic_load(&ballast->ending)) {
            pthread_cond_wait(&ballast->changed, &ballast->mutex);
        }
        pthread_mutex_unlock(&ballast->mutex);
        settled = settle(ballast, page);
        if (atomic_load(&ballast->ending) && ballast->mapped == 0) {
            return NULL;
        }
    }
}

/* ---- the owner's ------------------------------------------------------------------------------- */

void ballast_init(struct ballast *ballast)
{
    *ballast = (struct ballast){.running = false};
    pthread_mutex_init(&ballast->mutex, NULL);
    pthread_cond_init(&ballast->changed, NULL);
}

static void wake(struct ballast *ballast)
{
    pthread_mutex_lock(&ballast->mutex);
    pthread_cond_signal(&ballast->changed);
    pthread_mutex_unlock(&ballast->mutex);
}

void ballast_set(struct ballast *ballast, uint64_t bytes)
{
    if (bytes == atomic_load(&ballast->wanted)) {
        return;
    }
    if (!ballast->running) {
        if (fault_thread_start(&ballast->thread, run, ballast) != 0) {
            return;
        }
        ballast->running = true;
    }
    atomic_store(&ballast->wanted, bytes);
    wake(ballast);
}

uint64_t ballast_held(const struct ballast *ballast)
{
    return atomic_load_explicit(&ballast->held, memory_order_acquire);
}

void ballast_fini(struct ballast *ballast)
{
    if (ballast->running) {
        atomic_store(&ballast->ending, true);
        wake(ballast);
        pthread_join(ballast->thread, NULL);
        ballast->running = false;
    }
    pthread_cond_destroy(&ballast->changed);
    pthread_mutex_destroy(&ballast->mutex);
}
