/*
 * Sinks that refuse: a reader that is behind, gone, or not there yet; a disk that is full. What is
 * lost is counted, said once, and remarked in the log; what is in the file is always whole lines.
 */
#include "support.h"

#include <signal.h>
#include <sys/resource.h>

#define FIELDS "date time cs-uri-query"

static int set_up(void **state)
{
    static struct folder folder;
    folder_make(&folder);
    *state = &folder;
    signal(SIGXFSZ, SIG_IGN); /* for this thread, should it print while the limit is low */
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

static int open_reader(const struct folder *folder)
{
    int reader = open(folder->log, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    return reader;
}

/* A reader that keeps what it read. */
struct reader {
    int fd;
    size_t length;
    char content[4 * 1024 * 1024];
};
static struct reader reader;

static void reader_start(const struct folder *folder)
{
    reader.fd = open_reader(folder);
    reader.length = 0;
    reader.content[0] = '\0';
}

/* Reads what there is; returns how often `needle` is in all that was read. */
static unsigned long reader_has(const char *needle)
{
    ssize_t length;
    while ((length = read(reader.fd, reader.content + reader.length,
                          sizeof(reader.content) - 1 - reader.length)) > 0) {
        reader.length += (size_t)length;
    }
    reader.content[reader.length] = '\0';
    return count_of(reader.content, needle);
}

static void set_file_size_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Whether every line of the text is a directive, or `date TAB time TAB query`. */
static void assert_whole_lines(const char *content)
{
    for (const char *at = content; *at != '\0';) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        if (*at != '#') {
            assert_memory_equal(at, "2026-11-21\t10:20:30.456789\tn=", 29);
            for (const char *digit = at + 29; digit < end; digit++) {
                assert_in_range(*digit, '0', '9');
            }
        }
        at = end + 1;
    }
}

/* Of remarks in the text, the sum of the lines they say were lost. */
static unsigned long remarked(const char *content)
{
    unsigned long sum = 0;
    for (const char *at = content; (at = strstr(at, "#Remark: ")) != NULL; at++) {
        sum += strtoul(at + 9, NULL, 10);
    }
    return sum;
}

/* A reader that pauses: nothing is torn; what found no room is counted and remarked when it reads
 * again. */
static void test_reader_behind(void **state)
{
    const struct folder *folder = *state;
    struct said said = SAID_NOTHING;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    reader_start(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, &said);
    assert_non_null(log);
    append_numbered(log, 0, 2000);
    WAIT_UNTIL(stats_of(log).stalled);
    append_numbered(log, 2000, 8000);
    WAIT_UNTIL(heard(&said, "is behind") == 1);
    struct tel_access_log_stats stats = stats_of(log);
    assert_accounts(&stats);
    assert_true(stats.dropped[TEL_ACCESS_QUEUE_FULL] > 0);

    WAIT_UNTIL(reader_has("#Remark") > 0 && stats_of(log).waiting == 0);
    WAIT_UNTIL(heard(&said, "again") == 1);
    append_numbered(log, 10000, 10);
    WAIT_UNTIL(reader_has("n=10009\n") == 1);
    stats = stats_of(log);
    assert_false(stats.stalled);
    assert_whole_lines(reader.content);
    assert_int_equal(count_lines(reader.content, false), stats.written);
    assert_int_equal(remarked(reader.content), stats.dropped[TEL_ACCESS_QUEUE_FULL]);
    assert_non_null(strstr(reader.content, "lines lost (reason=queue_full)\n"));
    assert_int_equal(heard(&said, "is behind"), 1);
    assert_true(heard(&said, "were lost") >= 1);
    finish(log);
    close(reader.fd);
}

/* The reader closes: the process lives, each line is counted as refused, it is said once. The next
 * reader gets the directives, then a remark, then lines. */
static void test_reader_gone(void **state)
{
    const struct folder *folder = *state;
    struct said said = SAID_NOTHING;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    reader_start(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, &said);
    assert_non_null(log);
    append_numbered(log, 0, 10);
    WAIT_UNTIL(reader_has("n=9\n") == 1);
    close(reader.fd);
    for (unsigned i = 1; i <= 3; i++) {
        append_numbered(log, 10 * i, 10);
        WAIT_UNTIL(stats_of(log).dropped[TEL_ACCESS_WRITE_ERROR] == 10 * i);
    }
    assert_true(stats_of(log).stalled);
    assert_int_equal(stats_of(log).waiting, 0);
    assert_int_equal(heard(&said, "Broken pipe; lines are lost"), 1);

    reader_start(folder);
    append_numbered(log, 40, 10);
    WAIT_UNTIL(reader_has("n=49\n") == 1);
    const char *fields = strstr(reader.content, "\n#Fields: " FIELDS "\n");
    assert_non_null(fields);
    const char *remark = strstr(reader.content, "#Remark: 30 lines lost (reason=write_error)\n");
    assert_non_null(remark);
    assert_true(fields < remark && remark < strstr(reader.content, "n=40\n"));
    WAIT_UNTIL(heard(&said, "again") == 1);
    assert_int_equal(heard(&said, "30 lines of"), 1);
    finish(log);
    close(reader.fd);
}

/* Another reader takes over in the middle of a line: not a byte is missing between the two. */
static void test_reader_changes_in_a_line(void **state)
{
    const struct folder *folder = *state;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    reader_start(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 2000); /* more than a pipe holds */
    WAIT_UNTIL(stats_of(log).stalled);
    int next = open_reader(folder); /* what is in the pipe stays there */
    close(reader.fd);
    reader.fd = next;
    WAIT_UNTIL(reader_has("\n2026") == stats_of(log).written && stats_of(log).waiting == 0);
    assert_whole_lines(reader.content);
    finish(log);
    close(reader.fd);
}

/* The same with nobody there in between: what is left in the pipe ends in half a line, and its rest
 * is the first thing that the next reader gets. */
static void test_torn_line_survives_the_gap(void **state)
{
    const struct folder *folder = *state;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    reader_start(folder);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 2000);
    WAIT_UNTIL(stats_of(log).stalled);
    close(reader.fd);
    WAIT_UNTIL(stats_of(log).dropped[TEL_ACCESS_WRITE_ERROR] > 0);
    struct tel_access_log_stats stats = stats_of(log);
    assert_accounts(&stats);

    reader_start(folder);
    append_numbered(log, 5000, 1);
    WAIT_UNTIL(reader_has("n=5000\n") == 1);
    assert_int_equal(count_of(reader.content, "\n#Version"), 1); /* at the start of a line */
    assert_whole_lines(reader.content);
    assert_int_equal(count_lines(reader.content, false), stats_of(log).written);
    finish(log);
    close(reader.fd);
}

