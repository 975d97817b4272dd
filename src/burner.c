/*
 * The turn is a timer of no delay: libevent looks at the sockets before it runs the next one, where
 * an event made active would run in the same turn.
 */
#include "burner.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>

#include "telemetry/clock.h"

#define STEPS_BETWEEN_LOOKS 4096 /* some µs: a look at the clock costs next to nothing then */

/* A chain of multiplications that a compiler cannot shorten. */
static void burn_steps(void)
{
    volatile uint64_t sink = 1;
    uint64_t value = sink;
    for (int i = 0; i < STEPS_BETWEEN_LOOKS; i++) {
        value = value * 6364136223846793005u + 1442695040888963407u;
    }
    sink = value;
}

uint64_t burner_burn(uint64_t budget_ns)
{
    uint64_t start_ns = tel_clock_thread_cpu_ns();
    uint64_t spent_ns = 0;
    while (spent_ns < budget_ns) {
        burn_steps();
        spent_ns = tel_clock_thread_cpu_ns() - start_ns;
    }
    return spent_ns;
}

static void append(struct burner *burner, struct burn *burn)
{
    burn->next = NULL;
    burn->link = burner->last;
    *burner->last = burn;
    burner->last = &burn->next;
}

static void next_turn(struct burner *burner)
{
    const struct timeval now = {.tv_sec = 0};
    if (burner->first != NULL) {
        event_add(burner->turn, &now);
    }
}

static void on_turn(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct burner *burner = argument;
    struct burn *burn = burner->first;
    if (burn == NULL) {
        return;
    }
    uint64_t left_ns = burn->wanted_ns - burn->done_ns;
    burner_remove(burner, burn);
    burn->done_ns += burner_burn(left_ns < BURNER_SLICE_NS ? left_ns : BURNER_SLICE_NS);
    bool finished = burn->done_ns >= burn->wanted_ns;
    if (!finished) {
        append(burner, burn);
    }
    next_turn(burner);
    if (finished) {
        burn->done(burn);
    }
}

int burner_init(struct burner *burner, struct event_base *base)
{
    *burner = (struct burner){.last = &burner->first};
    burner->turn = evtimer_new(base, on_turn, burner);
    return burner->turn != NULL ? 0 : -ENOMEM;
}

void burner_fini(struct burner *burner)
{
    if (burner->turn != NULL) {
        event_free(burner->turn);
        burner->turn = NULL;
    }
}

void burner_add(struct burner *burner, struct burn *burn)
{
    burn->done_ns = 0;
    append(burner, burn);
    next_turn(burner);
}

void burner_remove(struct burner *burner, struct burn *burn)
{
    if (burn->link == NULL) {
        return;
    }
    *burn->link = burn->next;
    if (burn->next != NULL) {
        burn->next->link = burn->link;
    } else {
        burner->last = burn->link;
    }
    burn->link = NULL;
}
