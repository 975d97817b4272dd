/*
 * Waiting: the thread sleeps when there is nothing to do, and nothing is ever left lying.
 */
#include "support.h"

#define FIELDS "date time cs-uri-query"

static int set_up(void **state)
{
    static struct folder folder;
    folder_make(&folder);
    *state = &folder;
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

/* How often the log's thread has gone to sleep, from /proc; -1 before it has its name. */
static long sleeps(void)
{
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    long count = -1;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[320];
        char line[256];
        snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "r");
        bool ours = false;
        while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
            ours = ours || strcmp(line, "Name:\taccess-log\n") == 0;
            if (ours && sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1) {
                break;
            }
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    closedir(tasks);
    return count;
}

/* Waits until the thread sleeps for good: three looks, 100 ms apart, at which nothing moved. */
static long settled(void)
{
    WAIT_UNTIL(sleeps() >= 0);
    long before = sleeps();
    int quiet = 0;
    for (int i = 0; i < 600 && quiet < 3; i++) {
        nanosleep(&(struct timespec){0, 100 * 1000 * 1000}, NULL);
        long now = sleeps();
        quiet = now == before ? quiet + 1 : 0;
        before = now;
    }
    assert_int_equal(quiet, 3); /* it does settle: there is no timer left */
    return before;
}

/* Idle means idle: not one wakeup, new or after work. */
static void test_idle(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    settled();
    append_numbered(log, 0, 10);
    WAIT_UNTIL(stats_of(log).written == 10);
    settled();
    finish(log);
}

/* A FIFO that nobody reads is not asked again and again while there is nothing for it; nor is a
 * reader that has gone. */
static void test_idle_without_a_reader(void **state)
{
    const struct folder *folder = *state;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    settled();
    int reader = open(folder->log, O_RDONLY | O_NONBLOCK);
    append_numbered(log, 0, 1);
    WAIT_UNTIL(stats_of(log).written == 1);
    close(reader);
    append_numbered(log, 1, 1);
    WAIT_UNTIL(stats_of(log).dropped[TEL_ACCESS_WRITE_ERROR] == 1);
    settled();
    finish(log);
}

/* A single record, with nothing after it to push it, gets out: again and again, from any state of
 * sleep. */
static void test_no_record_is_left_lying(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    for (unsigned i = 0; i < 40; i++) {
        append_numbered(log, i, 1);
        WAIT_UNTIL(stats_of(log).written == i + 1);
        nanosleep(&(struct timespec){0, (long)i * 3 * 1000 * 1000}, NULL);
    }
    finish(log);
}

/* Many records before the thread has looked are few writes: they are gathered. */
static void test_records_are_gathered(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    long before = settled();
    for (unsigned i = 0; i < 200; i++) {
        append_numbered(log, i, 1);
        nanosleep(&(struct timespec){0, 100 * 1000}, NULL);
    }
    WAIT_UNTIL(stats_of(log).written == 200);
    long woken = settled() - before;
    assert_in_range(woken, 1, 100); /* one in 10 ms; without gathering it would be 200 */
    finish(log);
}

/* A burst of many queues' size gets through whole if only it comes in pieces of half a queue. */
static void test_pressure(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    uint64_t half = stats_of(log).queue_capacity_bytes / 2;
    unsigned appended = 0;
    for (unsigned i = 0; i < 10; i++) {
        /* A writer that keeps pace would never let it come to half: that is enough then, too. */
        for (unsigned k = 0; k < 12000 && stats_of(log).queue_bytes < half; k++) {
            append_numbered(log, appended++, 1);
        }
        WAIT_UNTIL(stats_of(log).queue_bytes < half);
    }
    assert_int_equal(stats_of(log).dropped[TEL_ACCESS_QUEUE_FULL], 0);
    finish(log);
    assert_int_equal(count_lines(read_file(folder->log), false), appended);
}

/* An order is obeyed from every kind of wait: resting, backing off, waiting for a reader. */
static void test_orders_end_every_wait(void **state)
{
    const struct folder *folder = *state;
    char fifo[128];
    snprintf(fifo, sizeof(fifo), "%s/fifo", folder->path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    const char *const paths[] = {folder->log, "/dev/full", fifo};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct tel_access_log *log = open_log(paths[i], FIELDS, NULL);
        assert_non_null(log);
        append_numbered(log, 0, 3000);
        WAIT_UNTIL(i == 0 ? stats_of(log).waiting == 0 : stats_of(log).stalled);
        for (unsigned k = 0; k < 3; k++) {
            tel_access_log_reopen(log);
            WAIT_UNTIL(stats_of(log).reopened == k + 1);
        }
        tel_access_log_shutdown(log, 10);
        struct tel_access_log_stats stats = stats_of(log);
        assert_accounts(&stats);
        tel_access_log_destroy(log);
    }
    close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_idle),
        TEST(test_idle_without_a_reader),
        TEST(test_no_record_is_left_lying),
        TEST(test_records_are_gathered),
        TEST(test_pressure),
        TEST(test_orders_end_every_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
