/*
 * xoshiro256++ (Blackman and Vigna, 2019), one state a thread, seeded by the kernel.
 *
 * A child of fork(2) inherits its parent's state and would draw the same ids; a counter that fork
 * bumps makes each thread seed itself again when it sees a new value.
 */
#include "base/random.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "telemetry/clock.h"

static atomic_uint fork_generation = 1;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static _Thread_local struct {
    uint64_t state[4];
    unsigned generation; /* 0: never seeded */
} generator;

static void count_fork(void)
{
    atomic_fetch_add_explicit(&fork_generation, 1, memory_order_relaxed);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t mixed = (*state += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

/* Where the kernel gives nothing (a sandbox without the call) time, process and thread must do:
 * ids need to differ, not to be secret. */
static void seed_without_kernel(uint64_t state[4])
{
    uint64_t mixed = tel_clock_wall_ns() ^ ((uint64_t)getpid() << 40) ^
                     (uint64_t)(uintptr_t)&generator ^ tel_clock_thread_cpu_ns();
    for (int i = 0; i < 4; i++) {
        state[i] = splitmix(&mixed);
    }
}

/* Out of line: a thread comes here once. */
__attribute__((noinline, cold)) static void seed(unsigned generation)
{
    pthread_once(&fork_once, watch_forks);
    ssize_t got = getrandom(generator.state, sizeof(generator.state), GRND_NONBLOCK);
    const uint64_t *state = generator.state;
    /* All zero is the one state xoshiro never leaves. */
    if (got != (ssize_t)sizeof(generator.state) ||
        (state[0] | state[1] | state[2] | state[3]) == 0) {
        seed_without_kernel(generator.state);
    }
    generator.generation = generation;
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* This thread's state, seeded. */
static inline uint64_t *own_state(void)
{
    unsigned generation = atomic_load_explicit(&fork_generation, memory_order_relaxed);
    if (__builtin_expect(generator.generation != generation, 0)) {
        seed(generation);
    }
    return generator.state;
}

static inline uint64_t draw(uint64_t state[4])
{
    uint64_t result = rotate_left(state[0] + state[3], 23) + state[0];
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t tel__random_u64(void)
{
    return draw(own_state());
}

void tel__random_trace_id(uint8_t trace_id[16])
{
    uint64_t *state = own_state();
    uint64_t first = draw(state);
    uint64_t second = draw(state);
    second |= (first | second) == 0;
    memcpy(trace_id, &first, sizeof(first));
    memcpy(trace_id + sizeof(first), &second, sizeof(second));
}

void tel__random_span_id(uint8_t span_id[8])
{
    uint64_t id = tel__random_u64();
    id |= id == 0;
    memcpy(span_id, &id, sizeof(id));
}
