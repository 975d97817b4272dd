/*
 * Stamps of files as orchestrators replace them: through a link to a folder, turned in one step.
 * Which changes of a plain file are noticed is a table of otlp/test_watch.c, which looks by these.
 */
#include "telemetry/stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../files.h"

static char directory[] = "/tmp/test_stamp.XXXXXX";

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return chdir("/") == 0 ? rmdir(directory) : -1;
}

/* plan.json -> ..data/plan.json, ..data -> ..1 or ..2: what the kubelet makes of a ConfigMap. */
static void test_a_folder_that_is_swapped_under_a_link(void **state)
{
    (void)state;
    struct tel_stamp first;
    struct tel_stamp again;
    struct tel_stamp second;
    assert_int_equal(mkdir("..1", 0700) | mkdir("..2", 0700), 0);
    write_file("..1/plan.json", "{}");
    assert_int_equal(link("..1/plan.json", "..2/other"), 0);
    write_file("..2/plan.json", "{}");
    assert_int_equal(symlink("..1", "..data") | symlink("..data/plan.json", "plan.json"), 0);
    tel_stamp_look(&first, "plan.json");
    tel_stamp_look(&again, "plan.json");
    assert_true(first.there);
    assert_int_equal(first.size, 2);
    assert_true(tel_stamp_is_equal(&first, &again));
    assert_int_equal(symlink("..2", "..data_tmp") | rename("..data_tmp", "..data"), 0);
    tel_stamp_look(&second, "plan.json");
    assert_true(second.there);
    assert_false(tel_stamp_is_equal(&first, &second));
    assert_int_equal(unlink("plan.json") | unlink("..data") | unlink("..1/plan.json") |
                         unlink("..2/plan.json") | unlink("..2/other") | rmdir("..1") |
                         rmdir("..2"),
                     0);
}

static void test_a_link_that_leads_nowhere_is_not_there(void **state)
{
    (void)state;
    struct tel_stamp nowhere;
    struct tel_stamp never;
    assert_int_equal(symlink("gone", "link"), 0);
    tel_stamp_look(&nowhere, "link");
    tel_stamp_look(&never, "never");
    assert_false(nowhere.there);
    assert_true(tel_stamp_is_equal(&nowhere, &never));
    assert_int_equal(unlink("link"), 0);
}

/* Each member counts by itself. */
static void test_every_member_is_compared(void **state)
{
    (void)state;
    const struct tel_stamp base = {.there = true};
    struct tel_stamp others[8] = {base, base, base, base, base, base, base, base};
    others[0].there = false;
    others[1].device++;
    others[2].inode++;
    others[3].size++;
    others[4].modified.tv_sec++;
    others[5].modified.tv_nsec++;
    others[6].changed.tv_sec++;
    others[7].changed.tv_nsec++;
    assert_true(tel_stamp_is_equal(&base, &base));
    for (size_t i = 0; i < 8; i++) {
        if (tel_stamp_is_equal(&base, &others[i])) {
            fail_msg("member %zu is not looked at", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_folder_that_is_swapped_under_a_link),
        cmocka_unit_test(test_a_link_that_leads_nowhere_is_not_there),
        cmocka_unit_test(test_every_member_is_compared),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
