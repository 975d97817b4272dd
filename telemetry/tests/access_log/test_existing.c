/*
 * Files that are there already: judged by their content, and renamed without ever overwriting.
 */
#include "support.h"

#include "access_log/existing.h"

static struct tel__fields fields;

static int set_up(void **state)
{
    static struct folder folder;
    char message[2048];
    folder_make(&folder);
    *state = &folder;
    return tel__fields_compile(&fields, "date time", false, message, sizeof(message));
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

static int judge(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return tel__existing_judge(path, &status, &fields);
}

static void test_judgements(void **state)
{
    const struct folder *folder = *state;
    static const struct {
        const char *content;
        int expected;
    } cases[] = {
        {"", TEL__EXISTING_EMPTY},
        {"#Fields: date time\n", TEL__EXISTING_OURS},
        {"#Fields: date time\n2026-11-21\t10:00:00\n", TEL__EXISTING_OURS},
        {"#Fields: date time\n2026-11-21\t10:0", TEL__EXISTING_TORN},
        {"#Fields: date\n", TEL__EXISTING_OTHER},
        {"#Fields: date ti", TEL__EXISTING_OTHER},
        {"\n", TEL__EXISTING_OTHER},
        {"hello", TEL__EXISTING_OTHER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_file(folder->log, cases[i].content);
        assert_int_equal(judge(folder->log), cases[i].expected);
        assert_string_equal(read_file(folder->log), cases[i].content); /* looking changes nothing */
    }
}

/* A large file is judged by its beginning and its last byte. */
static void test_large_file(void **state)
{
    const struct folder *folder = *state;
    FILE *file = fopen(folder->log, "w");
    fputs("#Fields: date time\n", file);
    for (int i = 0; i < 100000; i++) {
        fputs("2026-11-21\t10:00:00\n", file);
    }
    fflush(file);
    assert_int_equal(judge(folder->log), TEL__EXISTING_OURS);
    fputs("2026", file);
    fclose(file);
    assert_int_equal(judge(folder->log), TEL__EXISTING_TORN);
}

/* The file that was opened is not the one that the path leads to any more. */
static void test_exchanged_under_us(void **state)
{
    const struct folder *folder = *state;
    struct stat status;
    char other[128];
    snprintf(other, sizeof(other), "%s/other", folder->path);
    write_file(folder->log, "#Fields: date time\n");
    write_file(other, "#Fields: date time\n");
    assert_int_equal(stat(folder->log, &status), 0);
    assert_int_equal(rename(other, folder->log), 0);
    assert_int_equal(tel__existing_judge(folder->log, &status, &fields), -EAGAIN);
    unlink(folder->log);
    assert_int_equal(tel__existing_judge(folder->log, &status, &fields), -EAGAIN);
}

/* The name carries the time; a taken name gets a number; nothing is overwritten. */
static void test_set_aside(void **state)
{
    const struct folder *folder = *state;
    static const char *const suffixes[] = {"", ".1", ".2"};
    for (size_t i = 0; i < 3; i++) {
        char content[16];
        char renamed[PATH_MAX];
        char expected[PATH_MAX];
        snprintf(content, sizeof(content), "file %zu\n", i);
        write_file(folder->log, content);
        assert_int_equal(tel__existing_set_aside(folder->log, EXAMPLE_WALL_NS, renamed), 0);
        snprintf(expected, sizeof(expected), "%s.20261121T102030Z%s", folder->log, suffixes[i]);
        assert_string_equal(renamed, expected);
        assert_int_equal(access(folder->log, F_OK), -1);
    }
    for (size_t i = 0; i < 3; i++) {
        char path[PATH_MAX];
        char content[16];
        snprintf(path, sizeof(path), "%s.20261121T102030Z%s", folder->log, suffixes[i]);
        snprintf(content, sizeof(content), "file %zu\n", i);
        assert_string_equal(read_file(path), content);
    }
}

/* A symbolic link stays, so that the next log is where the link points to. */
static void test_link_is_followed(void **state)
{
    const struct folder *folder = *state;
    char target[128];
    char renamed[PATH_MAX];
    char expected[PATH_MAX];
    snprintf(target, sizeof(target), "%s/target", folder->path);
    write_file(target, "old\n");
    assert_int_equal(symlink(target, folder->log), 0);
    assert_int_equal(tel__existing_set_aside(folder->log, EXAMPLE_WALL_NS, renamed), 0);
    snprintf(expected, sizeof(expected), "%s.20261121T102030Z", target);
    assert_string_equal(renamed, expected);
    assert_string_equal(read_file(expected), "old\n");
    struct stat status;
    assert_int_equal(lstat(folder->log, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void test_nothing_to_set_aside(void **state)
{
    const struct folder *folder = *state;
    char renamed[PATH_MAX];
    assert_int_equal(tel__existing_set_aside(folder->log, EXAMPLE_WALL_NS, renamed), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_judgements),         TEST(test_large_file),       TEST(test_set_aside),
        TEST(test_exchanged_under_us), TEST(test_link_is_followed), TEST(test_nothing_to_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
