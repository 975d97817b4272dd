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
#include "faults/fault_thread.h"

#define STEP_BYTES ((uint64_t)1024 * 1024)

static uint64_t wanted_of(const struct ballast *ballast)
{
    return atomic_load_explicit(&ballast->wanted, memory_order_relaxed);
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

/* Goes to what is wanted, or stays where it is if that cannot be mapped; returns what was wanted then.
 * Where memory is overcommitted mapping nearly always succeeds, and it is writing that may be the end. */
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

/* Waits until there is something to do. Returns false, and is not asked again, when nothing is wanted
 * and nothing is held. */
static bool is_needed(struct ballast *ballast, uint64_t settled)
{
    pthread_mutex_lock(&ballast->mutex);
    while (wanted_of(ballast) == settled && settled != 0) {
        pthread_cond_wait(&ballast->changed, &ballast->mutex);
    }
    ballast->finished = wanted_of(ballast) == 0 && ballast->mapped == 0;
    bool needed = !ballast->finished;
    pthread_mutex_unlock(&ballast->mutex);
    return needed;
}

static void *run(void *argument)
{
    struct ballast *ballast = argument;
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t settled = 0;
    pthread_setname_np(pthread_self(), "fault memory");
    while (is_needed(ballast, settled)) {
        settled = settle(ballast, page);
    }
    return NULL;
}

/* ---- the owner's ------------------------------------------------------------------------------- */

void ballast_init(struct ballast *ballast)
{
    *ballast = (struct ballast){.running = false};
    pthread_mutex_init(&ballast->mutex, NULL);
    pthread_cond_init(&ballast->changed, NULL);
}

/* Tells the thread; returns whether there is one that heard it. */
static bool want(struct ballast *ballast, uint64_t bytes)
{
    pthread_mutex_lock(&ballast->mutex);
    atomic_store(&ballast->wanted, bytes);
    bool heard = ballast->running && !ballast->finished;
    pthread_cond_signal(&ballast->changed);
    pthread_mutex_unlock(&ballast->mutex);
    return heard;
}

static void join(struct ballast *ballast)
{
    if (ballast->running) {
        pthread_join(ballast->thread, NULL);
        ballast->running = false;
    }
}

void ballast_set(struct ballast *ballast, uint64_t bytes)
{
    if (bytes == atomic_load(&ballast->wanted) || want(ballast, bytes) || bytes == 0) {
        return;
    }
    join(ballast); /* one that had nothing to do any more */
    ballast->finished = false;
    ballast->running = fault_thread_start(&ballast->thread, run, ballast) == 0;
    if (!ballast->running) {
        atomic_store(&ballast->wanted, 0);
    }
}

uint64_t ballast_held(const struct ballast *ballast)
{
    return atomic_load_explicit(&ballast->held, memory_order_acquire);
}

void ballast_fini(struct ballast *ballast)
{
    want(ballast, 0);
    join(ballast);
    pthread_cond_destroy(&ballast->changed);
    pthread_mutex_destroy(&ballast->mutex);
}
