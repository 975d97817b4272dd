/*
 * The access log through its header, on files: what is in a file after what was appended, how it
 * starts, how it is rotated, and what create refuses.
 */
#include "support.h"

#define FIELDS    "date time cs-uri-query"
#define DIRECTIVE "#Fields: " FIELDS "\n"

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

static void test_new_file(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, NULL, NULL);
    struct tel_access_record record = example_record();
    assert_non_null(log);
    tel_access_log_append(log, 0, &record);
    finish(log);

    const char *content = read_file(folder->log);
    assert_ptr_equal(strstr(content, "#Version: 1.0\n#Software: test/1.0\n#Start-Date: "), content);
    assert_int_equal(count_lines(content, true), 4);
    const char *line = strstr(content, "#Fields: ");
    assert_memory_equal(line + 9, tel_access_fields_default, strlen(tel_access_fields_default));
    line = strchr(line, '\n') + 1;
    assert_string_equal(
        line, "2026-11-21\t10:20:30.456789\t0.001234\t192.0.2.7\t50123\t2001:db8::1\t8080\tGET\t"
              "/demo/hello\tdelay=5\tHTTP/1.1\tlocalhost:8080\t200\t120\t345\t\"curl/8.1\"\t"
              "\"https://example.org/\"\t0af7651916cd43dd8448eb211c80319c\tb7ad6b7169203331\t"
              "/demo/hello\t-\t-\n");
}

/* With IIS's conventions and no list, the list is IIS's. */
static void test_iis_preset(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
        .path = folder->log,
        .iis = true,
        .shard_count = 1,
    });
    struct tel_access_record record = example_record();
    assert_non_null(log);
    tel_access_log_append(log, 0, &record);
    finish(log);
    const char *content = read_file(folder->log);
    assert_non_null(
        strstr(content, "\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port "
                        "cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus "
                        "sc-win32-status time-taken\n"
                        "2026-11-21 10:20:30 2001:db8::1 GET /demo/hello delay=5 8080 - 192.0.2.7 "
                        "curl/8.1 https://example.org/ 200 0 0 1\n"));
}

/* The line that is shown elsewhere is the file's, byte for byte, by either convention. */
static void test_the_line_elsewhere(void **state)
{
    const struct folder *folder = *state;
    static const char *const fields[] = {NULL, "date x-route cs(User-Agent) cs-uri time-taken"};
    for (int iis = 0; iis < 2; iis++) {
        for (size_t i = 0; i < 2; i++) {
            unlink(folder->log);
            struct tel_access_log *log = tel_access_log_create(&(struct tel_access_log_options){
                .path = folder->log, .fields = fields[i], .iis = iis != 0, .shard_count = 1});
            struct tel_access_record record = example_record();
            record.uri_stem = text("/with \"\t\xff\\");
            record.request_headers[0] = text("a \"b\"\x01");
            struct tel_buffer line;
            tel_buffer_init(&line, 1024 * 1024);
            assert_non_null(log);
            tel_access_log_append(log, 0, &record);
            tel_buffer_append_char(&line, '\n');
            tel_access_log_append_line(log, &record, &line);
            assert_int_equal(line.error, 0);
            finish(log);
            tel_buffer_append_char(&line, '\n');
            tel_buffer_append_char(&line, '\0');
            const char *content = read_file(folder->log);
            assert_string_equal(content + strlen(content) - strlen(line.data), line.data);
            tel_buffer_fini(&line);
        }
    }
}

static void test_no_room_for_a_line(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    struct tel_access_record record = example_record();
    struct tel_buffer line;
    tel_buffer_init(&line, 100);
    tel_buffer_append_string(&line, "before");
    tel_access_log_append_line(log, &record, &line);
    assert_int_equal(line.error, -EMSGSIZE);
    assert_int_equal(line.length, 6);
    tel_buffer_fini(&line);
    finish(log);
}

static void test_names_of_fields(void **state)
{
    const struct folder *folder = *state;
    static const char *const names[] = {"date", "cs(User-Agent)", "x-route", NULL, NULL};
    struct tel_access_log *log = open_log(folder->log, "date, cs(User-Agent) x-route", NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *name = tel_access_log_field(log, i);
        if (names[i] == NULL) {
            assert_null(name);
        } else {
            assert_string_equal(name, names[i]);
        }
    }
    finish(log);
}

