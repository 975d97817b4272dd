/*
 * A spinner's turn: how much CPU time should it have had by now, how much has it had, by the thread's
 * own clock, which counts its waking and resting, too? What is missing is burnt, a millisecond at a
 * time at most; when nothing is, it rests for what is left of the period. Resting is waiting for the
 * condition, so that an end, or another share, is seen at once; burning, the share is looked at after
 * each millisecond.
 */
#include "faults/spinners.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "burner.h"
#include "faults/fault_thread.h"
#include "telemetry/clock.h"

/* Where a spinner stands since its share was last set. */
struct account {
    double share;
    uint64_t from_ns; /* monotonic */
    uint64_t cpu_ns;  /* of the thread's clock then, and what was forgiven since */
};

static double share_of(const struct spinner *spinner)
{
    return atomic_load_explicit(&spinner->share, memory_order_relaxed);
}

static void open_account(struct account *account, double share)
{
    *account = (struct account){
        .share = share, .from_ns = tel_clock_monotonic_ns(), .cpu_ns = tel_clock_thread_cpu_ns()};
}

/* CPU time that is owed at `now_ns`; a debt that is too old is forgiven. */
static uint64_t owed_ns(struct account *account, uint64_t now_ns)
{
    uint64_t due_ns = (uint64_t)(account->share * (double)(now_ns - account->from_ns));
    uint64_t had_ns = tel_clock_thread_cpu_ns() - account->cpu_ns;
    if (due_ns <= had_ns) {
        return 0;
    }
    uint64_t owed = due_ns - had_ns;
    if (owed > SPINNERS_DEBT_NS) {
        account->cpu_ns -= owed - SPINNERS_DEBT_NS;
        owed = SPINNERS_DEBT_NS;
    }
    return owed;
}

/* Waits until `until_ns`, or until something changed. */
static void rest(struct spinner *spinner, double share, uint64_t until_ns)
{
    struct spinners *all = spinner->all;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / TEL_NS_PER_SECOND),
                                   .tv_nsec = (long)(until_ns % TEL_NS_PER_SECOND)};
    pthread_mutex_lock(&all->mutex);
    int error = 0;
    while (share_of(spinner) == share && error != ETIMEDOUT) {
        error = pthread_cond_timedwait(&all->changed, &all->mutex, &until);
    }
    pthread_mutex_unlock(&all->mutex);
}

static void take_turn(struct spinner *spinner, struct account *account)
{
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t owed = owed_ns(account, now_ns);
    if (owed == 0) {
        rest(spinner, account->share, now_ns + SPINNERS_PERIOD_NS);
    } else {
        burner_burn(owed < BURNER_SLICE_NS ? owed : BURNER_SLICE_NS);
    }
}

static void *run(void *argument)
{
    struct spinner *spinner = argument;
    struct account account;
    char name[16];
    snprintf(name, sizeof(name), "fault cpu %zu", spinner->number);
    pthread_setname_np(pthread_self(), name);
    open_account(&account, share_of(spinner));
    while (account.share > 0) {
        take_turn(spinner, &account);
        if (share_of(spinner) != account.share) {
            open_account(&account, share_of(spinner));
        }
    }
    return NULL;
}

/* ---- the owner's ------------------------------------------------------------------------------- */

void spinners_init(struct spinners *spinners)
{
    pthread_condattr_t attributes;
    *spinners = (struct spinners){.items = {{.running = false}}};
    for (size_t i = 0; i < SPINNERS_MAX; i++) {
        spinners->items[i].number = i;
        spinners->items[i].all = spinners;
    }
    pthread_mutex_init(&spinners->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&spinners->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void set_share(struct spinner *spinner, double share)
{
    pthread_mutex_lock(&spinner->all->mutex);
    atomic_store(&spinner->share, share);
    pthread_cond_broadcast(&spinner->all->changed);
    pthread_mutex_unlock(&spinner->all->mutex);
}

/* One that ends has at most a millisecond to burn. */
static void join(struct spinner *spinner)
{
    if (spinner->running) {
        set_share(spinner, 0);
        pthread_join(spinner->thread, NULL);
        spinner->running = false;
    }
}

static void start(struct spinner *spinner, double share)
{
    join(spinner); /* one that was ended before */
    atomic_store(&spinner->share, share);
    if (fault_thread_start(&spinner->thread, run, spinner) == 0) {
        spinner->running = true;
    } else {
        atomic_store(&spinner->share, 0);
    }
}

void spinners_set(struct spinners *spinners, double cpus)
{
    for (size_t i = 0; i < SPINNERS_MAX; i++) {
        struct spinner *spinner = &spinners->items[i];
        double share = fmin(fmax(cpus - (double)i, 0), 1);
        if (share == share_of(spinner)) {
            continue;
        }
        if (share > 0 && share_of(spinner) == 0) {
            start(spinner, share);
        } else {
            set_share(spinner, share);
        }
    }
}

double spinners_burning(const struct spinners *spinners)
{
    double cpus = 0;
    for (size_t i = 0; i < SPINNERS_MAX; i++) {
        cpus += share_of(&spinners->items[i]);
    }
    return cpus;
}

void spinners_fini(struct spinners *spinners)
{
    for (size_t i = 0; i < SPINNERS_MAX; i++) {
        join(&spinners->items[i]);
    }
    pthread_cond_destroy(&spinners->changed);
    pthread_mutex_destroy(&spinners->mutex);
}
