/*
 * What a look at the plan's file says, step by step: a row is what happens to the file and what the
 * next looks answer.
 */
#include "faults/watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "telemetry/clock.h"

#define PATH "plan.json"
#define PLAN(seed)                                                                   \
    "{\"begin\":\"2026-11-26T08:00:00Z\",\"seed\":" #seed ",\"faults\":[{\"route\":" \
    "\"/demo/hello\",\"duration\":\"1h\",\"error\":{\"ratio\":0.5,\"status\":503}}]}"

static char directory[] = "/tmp/test_watch.XXXXXX";
static struct fault_watch watch;
static struct fault_plan plan;

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void replace(const char *text)
{
    write_file("next", text);
    assert_int_equal(rename("next", PATH), 0);
}

static enum fault_watch_news look(void)
{
    return fault_watch_look(&watch, tel_clock_wall_ns(), &plan);
}

/* A look after the file has come of age. */
static enum fault_watch_news look_later(void)
{
    return fault_watch_look(&watch, tel_clock_wall_ns() + 2 * FAULT_WATCH_YOUNG_NS, &plan);
}

static int enter(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    return chdir(directory);
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 ? rmdir(directory) : -1;
}

static int setup(void **state)
{
    (void)state;
    write_file(PATH, PLAN(1));
    fault_watch_init(&watch, PATH);
    memset(&plan, 0, sizeof(plan));
    assert_int_equal(fault_watch_open(&watch, 7, &plan), FAULT_WATCH_LOADED);
    assert_int_equal(plan.seed, 1);
    assert_int_equal(watch.loaded_wall_ns, 7);
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_watch_fini(&watch);
    unlink(PATH);
    return 0;
}

static void test_another_plan_is_loaded_once(void **state)
{
    (void)state;
    replace(PLAN(2));
    assert_int_equal(look(), FAULT_WATCH_LOADED);
    assert_int_equal(plan.seed, 2);
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
    assert_int_equal(look_later(), FAULT_WATCH_NOTHING);
    assert_true(watch.settled);
}

/* Same length, same inode; within a tick of the kernel's clock the stamp does not show it. */
static void test_a_young_file_is_read_whatever_its_stamp_says(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        int fd = open(PATH, O_WRONLY | O_CLOEXEC);
        const char *text = i % 2 == 0 ? PLAN(3) : PLAN(4);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
        assert_int_equal(look(), FAULT_WATCH_LOADED);
        assert_int_equal(plan.seed, i % 2 == 0 ? 3 : 4);
    }
}

static void test_the_same_content_is_no_news(void **state)
{
    (void)state;
    replace(PLAN(1));
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
    assert_int_equal(utimensat(AT_FDCWD, PATH, NULL, 0), 0);
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
}

static void test_half_a_plan_is_waited_for(void **state)
{
    (void)state;
    char half[sizeof(PLAN(5))];
    for (size_t cut = 0; cut < sizeof(half) - 1; cut += 13) {
        memcpy(half, PLAN(5), cut);
        half[cut] = '\0';
        write_file(PATH, half);
        assert_int_equal(look(), FAULT_WATCH_NOTHING);
        assert_string_equal(watch.reason, "");
    }
    write_file(PATH, PLAN(5));
    assert_int_equal(look(), FAULT_WATCH_LOADED);
    assert_int_equal(plan.seed, 5);
}

/* Half-written each time one looks: it is waited for, but not for ever. */
static void test_what_changes_at_every_look_is_judged_in_the_end(void **state)
{
    (void)state;
    const uint64_t from_ns = tel_clock_wall_ns();
    const uint64_t step_ns = FAULT_WATCH_PATIENCE_NS / 4;
    unsigned refused = 0;
    for (unsigned i = 0; i < 9; i++) {
        char text[32];
        snprintf(text, sizeof(text), "{\"seed\": %u", i);
        replace(text);
        const enum fault_watch_news news = fault_watch_look(&watch, from_ns + i * step_ns, &plan);
        assert_int_equal(news, i == 4 ? FAULT_WATCH_REFUSED : FAULT_WATCH_NOTHING);
        refused += news == FAULT_WATCH_REFUSED;
    }
    assert_int_equal(refused, 1);
    assert_int_equal(plan.seed, 1);
}

