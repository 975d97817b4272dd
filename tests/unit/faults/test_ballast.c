/* Memory is held, really, for as long as it is wanted, and given back. */
#include "faults/ballast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "diagnostics.h"

#define MIB (UINT64_C(1) << 20)

static struct ballast ballast;

static int setup(void **state)
{
    (void)state;
    diagnostics_configure(&(struct diagnostics_options){.level = TEL_ERROR, .fd = -1});
    ballast_init(&ballast);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ballast_fini(&ballast);
    return 0;
}

/* Waits until so many bytes are held; a minute is for ever. */
static bool comes_to_hold(uint64_t bytes)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 60000 && ballast_held(&ballast) != bytes; i++) {
        nanosleep(&moment, NULL);
    }
    return ballast_held(&ballast) == bytes;
}

/* Waits until something was told. */
static bool is_told(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    struct diagnostics_stats stats = {0};
    for (int i = 0; i < 60000 && stats.written + stats.lost + stats.suppressed == 0; i++) {
        nanosleep(&moment, NULL);
        diagnostics_get_stats(&stats);
    }
    return stats.written + stats.lost + stats.suppressed > 0;
}

/* Whether the kernel has the first so many bytes of the mapping in memory; none of one that is gone. */
static bool is_resident(const char *bytes, uint64_t length)
{
    static unsigned char pages[64 * MIB / 4096];
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (mincore((void *)(uintptr_t)bytes, length, pages) != 0) {
        return false;
    }
    for (uint64_t i = 0; i < length / page; i++) {
        if ((pages[i] & 1) == 0) {
            return false;
        }
    }
    return true;
}

static void test_nothing_is_held_without_a_thread(void **state)
{
    (void)state;
    ballast_set(&ballast, 0);
    assert_false(ballast.running);
    assert_int_equal(ballast_held(&ballast), 0);
}

static void test_grows_shrinks_and_is_given_back(void **state)
{
    (void)state;
    static const uint64_t wanted[] = {8, 64, 16, 32, 0, 24, 0};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const uint64_t before = ballast_held(&ballast);
        const char *bytes = ballast.bytes; /* nobody moves it: it holds what it should */
        ballast_set(&ballast, wanted[i] * MIB);
        assert_true(comes_to_hold(wanted[i] * MIB));
        if (wanted[i] > 0) {
            assert_true(is_resident(ballast.bytes, wanted[i] * MIB));
        }
        if (wanted[i] * MIB < before) {
            assert_false(is_resident(bytes + wanted[i] * MIB, before - wanted[i] * MIB));
        }
    }
}

static void test_whole_pages(void **state)
{
    (void)state;
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    ballast_set(&ballast, MIB + 1);
    assert_true(comes_to_hold(MIB + page));
}

/* What cannot be mapped leaves what there is; the next that can be had is had. */
static void test_more_than_there_is(void **state)
{
    (void)state;
    ballast_set(&ballast, 4 * MIB);
    assert_true(comes_to_hold(4 * MIB));
    ballast_set(&ballast, UINT64_C(1) << 62);
    assert_true(is_told());
    assert_int_equal(ballast_held(&ballast), 4 * MIB);
    ballast_set(&ballast, 6 * MIB);
    assert_true(comes_to_hold(6 * MIB));
}

/* An end does not wait for what was still to come: a TiB would take minutes, if it could be had. */
static void test_an_end_comes_at_once(void **state)
{
    (void)state;
    ballast_set(&ballast, 1024 * MIB);
    ballast_set(&ballast, 0);
    assert_true(comes_to_hold(0));
    ballast_set(&ballast, 1024 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_held_without_a_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grows_shrinks_and_is_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_than_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_end_comes_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
