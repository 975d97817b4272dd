/* CPU time is burnt as it was asked for: by so many threads, and no longer than that. */
#include "faults/spinners.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "telemetry/clock.h"

static struct spinners spinners;

static int setup(void **state)
{
    (void)state;
    spinners_init(&spinners);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    spinners_fini(&spinners);
    return 0;
}

static void wait_ms(long ms)
{
    const struct timespec moment = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&moment, NULL);
}

/* Threads of this process by that name. */
static int count_threads(const char *wanted)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/task");
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char path[320];
        char name[32] = "";
        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            count += fgets(name, sizeof(name), file) != NULL &&
                     strncmp(name, wanted, strlen(wanted)) == 0;
            fclose(file);
        }
    }
    closedir(directory);
    return count;
}

/* A thread has its name a moment after it was started. */
static bool are_threads(const char *name, int count)
{
    for (int i = 0; i < 10000 && count_threads(name) != count; i++) {
        wait_ms(1);
    }
    return count_threads(name) == count;
}

static uint64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * TEL_NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

static void test_as_many_threads_as_it_takes(void **state)
{
    (void)state;
    static const struct {
        double cpus;
        int threads;
    } cases[] = {{0.01, 1}, {0, 0}, {0.03, 1}, {2.01, 3}, {1, 1}, {1.5, 2}, {0.5, 1}, {0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        spinners_set(&spinners, cases[i].cpus);
        assert_true(spinners_burning(&spinners) > cases[i].cpus - 1e-9);
        assert_true(spinners_burning(&spinners) < cases[i].cpus + 1e-9);
        assert_true(are_threads("fault cpu ", cases[i].threads));
    }
}

/* The share of a CPU, from a small one, which a busy machine can give, to none. It is burnt in short
 * pieces: CPU time is held against the time that went by, so the sum is precise; what is burnt beside
 * it (a sanitizer's own) makes the bounds wide. */
static void test_a_share_is_burnt(void **state)
{
    (void)state;
    const uint64_t start_ns = tel_clock_monotonic_ns();
    const uint64_t before_ns = cpu_ns();
    spinners_set(&spinners, 0.2);
    wait_ms(1000);
    spinners_set(&spinners, 0);
    const double lasted = (double)(tel_clock_monotonic_ns() - start_ns);
    const double burnt = (double)(cpu_ns() - before_ns);
    assert_true(are_threads("fault cpu ", 0));
    if (burnt < 0.1 * lasted || burnt > 0.3 * lasted) {
        fail_msg("burnt %.3f of a CPU, not 0.2", burnt / lasted);
    }
}

static void test_another_share_and_the_end_are_seen_at_rest(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        spinners_set(&spinners, 0.001);
        spinners_set(&spinners, 0.002);
        spinners_set(&spinners, 0); /* and at once again: the thread of before is joined */
    }
    spinners_set(&spinners, 0.001);
    assert_true(are_threads("fault cpu 0", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_as_many_threads_as_it_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_share_is_burnt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_share_and_the_end_are_seen_at_rest, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
