/*
 * The tick turns four times a second: often enough to see a loop that lags, seldom enough to cost
 * nothing. It is a timerfd, not a timer of the loop, because the loop's clock is as coarse as the
 * kernel's tick: what would be measured is the clock. How late the tick is seen is the event-loop
 * lag; that it is seen at all is the heartbeat.
 */
#include "site.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"
#include "instruments.h"
#include "options.h"
#include "page/page.h"
#include "service.h"
#include "telemetry/clock.h"

#define TICK_NS (250 * TEL_NS_PER_MS)

/* Ceiling of a built response: an exposition with every family at its series limit stays below. */
#define BODY_LIMIT_BYTES ((size_t)32 * 1024 * 1024)

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct site *site = argument;
    uint64_t turns;
    if (read((int)fd, &turns, sizeof(turns)) != sizeof(turns)) {
        return;
    }
    uint64_t now_ns = tel_clock_monotonic_ns();
    uint64_t lag_ns = now_ns > site->tick_due_ns ? now_ns - site->tick_due_ns : 0;
    site->tick_due_ns += turns * TICK_NS;
    site->wall_offset_ns = tel_clock_wall_offset_ns();
    atomic_store_explicit(&site->heartbeat_ns, now_ns, memory_order_relaxed);
    instruments_loop_lag(site->service->instruments, site->shard, lag_ns);
    if (site->service->page != NULL) {
        page_tick(site);
    }
    if (site->ticked != NULL) {
        site->ticked(site);
    }
}

/* Starts the tick at the next turn of its period. Returns 0 or a negative errno. */
static int start_tick(struct site *site)
{
    site->tick_due_ns = tel_clock_monotonic_ns() + TICK_NS;
    const struct itimerspec period = {
        .it_interval = {.tv_nsec = TICK_NS},
        .it_value = {.tv_sec = (time_t)(site->tick_due_ns / TEL_NS_PER_SECOND),
                     .tv_nsec = (long)(site->tick_due_ns % TEL_NS_PER_SECOND)}};
    site->tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (site->tick_fd < 0 ||
        timerfd_settime(site->tick_fd, TFD_TIMER_ABSTIME, &period, NULL) != 0) {
        return -errno;
    }
    site->tick = event_new(site->base, site->tick_fd, EV_READ | EV_PERSIST, on_tick, site);
    return site->tick != NULL && event_add(site->tick, NULL) == 0 ? 0 : -ENOMEM;
}

/* Seeds /demo/random-error: repeatable with --random-error-seed, a sequence of its own a thread. The step
 * between threads is no small multiple of the generator's own, which would give each the next one's
 * numbers a draw later. */
static uint64_t random_seed(const struct service *service, size_t shard)
{
    uint64_t seed = service->options->random_error_seed;
    if (seed == 0) {
        seed = tel_clock_wall_ns() ^ (uint64_t)(uintptr_t)service;
    }
    return seed + shard * 0xd1342543de82ef95ull;
}

int site_init(struct site *site, struct service *service, size_t shard, enum side side,
              struct event_base *base)
{
    *site = (struct site){
        .service = service, .shard = shard, .side = side, .base = base, .tick_fd = -1};
    site->random_state = random_seed(service, shard);
    site->wall_offset_ns = tel_clock_wall_offset_ns();
    site->thread = pthread_self();
    fault_view_init(&site->faults, service->faults);
    atomic_init(&site->heartbeat_ns, tel_clock_monotonic_ns());
    tel_buffer_init(&site->body, BODY_LIMIT_BYTES);
    tel_buffer_init(&site->packed, BODY_LIMIT_BYTES);
    site->calls = exchange_calls(site);
    site->engine = http_engine_create(base, &service->limits, &site->calls);
    if (burner_init(&site->burner, base) != 0 || site->engine == NULL) {
        return -ENOMEM;
    }
    return start_tick(site);
}

void site_fini(struct site *site)
{
    http_engine_destroy(site->engine);
    site->engine = NULL;
    burner_fini(&site->burner);
    if (site->tick != NULL) {
        event_free(site->tick);
        site->tick = NULL;
    }
    if (site->tick_fd >= 0) {
        close(site->tick_fd);
        site->tick_fd = -1;
    }
    tel_buffer_fini(&site->body);
    tel_buffer_fini(&site->packed);
}

uint64_t site_cpu_ns(const struct site *site)
{
    clockid_t clock;
    struct timespec time;
    if (pthread_getcpuclockid(site->thread, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return (uint64_t)time.tv_sec * TEL_NS_PER_SECOND + (uint64_t)time.tv_nsec;
}