/* A program that starts again goes on with its file: no second set of directives. */
static void test_goes_on(void **state)
{
    const struct folder *folder = *state;
    for (unsigned run = 0; run < 3; run++) {
        struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
        assert_non_null(log);
        append_numbered(log, 10 * run, 10);
        finish(log);
    }
    const char *content = read_file(folder->log);
    assert_int_equal(count_of(content, "#Fields"), 1);
    assert_int_equal(count_lines(content, false), 30);
    assert_int_equal(folder_each(folder, NULL, NULL), 1);
}

/* A crash left half a line: ours begins on a line of its own. */
static void test_torn_by_a_crash(void **state)
{
    const struct folder *folder = *state;
    write_file(folder->log, DIRECTIVE "2026-11-21\t10:");
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    append_numbered(log, 7, 1);
    finish(log);
    assert_string_equal(read_file(folder->log),
                        DIRECTIVE "2026-11-21\t10:\n2026-11-21\t10:20:30.456789\tn=7\n");
}

static void find_aside(const char *path, void *argument)
{
    if (strstr(path, "/log.") != NULL) {
        snprintf(argument, PATH_MAX, "%s", path);
    }
}

/* Files that we cannot go on with are renamed, whole, and said to be. */
static void test_set_aside(void **state)
{
    const struct folder *folder = *state;
    const char *const contents[] = {
        "#Fields: date time\n2026-11-21\t10:20:30\n",
        "127.0.0.1 - - [21/Nov/2026:10:20:30 +0000] \"GET / HTTP/1.1\" 200 5\n",
        "#Remark: IIS conventions, time-taken in milliseconds\n" DIRECTIVE,
    };
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        struct said said = SAID_NOTHING;
        write_file(folder->log, contents[i]);
        struct tel_access_log *log = open_log(folder->log, FIELDS, &said);
        assert_non_null(log);
        append_numbered(log, 1, 1);
        finish(log);
        assert_int_equal(count_lines(read_file(folder->log), false), 1);
        assert_non_null(strstr(read_file(folder->log), "\n" DIRECTIVE));
        char aside[PATH_MAX] = "";
        assert_int_equal(folder_each(folder, find_aside, aside), 2);
        assert_string_equal(read_file(aside), contents[i]);
        assert_int_equal(heard(&said, "has other fields: renamed to "), 1);
        assert_int_equal(heard(&said, aside), 1);
        unlink(aside);
    }
}

/* Rotation as logrotate does it: rename, then SIGHUP. Nothing is lost, nothing is there twice. */
static void test_rotation(void **state)
{
    const struct folder *folder = *state;
    enum { ROUNDS = 5, LINES = 100 };
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char rotated[128];
        snprintf(rotated, sizeof(rotated), "%s.%u", folder->log, round);
        append_numbered(log, round * LINES, LINES / 2);
        if (round % 2 == 0) { /* also with lines still on their way */
            WAIT_UNTIL(stats_of(log).waiting == 0);
        }
        assert_int_equal(rename(folder->log, rotated), 0);
        append_numbered(log, round * LINES + LINES / 2, LINES / 2);
        tel_access_log_reopen(log);
        WAIT_UNTIL(stats_of(log).reopened == round + 1);
        WAIT_UNTIL(count_of(read_file(folder->log), DIRECTIVE) == 1);
    }
    finish(log);

    bool seen[ROUNDS * LINES] = {false};
    for (unsigned round = 0; round <= ROUNDS; round++) {
        char path[128];
        snprintf(path, sizeof(path), round < ROUNDS ? "%s.%u" : "%s", folder->log, round);
        const char *content = read_file(path);
        assert_int_equal(count_of(content, "#Fields"), 1);
        for (const char *at = content; (at = strstr(at, "n=")) != NULL; at++) {
            unsigned number = (unsigned)atoi(at + 2);
            assert_in_range(number, 0, ROUNDS * LINES - 1);
            assert_false(seen[number]);
            seen[number] = true;
        }
    }
    for (unsigned i = 0; i < ROUNDS * LINES; i++) {
        assert_true(seen[i]);
    }
}

/* SIGHUP without a rotation changes nothing. */
static void test_reopen_the_same_file(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log = open_log(folder->log, FIELDS, NULL);
    assert_non_null(log);
    for (unsigned i = 0; i < 3; i++) {
        append_numbered(log, i, 1);
        WAIT_UNTIL(stats_of(log).written == i + 1);
        tel_access_log_reopen(log);
        WAIT_UNTIL(stats_of(log).reopened == i + 1);
    }
    finish(log);
    assert_int_equal(count_of(read_file(folder->log), "#Fields"), 1);
    assert_int_equal(count_lines(read_file(folder->log), false), 3);
    assert_int_equal(folder_each(folder, NULL, NULL), 1);
}

