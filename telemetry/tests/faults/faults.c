/*
 * Turns, the counter, and a table of the blocks that a turn took.
 *
 * The table is of fixed size and open addressing, so that keeping it asks nobody for memory; a
 * block that was given back leaves a mark, and an entry of an earlier turn counts as unused.
 * Addresses are kept inverted: to LeakSanitizer, which looks through all of memory for pointers,
 * the table does not hold them.
 */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "internal.h"

#define TABLE_SIZE     (1u << 16) /* a power of two; blocks of a turn, those given back included */
#define TURNS_MAX      20000      /* more is a scenario without an end */
#define SETTLE_TRIES   2000       /* milliseconds that others may take to close their descriptors */
#define KINDS_STANDARD (FAULTS_OURS | FAULTS_LIBEVENT)

struct block {
    uintptr_t inverted;
    const void *taker; /* NULL: given back */
    size_t size;
    unsigned long turn; /* of the program; an entry of another turn is an unused one */
};

static struct {
    pthread_mutex_t mutex;
    bool counting; /* a turn is under way */
    bool watching; /* blocks are kept track of, from the turn's begin to the next one's */
    bool lasting;
    unsigned kinds;
    unsigned long left; /* calls before the one that is refused */
    bool struck;
    const void *where; /* who asked for what was refused first */
    unsigned long turn;
    struct block blocks[TABLE_SIZE];
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool spared;
_Thread_local unsigned faults__nested;

/* ---- who is refused ------------------------------------------------------------------------ */

bool faults__refuses(unsigned kind, const void *taker)
{
    bool refused = false;
    if (spared || faults__nested > 0) {
        return false;
    }
    pthread_mutex_lock(&state.mutex);
    if (state.counting && (state.kinds & kind) != 0) {
        refused = state.struck ? state.lasting : state.left-- == 0;
        state.where = refused && !state.struck ? taker : state.where;
        state.struck |= refused;
    }
    pthread_mutex_unlock(&state.mutex);
    return refused;
}

bool faults__refuses_memory(unsigned kind, const void *taker)
{
    bool refused = faults__refuses(kind, taker);
    if (refused) {
        errno = ENOMEM;
    }
    return refused;
}

/* ---- what is not given back ---------------------------------------------------------------- */

/* The block's entry, or the unused one where it would be. */
static struct block *find(const void *address)
{
    uintptr_t inverted = ~(uintptr_t)address;
    size_t at = (size_t)(((uintptr_t)address >> 4) * 0x9e3779b97f4a7c15u >> 20) % TABLE_SIZE;
    for (size_t tries = 0; tries < TABLE_SIZE; tries++, at = (at + 1) % TABLE_SIZE) {
        if (state.blocks[at].inverted == inverted || state.blocks[at].turn != state.turn) {
            return &state.blocks[at];
        }
    }
    abort(); /* TABLE_SIZE is too small for this scenario */
}

void *faults__took(void *address, size_t size, const void *taker)
{
    if (address != NULL && !spared) {
        pthread_mutex_lock(&state.mutex);
        if (state.watching) {
            *find(address) = (struct block){~(uintptr_t)address, taker, size, state.turn};
        }
        pthread_mutex_unlock(&state.mutex);
    }
    return address;
}

void faults__gave_back(const void *address)
{
    if (address != NULL) {
        pthread_mutex_lock(&state.mutex);
        if (state.watching) {
            find(address)->taker = NULL;
        }
        pthread_mutex_unlock(&state.mutex);
    }
}

static void report_blocks(unsigned long turn)
{
    unsigned count = 0;
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        const struct block *block = &state.blocks[i];
        if (block->turn == state.turn && block->taker != NULL) {
            print_error("left behind when call %lu, at %p, was refused: %zu bytes taken at %p\n",
                        turn, state.where, block->size, block->taker);
            count++;
        }
    }
    if (count > 0) {
        fail_msg("%u blocks of memory were left behind", count);
    }
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

/* Threads that are spared may still be about to close their end of something. */
static void check_descriptors(const struct faults *faults)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    unsigned count = count_descriptors();
    for (int i = 0; i < SETTLE_TRIES && count != faults->open; i++) {
        nanosleep(&moment, NULL);
        count = count_descriptors();
    }
    if (count != faults->open) {
        fail_msg("when call %lu was refused: %u descriptors before, %u after", faults->turns,
                 faults->open, count);
    }
}

/* ---- turns --------------------------------------------------------------------------------- */

static bool end_turn(const struct faults *faults)
{
    pthread_mutex_lock(&state.mutex);
    bool struck = state.struck;
    state.counting = false;
    state.watching = false;
    pthread_mutex_unlock(&state.mutex);
    if (!faults->keeps) {
        report_blocks(faults->turns);
    }
    if (!faults->crowded) {
        check_descriptors(faults);
    }
    return struck;
}

bool faults_next(struct faults *faults)
{
    if (faults->turns > 0 && !end_turn(faults)) {
        return false;
    }
    faults->turns += faults->turns == 0 || faults->stride == 0 ? 1 : faults->stride;
    if (faults->turns > TURNS_MAX) {
        fail_msg("no end after %lu calls", faults->turns);
    }
    faults->open = count_descriptors();
    pthread_mutex_lock(&state.mutex);
    state.turn++;
    state.kinds = faults->kinds != 0 ? faults->kinds : KINDS_STANDARD;
    state.lasting = faults->lasting;
    state.left = faults->turns - 1;
    state.struck = false;
    state.where = NULL;
    state.counting = state.watching = true;
    pthread_mutex_unlock(&state.mutex);
    return true;
}

void faults_stop(void)
{
    pthread_mutex_lock(&state.mutex);
    state.counting = false;
    pthread_mutex_unlock(&state.mutex);
}

void faults_resume(void)
{
    pthread_mutex_lock(&state.mutex);
    state.counting = state.watching;
    pthread_mutex_unlock(&state.mutex);
}

void faults_refuse(unsigned kinds)
{
    pthread_mutex_lock(&state.mutex);
    state.kinds = kinds;
    state.lasting = true;
    state.left = 0;
    state.struck = false;
    state.counting = true;
    pthread_mutex_unlock(&state.mutex);
}

bool faults_struck(void)
{
    pthread_mutex_lock(&state.mutex);
    bool struck = state.struck;
    pthread_mutex_unlock(&state.mutex);
    return struck;
}

const void *faults_where(void)
{
    pthread_mutex_lock(&state.mutex);
    const void *where = state.where;
    pthread_mutex_unlock(&state.mutex);
    return where;
}

bool faults__is_spared(void)
{
    return spared;
}

void faults_spare_thread(bool is_spared)
{
    spared = is_spared;
}
