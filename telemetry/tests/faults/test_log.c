/*
 * An access log whose thread is refused things while it runs: on the way of a line it asks for
 * nothing; where a file cannot be opened again the old one stays in use, and says so.
 */
#include "../access_log/support.h"
#include "faults.h"

#define LINES 20

static struct folder folder;

/* Appends, reopens, appends. Everything that was appended is written, to one file or the other. */
static void run(bool lasting)
{
    struct faults faults = {.kinds = FAULTS_OURS, .lasting = lasting};
    while (faults_next(&faults)) {
        struct said said = SAID_NOTHING;
        char old[128];
        faults_stop();
        snprintf(old, sizeof(old), "%s.old", folder.log);
        struct tel_access_log *log = open_log(folder.log, NULL, &said);
        assert_non_null(log);
        faults_resume();
        append_numbered(log, 0, LINES);
        WAIT_UNTIL(stats_of(log).written == LINES);
        assert_int_equal(rename(folder.log, old), 0);
        tel_access_log_reopen(log);
        WAIT_UNTIL(stats_of(log).reopened == 1 || heard(&said, "the old file stays in use") == 1);
        append_numbered(log, LINES, LINES);
        WAIT_UNTIL(stats_of(log).written == 2 * LINES);
        struct tel_access_log_stats stats = stats_of(log);
        assert_accounts(&stats);
        assert_int_equal(stats.appended, 2 * LINES);
        faults_stop();
        assert_int_equal(stats.reopened == 0, faults_struck());
        finish(log);
        assert_int_equal(count_lines(read_file(old), false),
                         stats.reopened == 1 ? LINES : 2 * LINES);
        assert_int_equal(count_lines(read_file(folder.log), false),
                         stats.reopened == 1 ? LINES : 0);
        unlink(old);
        unlink(folder.log);
    }
    assert_true(faults.turns > 1);
}

static void test_one_refusal(void **state)
{
    (void)state;
    run(false);
}

static void test_nothing_more_from_there_on(void **state)
{
    (void)state;
    run(true);
}

static int make_folder(void **state)
{
    (void)state;
    folder_make(&folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_refusal),
        cmocka_unit_test(test_nothing_more_from_there_on),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