/* A FIFO that nobody reads yet: lines wait for the reader. */
static void test_reader_comes_late(void **state)
{
    const struct folder *folder = *state;
    struct said said = SAID_NOTHING;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    struct tel_access_log *log = open_log(folder->log, FIELDS, &said);
    assert_non_null(log);
    append_numbered(log, 0, 100);
    WAIT_UNTIL(heard(&said, "nobody reads it") == 1);
    assert_int_equal(stats_of(log).waiting, 100);
    assert_true(stats_of(log).stalled);
    reader_start(folder);
    WAIT_UNTIL(reader_has("n=99\n") == 1);
    assert_ptr_equal(strstr(reader.content, "#Version: 1.0\n"), reader.content);
    assert_int_equal(count_lines(reader.content, false), 100);
    finish(log);
    close(reader.fd);
}

/* The same, and nobody ever comes. */
static void test_reader_never_comes(void **state)
{
    const struct folder *folder = *state;
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 0, 100);
    WAIT_UNTIL(stats_of(log).stalled);
    assert_int_equal(tel_access_log_shutdown(log, 10), -ETIMEDOUT);
    assert_int_equal(stats_of(log).dropped[TEL_ACCESS_SHUTDOWN], 100);
    tel_access_log_destroy(log);
}

/* A disk that fills up in the middle of a line, and has room again later. */
static void test_full_disk(void **state)
{
    const struct folder *folder = *state;
    static const rlim_t limits[] = {50, 150, 300, 1000, 1013, 4097};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct said said = SAID_NOTHING;
        set_file_size_limit(limits[i]);
        struct tel_access_log *log = open_log(folder->log, FIELDS, &said);
        append_numbered(log, 0, 3000);
        WAIT_UNTIL(heard(&said, "File too large; lines wait") == 1);
        WAIT_UNTIL(stats_of(log).stalled);
        struct tel_access_log_stats stats = stats_of(log);
        const char *content = read_file(folder->log);
        assert_true(strlen(content) <= limits[i]);
        assert_whole_lines(content); /* also now: no half line waits for its rest */
        assert_int_equal(count_lines(content, false), stats.written);
        assert_accounts(&stats);

        set_file_size_limit(RLIM_INFINITY);
        WAIT_UNTIL(stats_of(log).waiting == 0);
        WAIT_UNTIL(heard(&said, "again") == 1);
        finish(log);
        content = read_file(folder->log);
        assert_whole_lines(content);
        assert_int_equal(count_of(content, "#Fields"), 1);
        assert_int_equal(count_lines(content, false) + remarked(content), 3000);
        unlink(folder->log);
    }
}

