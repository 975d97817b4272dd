/*
 * Shards that write, meet new label sets and fill families while others scrape: nothing tears, no
 * counter goes back, and in the end every single one is there. Under the thread sanitizer this is
 * the proof of the memory orders.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "expose.h"
#include "metrics/histogram.h"

enum { SHARDS = 3, ROUNDS = 20000, LIMIT = 40, ROUTES = 60 };

static const char *const names[] = {"route"};
static const uint64_t bounds[] = {1000000, 10000000, 100000000};

struct world {
    struct tel_registry *registry;
    struct tel_family *counter;
    struct tel_family *gauge;
    struct tel_family *histogram;
    struct tel_series *shared; /* a histogram series all shards write */
    atomic_int running;
};

struct shard {
    struct world *world;
    size_t number;
    pthread_t thread;
};

static struct tel_family *make(struct world *world, enum tel_metric_type type, const char *name)
{
    return family_of(world->registry, (struct tel_family_options){.name = name,
                                                                  .type = type,
                                                                  .label_names = names,
                                                                  .label_count = 1,
                                                                  .series_limit = LIMIT,
                                                                  .bounds_ns = bounds,
                                                                  .bound_count = COUNT(bounds)});
}

static void *write_all(void *argument)
{
    struct shard *shard = argument;
    struct world *world = shard->world;
    for (size_t i = 0; i < ROUNDS; i++) {
        char route[16];
        snprintf(route, sizeof(route), "/%zu", (i * 7 + shard->number) % ROUTES);
        const char *const *values = VALUES(route);
        struct tel_exemplar exemplar = {.wall_ns = i};
        tel_counter_inc(tel_family_series(world->counter, shard->number, values), shard->number);
        tel_gauge_add(tel_family_series(world->gauge, shard->number, values), shard->number,
                      i % 2 == 0 ? 3 : -3);
        tel_histogram_observe(tel_family_series(world->histogram, shard->number, values),
                              shard->number, i * 10000, i % 4 == 0 ? &exemplar : NULL);
        tel_histogram_observe(world->shared, shard->number, i * 1000, &exemplar);
    }
    atomic_fetch_sub(&world->running, 1);
    return NULL;
}

/* What must hold at any moment, looked at while shards write. */
static void check_once(struct world *world, uint64_t *counted, uint64_t *observed)
{
    for (int format = TEL_EXPOSITION_TEXT; format <= TEL_EXPOSITION_PROTOBUF; format++) {
        free(expose(world->registry, (enum tel_exposition_format)format, NULL));
    }
    uint64_t now = tel_family_value(world->counter);
    assert_true(now >= *counted);
    *counted = now;
    struct tel__snapshot snapshot;
    uint64_t cumulative[TEL_BUCKETS_MAX + 1];
    tel__histogram_snapshot(world->shared, &snapshot);
    tel__snapshot_classic(&snapshot, cumulative);
    assert_int_equal(cumulative[COUNT(bounds)], snapshot.count);
    assert_true(snapshot.count >= *observed);
    *observed = snapshot.count;
}

static void test_nothing_is_lost_while_others_scrape(void **state)
{
    (void)state;
    struct world world = {.registry = registry_of(SHARDS), .running = SHARDS};
    world.counter = make(&world, TEL_COUNTER, "hits_total");
    world.gauge = make(&world, TEL_GAUGE, "open");
    world.histogram = make(&world, TEL_HISTOGRAM, "wait_seconds");
    world.shared = tel_family_series(world.histogram, 0, VALUES("shared"));
    struct shard shards[SHARDS];
    for (size_t i = 0; i < SHARDS; i++) {
        shards[i] = (struct shard){.world = &world, .number = i};
        assert_int_equal(pthread_create(&shards[i].thread, NULL, write_all, &shards[i]), 0);
    }
    uint64_t counted = 0;
    uint64_t observed = 0;
    do {
        check_once(&world, &counted, &observed);
    } while (atomic_load(&world.running) > 0);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_join(shards[i].thread, NULL);
    }
    assert_int_equal(tel_family_value(world.counter), SHARDS * ROUNDS);
    assert_int_equal(tel_family_value(world.gauge), 0);
    assert_int_equal(tel_series_value(world.shared), SHARDS * ROUNDS);
    assert_int_equal(tel_family_value(world.histogram), 2 * SHARDS * ROUNDS);
    assert_true(tel_registry_overflow_count(world.registry) > 0); /* 60 routes, room for 40 */
    tel_registry_destroy(world.registry);
}

static void *meet_all(void *argument)
{
    struct shard *shard = argument;
    for (size_t i = 0; i < LIMIT; i++) {
        char route[16];
        snprintf(route, sizeof(route), "/%zu", i);
        tel_counter_inc(tel_family_series(shard->world->counter, shard->number, VALUES(route)),
                        shard->number);
    }
    return NULL;
}

/* All shards meet the same new label sets at once: each becomes one series, none overflows. */
static void test_a_new_label_set_is_made_once(void **state)
{
    (void)state;
    for (size_t round = 0; round < 20; round++) {
        struct world world = {.registry = registry_of(SHARDS)};
        world.counter = make(&world, TEL_COUNTER, "hits_total");
        struct shard shards[SHARDS];
        for (size_t i = 0; i < SHARDS; i++) {
            shards[i] = (struct shard){.world = &world, .number = i};
            assert_int_equal(pthread_create(&shards[i].thread, NULL, meet_all, &shards[i]), 0);
        }
        for (size_t i = 0; i < SHARDS; i++) {
            pthread_join(shards[i].thread, NULL);
        }
        for (size_t i = 0; i < LIMIT; i++) {
            char route[16];
            snprintf(route, sizeof(route), "/%zu", i);
            struct tel_series *series = tel_family_series(world.counter, 0, VALUES(route));
            assert_int_equal(tel_series_value(series), SHARDS);
        }
        assert_int_equal(tel_registry_overflow_count(world.registry), 0);
        tel_registry_destroy(world.registry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost_while_others_scrape),
        cmocka_unit_test(test_a_new_label_set_is_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
