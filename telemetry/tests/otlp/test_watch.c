/*
 * Which changes of files are noticed.
 */
#include "otlp/watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#include "../files.h"

static char directory[] = "/tmp/test_watch.XXXXXX";
static char path[64];  /* what is watched */
static char other[64]; /* of the same size, and as old */

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/file", directory);
    snprintf(other, sizeof(other), "%s/other", directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(directory);
}

static void do_nothing(void)
{
}

static void rewrite_in_place(void)
{
    write_file(path, "two");
}

/* A copy that keeps the time, as `cp -p` makes it. */
static void rewrite_with_old_time(void)
{
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    write_file(path, "two");
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void append(void)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("!", file);
    assert_int_equal(fclose(file), 0);
}

static void rename_over(void)
{
    assert_int_equal(rename(other, path), 0);
    write_file(other, "two");
}

static void turn_link(void)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("other", path), 0);
}

static void remove_it(void)
{
    assert_int_equal(unlink(path), 0);
}

static void test_changes(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*change)(void);
        bool noticed;
    } cases[] = {
        {"nothing", do_nothing, false},
        {"in place", rewrite_in_place, true},
        {"time kept", rewrite_with_old_time, true},
        {"appended", append, true},
        {"renamed", rename_over, true},
        {"another link", turn_link, true},
        {"gone", remove_it, true},
    };
    struct tel__watch watch = {0};
    tel__watch_add(&watch, path);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tel__stamps before;
        struct tel__stamps after;
        unlink(path);
        write_file(path, "one");
        write_file(other, "two");
        tel__watch_look(&watch, &before);
        pause_ms(12); /* the clock of file systems is a coarse one */
        cases[i].change();
        tel__watch_look(&watch, &after);
        if (tel__stamps_are_equal(&watch, &before, &after) == cases[i].noticed) {
            fail_msg("%s", cases[i].what);
        }
        unlink(path);
        unlink(other);
    }
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    struct tel__watch watch = {0};
    struct tel__stamps before;
    struct tel__stamps after;
    tel__watch_add(&watch, NULL);
    tel__watch_add(&watch, "");
    assert_int_equal(watch.count, 0);
    tel__watch_add(&watch, path);
    tel__watch_look(&watch, &before);
    tel__watch_look(&watch, &after);
    assert_true(tel__stamps_are_equal(&watch, &before, &after));
    write_file(path, "");
    tel__watch_look(&watch, &after);
    assert_false(tel__stamps_are_equal(&watch, &before, &after));
    unlink(path);
    for (int i = 0; i < 2 * TEL__WATCH_MAX; i++) {
        tel__watch_add(&watch, path);
    }
    assert_int_equal(watch.count, TEL__WATCH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