static void test_bad_content_is_refused_once_and_the_plan_stays(void **state)
{
    (void)state;
    replace("{\"faults\": 1}");
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
    assert_int_equal(look(), FAULT_WATCH_REFUSED);
    assert_string_not_equal(watch.reason, "");
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
    assert_int_equal(look_later(), FAULT_WATCH_NOTHING);
    assert_int_equal(plan.seed, 1);
    assert_int_equal(watch.loaded_wall_ns, 7);
    replace("{\"faults\": 2}"); /* bad in another way: told too */
    look();
    assert_int_equal(look(), FAULT_WATCH_REFUSED);
    replace(PLAN(1)); /* what is loaded anyhow: nothing begins anew */
    assert_int_equal(look(), FAULT_WATCH_BACK);
    assert_string_equal(watch.reason, "");
    assert_int_equal(watch.loaded_wall_ns, 7);
}

static void make_too_large(void)
{
    FILE *file = fopen(PATH, "w");
    assert_non_null(file);
    fputs(PLAN(6), file);
    for (int i = 0; i < FAULT_PLAN_BYTES_MAX; i++) {
        fputc(' ', file);
    }
    fclose(file);
}

static void make_fifo(void)
{
    unlink(PATH);
    assert_int_equal(mkfifo(PATH, 0600), 0);
}

static void make_link_to_itself(void)
{
    unlink(PATH);
    assert_int_equal(symlink(PATH, PATH), 0);
}

static void remove_it(void)
{
    unlink(PATH);
}

static void empty_it(void)
{
    write_file(PATH, "");
}

static void leave_out_begin(void)
{
    write_file(PATH, "{\"faults\":[{\"duration\":\"1h\",\"not_ready\":true}]}");
}

static void test_what_cannot_be_a_plan(void **state)
{
    (void)state;
    static const struct {
        void (*make)(void);
        const char *reason;
    } cases[] = {
        {make_too_large, "it is too large: a plan has at most 65536 bytes"},
        {make_fifo, "it cannot be read: it is not a regular file"},
        {make_link_to_itself, "it cannot be read: Too many levels of symbolic links"},
        {remove_it, "it cannot be read: No such file or directory"},
        {empty_it, NULL},
        {leave_out_begin, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cases[i].make();
        assert_int_equal(look(), FAULT_WATCH_NOTHING);
        assert_int_equal(look(), FAULT_WATCH_REFUSED);
        if (cases[i].reason != NULL) {
            assert_string_equal(watch.reason, cases[i].reason);
        }
        assert_string_not_equal(watch.reason, "");
        assert_int_equal(look(), FAULT_WATCH_NOTHING);
        unlink(PATH);
        replace(PLAN(1));
        assert_int_equal(look(), FAULT_WATCH_BACK);
    }
}

/* As the kubelet does it: the whole folder is another, by one rename of a link. */
static void test_a_config_map_is_swapped(void **state)
{
    (void)state;
    assert_int_equal(mkdir("..1", 0700) | mkdir("..2", 0700), 0);
    write_file("..1/" PATH, PLAN(1));
    write_file("..2/" PATH, PLAN(8));
    assert_int_equal(unlink(PATH) | symlink("..1", "..data") | symlink("..data/" PATH, PATH), 0);
    assert_int_equal(look(), FAULT_WATCH_NOTHING);
    assert_int_equal(look_later(), FAULT_WATCH_NOTHING);
    assert_int_equal(symlink("..2", "..tmp") | rename("..tmp", "..data"), 0);
    assert_int_equal(look(), FAULT_WATCH_LOADED);
    assert_int_equal(plan.seed, 8);
    assert_int_equal(unlink("..1/" PATH) | unlink("..2/" PATH) | rmdir("..1") | rmdir("..2") |
                         unlink("..data"),
                     0);
}

/* The first reading is judged at once, whatever it gives. */
static void test_the_first_reading(void **state)
{
    (void)state;
    struct fault_watch first;
    fault_watch_init(&first, "nowhere");
    assert_int_equal(fault_watch_open(&first, 1, &plan), FAULT_WATCH_REFUSED);
    assert_string_equal(first.reason, "it cannot be read: No such file or directory");
    fault_watch_fini(&first);
    write_file(PATH, "{}");
    fault_watch_init(&first, PATH);
    assert_int_equal(fault_watch_open(&first, 1, &plan), FAULT_WATCH_REFUSED);
    fault_watch_fini(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_another_plan_is_loaded_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_young_file_is_read_whatever_its_stamp_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_same_content_is_no_news, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_a_plan_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_changes_at_every_look_is_judged_in_the_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_bad_content_is_refused_once_and_the_plan_stays, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_a_plan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_config_map_is_swapped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_first_reading, setup, teardown),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