/* Shut down while the disk is full: the file ends with a whole line. */
static void test_shutdown_on_a_full_disk(void **state)
{
    const struct folder *folder = *state;
    set_file_size_limit(1000);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    append_numbered(log, 0, 500);
    int result = tel_access_log_shutdown(log, 50);
    struct tel_access_log_stats stats = stats_of(log);
    tel_access_log_destroy(log);
    set_file_size_limit(RLIM_INFINITY);
    assert_int_equal(result, -ETIMEDOUT);
    assert_accounts(&stats);
    assert_int_equal(stats.waiting, 0);
    assert_whole_lines(read_file(folder->log));
    assert_int_equal(count_lines(read_file(folder->log), false), stats.written);
}

/* The disk is full, the operator moves the file away and has it opened again. */
static void test_rotation_off_a_full_disk(void **state)
{
    const struct folder *folder = *state;
    char rotated[128];
    snprintf(rotated, sizeof(rotated), "%s.1", folder->log);
    set_file_size_limit(2000);
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    append_numbered(log, 0, 100);
    WAIT_UNTIL(stats_of(log).stalled && stats_of(log).written > 0);
    uint64_t written = stats_of(log).written;
    set_file_size_limit(RLIM_INFINITY);
    assert_int_equal(rename(folder->log, rotated), 0);
    tel_access_log_reopen(log);
    finish(log);
    assert_whole_lines(read_file(rotated));
    unsigned long before = count_lines(read_file(rotated), false);
    assert_true(before >= written);
    assert_whole_lines(read_file(folder->log));
    assert_int_equal(count_lines(read_file(folder->log), false), 100 - before);
    assert_int_equal(count_of(read_file(folder->log), "#Fields"), 1);
}

/* A device that is always full keeps the lines waiting, then drops; it does not refuse them. */
static void test_full_device(void **state)
{
    (void)state;
    struct said said = SAID_NOTHING;
    struct tel_access_log *log = open_log("/dev/full", FIELDS, &said);
    assert_non_null(log);
    append_numbered(log, 0, 10);
    WAIT_UNTIL(heard(&said, "No space left on device; lines wait") == 1);
    assert_int_equal(stats_of(log).waiting, 10);
    append_numbered(log, 10, 5000);
    struct tel_access_log_stats stats = stats_of(log);
    assert_true(stats.dropped[TEL_ACCESS_QUEUE_FULL] > 0);
    assert_int_equal(stats.dropped[TEL_ACCESS_WRITE_ERROR], 0);
    assert_int_equal(tel_access_log_shutdown(log, 10), -ETIMEDOUT);
    stats = stats_of(log);
    assert_accounts(&stats);
    assert_int_equal(stats.written, 0);
    assert_int_equal(heard(&said, "No space left"), 1); /* once, however often it was tried */
    tel_access_log_destroy(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reader_behind),
        TEST(test_reader_gone),
        TEST(test_reader_changes_in_a_line),
        TEST(test_torn_line_survives_the_gap),
        TEST(test_reader_comes_late),
        TEST(test_reader_never_comes),
        TEST(test_full_disk),
        TEST(test_shutdown_on_a_full_disk),
        TEST(test_rotation_off_a_full_disk),
        TEST(test_full_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
