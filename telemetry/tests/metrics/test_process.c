/*
 * process_*: numbers that can be checked against what this process does.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "expose.h"
#include "metrics/process.h"

static struct tel_registry *process_registry(void)
{
    struct tel_registry *registry = registry_of(1);
    assert_int_equal(tel_process_register(registry), 0);
    return registry;
}

/* The value of a sample without labels; -1 when it is not there. */
static double value_of(struct tel_registry *registry, const char *name)
{
    char *text = expose(registry, TEL_EXPOSITION_TEXT, NULL);
    char start[80];
    snprintf(start, sizeof(start), "\n%s ", name);
    const char *at = strstr(text, start);
    double value = at != NULL ? strtod(at + strlen(start), NULL) : -1;
    free(text);
    return value;
}

static void test_every_family_has_a_value_here(void **state)
{
    (void)state;
    static const char *const names[] = {
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_virtual_memory_bytes",
        "process_virtual_memory_max_bytes",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_threads",
    };
    struct tel_registry *registry = process_registry();
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_true(value_of(registry, names[i]) > 0);
    }
    assert_int_equal(tel_process_register(registry), -EEXIST);
    tel_registry_destroy(registry);
}

static void test_descriptors_are_counted(void **state)
{
    (void)state;
    enum { MORE = 20 };
    struct tel_registry *registry = process_registry();
    double before = value_of(registry, "process_open_fds");
    int fds[MORE];
    for (size_t i = 0; i < MORE; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    assert_true(value_of(registry, "process_open_fds") == before + MORE);
    for (size_t i = 0; i < MORE; i++) {
        close(fds[i]);
    }
    assert_true(value_of(registry, "process_open_fds") == before);
    tel_registry_destroy(registry);
}

/* Both ways of counting give the same: the one of Linux 6.2, and the one before. */
static void test_counting_one_by_one_agrees(void **state)
{
    (void)state;
    struct tel_registry *registry = process_registry();
    assert_true(value_of(registry, "process_open_fds") ==
                (double)tel__process_count_entries("/proc/self/fd"));
    assert_int_equal(tel__process_count_entries("/does/not/exist"), -1);
    tel_registry_destroy(registry);
}

/* With no time that is not dear, the first count stands; with all the time, each is a new one. */
static void test_a_dear_count_is_kept(void **state)
{
    (void)state;
    struct tel__kept_count cheap = {0};
    struct tel__kept_count dear = {0};
    long before = tel__process_count_kept(&dear, "/proc/self/fd", 0);
    assert_int_equal(tel__process_count_kept(&cheap, "/proc/self/fd", UINT64_MAX), before);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(tel__process_count_kept(&cheap, "/proc/self/fd", UINT64_MAX), before + 1);
    assert_int_equal(tel__process_count_kept(&dear, "/proc/self/fd", 0), before);
    close(fd);
    struct tel__kept_count none = {0};
    assert_int_equal(tel__process_count_kept(&none, "/does/not/exist", 0), -1);
    assert_int_equal(tel__process_count_kept(&none, "/proc/self/fd", 0), before);
}

static void *wait_for_byte(void *argument)
{
    char byte;
    assert_int_equal(read(*(int *)argument, &byte, 1), 0);
    return NULL;
}

static void *do_nothing(void *argument)
{
    return argument;
}

static void test_threads_are_counted(void **state)
{
    (void)state;
    struct tel_registry *registry = process_registry();
    pthread_t first; /* a sanitizer may start a thread of its own along with the first */
    assert_int_equal(pthread_create(&first, NULL, do_nothing, NULL), 0);
    pthread_join(first, NULL);
    double before = value_of(registry, "process_threads");
    int ends[2];
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_byte, &ends[0]), 0);
    assert_true(value_of(registry, "process_threads") == before + 1);
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
    tel_registry_destroy(registry);
}

static void test_limits_are_those_of_getrlimit(void **state)
{
    (void)state;
    struct tel_registry *registry = process_registry();
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(value_of(registry, "process_max_fds") == (double)limit.rlim_cur);
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    double expected =
        limit.rlim_cur == RLIM_INFINITY ? 18446744073709551615.0 : (double)limit.rlim_cur;
    assert_true(value_of(registry, "process_virtual_memory_max_bytes") == expected);
    tel_registry_destroy(registry);
}

static void test_cpu_time_grows_with_work(void **state)
{
    (void)state;
    struct tel_registry *registry = process_registry();
    double before = value_of(registry, "process_cpu_seconds_total");
    clock_t until = clock() + CLOCKS_PER_SEC / 100;
    while (clock() < until) {
    }
    assert_true(value_of(registry, "process_cpu_seconds_total") >= before + 0.01);
    tel_registry_destroy(registry);
}

static void test_the_start_is_in_the_past_and_stays(void **state)
{
    (void)state;
    struct tel_registry *registry = process_registry();
    double start = value_of(registry, "process_start_time_seconds");
    assert_true(start <= (double)time(NULL) + 1);
    assert_true(start > (double)time(NULL) - 3600);
    assert_true(value_of(registry, "process_start_time_seconds") == start);
    tel_registry_destroy(registry);
}

/* A file with this content; the caller unlinks it. */
static void write_file(char path[64], const char *content)
{
    snprintf(path, 64, "/tmp/tel_process_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

#define STAT_REST \
    " S 1 1 1 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 3 0 %s 1000 200 18446744073709551615"

static void test_stat_is_read_whatever_the_command_is_called(void **state)
{
    (void)state;
    static const struct {
        const char *start;
        const char *ticks;
        int result;
    } cases[] = {
        {"1 (glassbox)", "4711", 0},
        {"1 (a b) c)", "4711", 0},
        {"1 ((((", "4711", -1},
        {"1 (glassbox)", "x", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[64];
        char content[256];
        snprintf(content, sizeof(content), "%s" STAT_REST, cases[i].start, cases[i].ticks);
        write_file(path, content);
        uint64_t ticks = 0;
        assert_int_equal(tel__process_read_start(path, &ticks), cases[i].result);
        assert_int_equal(ticks, cases[i].result == 0 ? 4711 : 0);
        unlink(path);
    }
}

static void test_files_that_are_not_there_or_say_nothing(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "garbage", "1", "1 (x) S 2"};
    uint64_t numbers[2];
    for (size_t i = 0; i < COUNT(contents); i++) {
        char path[64];
        write_file(path, contents[i]);
        assert_int_equal(tel__process_read_start(path, numbers), -1);
        assert_int_equal(tel__process_read_statm(path, numbers), -1);
        unlink(path);
    }
    assert_int_equal(tel__process_read_start("/does/not/exist", numbers), -1);
    assert_int_equal(tel__process_read_statm("/does/not/exist", numbers), -1);
    char path[64];
    write_file(path, "1000 250 100 1 0 50 0\n");
    assert_int_equal(tel__process_read_statm(path, numbers), 0);
    assert_int_equal(numbers[0], 1000);
    assert_int_equal(numbers[1], 250);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_family_has_a_value_here),
        cmocka_unit_test(test_descriptors_are_counted),
        cmocka_unit_test(test_counting_one_by_one_agrees),
        cmocka_unit_test(test_a_dear_count_is_kept),
        cmocka_unit_test(test_threads_are_counted),
        cmocka_unit_test(test_limits_are_those_of_getrlimit),
        cmocka_unit_test(test_cpu_time_grows_with_work),
        cmocka_unit_test(test_the_start_is_in_the_past_and_stays),
        cmocka_unit_test(test_stat_is_read_whatever_the_command_is_called),
        cmocka_unit_test(test_files_that_are_not_there_or_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