/* What cannot be reopened stays in use. */
static void test_reopen_fails(void **state)
{
    const struct folder *folder = *state;
    struct said said = SAID_NOTHING;
    char inner[128];
    char path[160];
    char moved[128];
    snprintf(inner, sizeof(inner), "%s/inner", folder->path);
    snprintf(path, sizeof(path), "%s/log", inner);
    snprintf(moved, sizeof(moved), "%s/moved", folder->path);
    assert_int_equal(mkdir(inner, 0700), 0);
    struct tel_access_log *log = open_log(path, FIELDS, &said);
    assert_non_null(log);
    append_numbered(log, 0, 1);
    WAIT_UNTIL(stats_of(log).written == 1);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(rmdir(inner), 0);
    tel_access_log_reopen(log);
    WAIT_UNTIL(heard(&said, "the old file stays in use") == 1);
    assert_int_equal(heard(&said, "No such file or directory"), 1);
    append_numbered(log, 1, 1);
    WAIT_UNTIL(stats_of(log).written == 2);
    assert_int_equal(stats_of(log).reopened, 0);
    finish(log);
    assert_int_equal(count_lines(read_file(moved), false), 2);
}

/* The same fields, appended by two logs at once: every line whole. */
static void test_two_logs_share_a_file(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *one = open_log(folder->log, FIELDS, NULL);
    WAIT_UNTIL(strstr(read_file(folder->log), "#Fields") != NULL);
    struct tel_access_log *two = open_log(folder->log, FIELDS, NULL);
    append_numbered(one, 0, 500);
    append_numbered(two, 500, 500);
    finish(one);
    finish(two);
    assert_int_equal(count_lines(read_file(folder->log), false), 1000);
    assert_int_equal(count_of(read_file(folder->log), "\n2026-11-21\t10:20:30.456789\tn="), 1000);
}

static void test_headers_to_bring(void **state)
{
    const struct folder *folder = *state;
    struct tel_access_log *log =
        open_log(folder->log, "cs(User-Agent) time sc(ETag) cs(x-a)", NULL);
    assert_non_null(log);
    assert_string_equal(tel_access_log_header(log, TEL_ACCESS_REQUEST, 0), "User-Agent");
    assert_string_equal(tel_access_log_header(log, TEL_ACCESS_REQUEST, 1), "x-a");
    assert_null(tel_access_log_header(log, TEL_ACCESS_REQUEST, 2));
    assert_string_equal(tel_access_log_header(log, TEL_ACCESS_RESPONSE, 0), "ETag");
    assert_null(tel_access_log_header(log, TEL_ACCESS_RESPONSE, 1));
    assert_null(tel_access_log_header(log, TEL_ACCESS_RESPONSE, SIZE_MAX));
    finish(log);
}

/* create says what is wrong, and where. */
static void test_refusals(void **state)
{
    const struct folder *folder = *state;
    const struct {
        const char *path, *fields;
        size_t shards;
        int error;
        const char *said;
    } cases[] = {
        {folder->log, "date tiem", 1, EINVAL, "unknown field \"tiem\"; allowed: date time"},
        {folder->log, "", 1, EINVAL, "no fields"},
        {"/nonexistent/log", NULL, 1, ENOENT, "cannot open /nonexistent/log: No such file"},
        {folder->path, NULL, 1, EISDIR, "Is a directory"},
        {"", NULL, 1, EINVAL, ""},
        {NULL, NULL, 1, EINVAL, ""},
        {folder->log, NULL, 0, EINVAL, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct said said = SAID_NOTHING;
        errno = 0;
        assert_null(tel_access_log_create(&(struct tel_access_log_options){
            .path = cases[i].path,
            .fields = cases[i].fields,
            .shard_count = cases[i].shards,
            .diagnostic = hear,
            .diagnostic_argument = &said,
        }));
        assert_int_equal(errno, cases[i].error);
        assert_non_null(strstr(said.text, cases[i].said));
    }
    assert_int_equal(folder_each(folder, NULL, NULL), 0); /* no file was made in passing */
    tel_access_log_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_file),           TEST(test_iis_preset),
        TEST(test_the_line_elsewhere), TEST(test_no_room_for_a_line),
        TEST(test_names_of_fields),    TEST(test_goes_on),
        TEST(test_torn_by_a_crash),    TEST(test_set_aside),
        TEST(test_rotation),           TEST(test_reopen_the_same_file),
        TEST(test_reopen_fails),       TEST(test_two_logs_share_a_file),
        TEST(test_headers_to_bring),   TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
