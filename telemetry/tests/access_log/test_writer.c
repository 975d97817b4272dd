/*
 * The thread and its accounts: the equation holds at every moment, for every reason to lose a line,
 * and the thread can always be joined.
 */
#include "support.h"

#include <signal.h>

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

/* Makes the log's path a FIFO; returns its reading end, which does not read by itself. */
static int make_pipe(const struct folder *folder)
{
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    int reader = open(folder->log, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_true(fcntl(reader, F_SETPIPE_SZ, 4096) >= 4096);
    return reader;
}

struct producer {
    pthread_t thread;
    struct tel_access_log *log;
    size_t shard;
    unsigned count;
};

static void *produce(void *argument)
{
    struct producer *producer = argument;
    struct tel_access_record record = example_record();
    for (unsigned i = 0; i < producer->count; i++) {
        char query[32];
        snprintf(query, sizeof(query), "s=%zu,n=%u", producer->shard, i);
        record.uri_query = text(query);
        tel_access_log_append(producer->log, producer->shard, &record);
    }
    return NULL;
}

/* Several threads append while another looks: each snapshot adds up, counters only grow, and the
 * file has what was counted as written. */
static void test_accounts_under_load(void **state)
{
    const struct folder *folder = *state;
    enum { SHARDS = 3, COUNT = 20000 };
    struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
        .path = folder->log,
        .fields = FIELDS,
        .shard_count = SHARDS,
        .queue_bytes = 16 * 1024, /* small, so that some are dropped */
    });
    assert_non_null(log);
    struct producer producers[SHARDS];
    for (size_t i = 0; i < SHARDS; i++) {
        producers[i] = (struct producer){.log = log, .shard = i, .count = COUNT};
        assert_int_equal(pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
    }
    struct tel_access_log_stats before = stats_of(log);
    for (struct tel_access_log_stats now = before; now.appended < SHARDS * COUNT; before = now) {
        now = stats_of(log);
        assert_accounts(&now);
        assert_true(now.appended >= before.appended && now.written >= before.written);
        assert_true(now.dropped[TEL_ACCESS_QUEUE_FULL] >= before.dropped[TEL_ACCESS_QUEUE_FULL]);
        assert_true(now.queue_bytes <= now.queue_capacity_bytes);
    }
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_join(producers[i].thread, NULL);
    }
    assert_int_equal(tel_access_log_shutdown(log, 30000), 0);
    struct tel_access_log_stats stats = stats_of(log);
    assert_int_equal(stats.appended, SHARDS * COUNT);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.appended, stats.written + stats.dropped[TEL_ACCESS_QUEUE_FULL]);
    assert_int_equal(stats.queue_bytes, 0);
    assert_int_equal(count_lines(read_file(folder->log), false), stats.written);
    tel_access_log_destroy(log);
}

/* All of a shard's lines are there, in their order. */
static void test_order(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    for (unsigned i = 0; i < 50; i++) {
        append_numbered(log, 20 * i, 20);
        WAIT_UNTIL(stats_of(log).waiting < 100);
    }
    finish(log);
    const char *at = read_file(folder->log);
    for (int i = 0; i < 1000; i++) {
        at = strstr(at, "\tn=");
        assert_non_null(at);
        assert_int_equal(atoi(at + 3), i);
        at++;
    }
}

/* A reader that never reads: lines are dropped, the deadline holds, every line is in one term. */
static void test_shutdown_with_a_stuck_reader(void **state)
{
    const struct folder *folder = *state;
    int reader = make_pipe(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 5000);
    WAIT_UNTIL(stats_of(log).stalled);
    append_numbered(log, 5000, 5000);
    struct tel_access_log_stats stats = stats_of(log);
    assert_accounts(&stats);
    assert_true(stats.dropped[TEL_ACCESS_QUEUE_FULL] > 0);
    assert_true(stats.waiting > 0);

    assert_int_equal(tel_access_log_shutdown(log, 20), -ETIMEDOUT);
    stats = stats_of(log);
    assert_accounts(&stats);
    assert_int_equal(stats.appended, 10000);
    assert_int_equal(stats.waiting, 0);
    assert_true(stats.dropped[TEL_ACCESS_SHUTDOWN] > 0);

    /* What the kernel took whole is what was counted. */
    char content[64 * 1024];
    ssize_t length = read(reader, content, sizeof(content) - 1);
    assert_true(length > 0);
    content[length] = '\0';
    assert_int_equal(count_of(content, "\n2026") - (content[length - 1] != '\n'), stats.written);
    close(reader);
    tel_access_log_destroy(log);
}

/* The reader wakes up within the deadline: nothing is lost. */
static void *read_all(void *argument)
{
    int reader = *(int *)argument;
    char bytes[4096];
    unsigned long lines = 0;
    fcntl(reader, F_SETFL, 0);
    for (ssize_t length; (length = read(reader, bytes, sizeof(bytes))) > 0;) {
        for (ssize_t i = 0; i < length; i++) {
            lines += bytes[i] == '\n';
        }
    }
    return (void *)lines;
}

static void test_shutdown_with_a_late_reader(void **state)
{
    const struct folder *folder = *state;
    int reader = make_pipe(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 400);
    WAIT_UNTIL(stats_of(log).stalled);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
    finish(log);
    void *lines;
    pthread_join(thread, &lines);
    assert_int_equal((unsigned long)lines, 4 + 400); /* with the directives */
    close(reader);
}

/* After shutdown appends are refused and counted; shutting down twice changes nothing. */
static void test_after_shutdown(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 10);
    assert_int_equal(tel_access_log_shutdown(log, 30000), 0);
    append_numbered(log, 10, 5);
    assert_int_equal(tel_access_log_shutdown(log, 30000), 0);
    struct tel_access_log_stats stats = stats_of(log);
    assert_accounts(&stats);
    assert_int_equal(stats.written, 10);
    assert_int_equal(stats.dropped[TEL_ACCESS_SHUTDOWN], 5);
    tel_access_log_reopen(log); /* nobody obeys, nothing breaks */
    tel_access_log_destroy(log);
    assert_int_equal(count_lines(read_file(folder->log), false), 10);
}

/* No time at all: what waits is lost and said to be. */
static void test_no_deadline(void **state)
{
    const struct folder *folder = *state;
    int reader = make_pipe(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 2000);
    assert_int_equal(tel_access_log_shutdown(log, 0), -ETIMEDOUT);
    struct tel_access_log_stats stats = stats_of(log);
    assert_accounts(&stats);
    assert_int_equal(stats.waiting, 0);
    tel_access_log_destroy(log);
    close(reader);
}

/* The longest deadline there is does not mean never. */
static void test_longest_deadline(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 1);
    assert_int_equal(tel_access_log_shutdown(log, UINT32_MAX), 0);
    assert_int_equal(stats_of(log).written, 1);
    tel_access_log_destroy(log);
}

/* destroy alone ends the thread too. */
static void test_destroy_without_shutdown(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i < 20; i++) {
        struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
        assert_non_null(log);
        append_numbered(log, 0, i);
        tel_access_log_destroy(log);
    }
}

/* The largest record always finds room in an empty queue, however small the queue was asked for. */
static void test_largest_record_fits(void **state)
{
    const struct folder *folder = *state;
    static char longest[2 * TEL_ACCESS_VALUE_MAX];
    memset(longest, 0xff, sizeof(longest));
    struct tel_text value = {longest, sizeof(longest)};
    struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
        .path = folder->log,
        .shard_count = 1,
        .queue_bytes = 1,
    });
    assert_non_null(log);
    struct tel_access_record record = example_record();
    record.method = record.uri_stem = record.uri_query = record.version = record.host = value;
    record.route = record.error = value;
    record.request_headers[0] = record.request_headers[1] = value;
    for (unsigned i = 0; i < 50; i++) {
        tel_access_log_append(log, 0, &record);
        WAIT_UNTIL(stats_of(log).written == i + 1);
    }
    finish(log);
    assert_int_equal(count_lines(read_file(folder->log), false), 50);
}

/* Appends until something is dropped; returns the bytes that the queue had left then. */
static uint64_t room_when_dropping(struct tel_access_log *log)
{
    uint64_t dropped = stats_of(log).dropped[TEL_ACCESS_QUEUE_FULL];
    while (stats_of(log).dropped[TEL_ACCESS_QUEUE_FULL] == dropped) {
        append_numbered(log, 0, 1);
    }
    struct tel_access_log_stats stats = stats_of(log);
    return stats.queue_capacity_bytes - stats.queue_bytes;
}

/* A queue that nobody empties takes what fits, not only what leaves room for the largest record. */
static void test_queue_is_filled(void **state)
{
    const struct folder *folder = *state;
    assert_int_equal(mkfifo(folder->log, 0600), 0); /* without a reader */
    struct tel_access_log *log = open_log(folder->log, NULL, NULL);
    assert_non_null(log);
    /* Not at once: the thread empties it until it has formatted all that it has room for. */
    WAIT_UNTIL(room_when_dropping(log) < TEL_ACCESS_VALUE_MAX);
    tel_access_log_destroy(log);
}

/* The program's signals are its own: the thread takes none. */
static volatile sig_atomic_t handled_elsewhere;
static pthread_t main_thread;

static void on_signal(int number)
{
    (void)number;
    handled_elsewhere |= !pthread_equal(pthread_self(), main_thread);
}

static void test_signals_are_left_alone(void **state)
{
    const struct folder *folder = *state;
    main_thread = pthread_self();
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < NSIG; number++) { /* create left our mask as it was */
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    }
    for (unsigned i = 0; i < 50; i++) {
        kill(getpid(), SIGUSR1);
    }
    finish(log);
    assert_false(handled_elsewhere);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_accounts_under_load),
        TEST(test_order),
        TEST(test_shutdown_with_a_stuck_reader),
        TEST(test_shutdown_with_a_late_reader),
        TEST(test_after_shutdown),
        TEST(test_no_deadline),
        TEST(test_longest_deadline),
        TEST(test_destroy_without_shutdown),
        TEST(test_largest_record_fits),
        TEST(test_queue_is_filled),
        TEST(test_signals_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
