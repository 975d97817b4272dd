/*
 * Sinks: each kind of descriptor, what it takes, and that none of them ever makes us wait.
 */
#include "support.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "access_log/sink.h"

static struct tel__fields fields;
static struct tel__sink_report report;

static int set_up(void **state)
{
    static struct folder folder;
    char message[2048];
    folder_make(&folder);
    *state = &folder;
    signal(SIGPIPE, SIG_IGN);
    return tel__fields_compile(&fields, "date time", false, message, sizeof(message));
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

/* Opens `fd` as if it were stdout. */
static int open_as_stdout(struct tel__sink *sink, int fd)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    if (fd < 0) {
        close(STDOUT_FILENO);
    } else {
        dup2(fd, STDOUT_FILENO);
    }
    int error = tel__sink_open(sink, NULL, &fields, &report);
    if (error == 0 && !sink->owned) { /* as it would stay: on descriptor 1 */
        sink->fd = dup(STDOUT_FILENO);
        sink->owned = true;
    }
    dup2(saved, STDOUT_FILENO);
    close(saved);
    return error;
}

/* Writes until the sink takes no more; returns the bytes taken, and the last result. */
static size_t fill(struct tel__sink *sink, ssize_t *last)
{
    static char bytes[64 * 1024];
    size_t total = 0;
    memset(bytes, 'x', sizeof(bytes));
    for (int i = 0; i < 10000; i++) {
        *last = tel__sink_write(sink, bytes, sizeof(bytes));
        if (*last < 0) {
            return total;
        }
        assert_int_not_equal(*last, 0);
        total += (size_t)*last;
    }
    return total;
}

static void test_new_file(void **state)
{
    const struct folder *folder = *state;
    struct tel__sink sink;
    assert_int_equal(tel__sink_open(&sink, folder->log, &fields, &report), 0);
    assert_int_equal(sink.kind, TEL__SINK_FILE);
    assert_int_equal(report.existing, TEL__EXISTING_EMPTY);
    assert_string_equal(report.set_aside, "");
    assert_int_equal(tel__sink_write(&sink, "a\nb\n", 4), 4);
    tel__sink_close(&sink);
    assert_int_equal(sink.fd, -1);
    assert_string_equal(read_file(folder->log), "a\nb\n");
}

/* Files that are there: gone on with or set aside, and what the opener learns of it. */
static void test_existing_files(void **state)
{
    const struct folder *folder = *state;
    static const struct {
        const char *before;
        enum tel__existing existing;
        bool set_aside;
        const char *after; /* one write of "x\n" */
    } cases[] = {
        {"", TEL__EXISTING_EMPTY, false, "x\n"},
        {"#Fields: date time\n", TEL__EXISTING_OURS, false, "#Fields: date time\nx\n"},
        {"#Fields: date time\ny", TEL__EXISTING_TORN, false, "#Fields: date time\nyx\n"},
        {"#Fields: time\n", TEL__EXISTING_EMPTY, true, "x\n"},
        {"something else", TEL__EXISTING_EMPTY, true, "x\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tel__sink sink;
        write_file(folder->log, cases[i].before);
        assert_int_equal(tel__sink_open(&sink, folder->log, &fields, &report), 0);
        assert_int_equal(report.existing, cases[i].existing);
        assert_int_equal(report.set_aside[0] != '\0', cases[i].set_aside);
        assert_int_equal(tel__sink_write(&sink, "x\n", 2), 2);
        tel__sink_close(&sink);
        assert_string_equal(read_file(folder->log), cases[i].after);
        if (cases[i].set_aside) {
            assert_string_equal(read_file(report.set_aside), cases[i].before);
        }
    }
}

static void test_open_errors(void **state)
{
    const struct folder *folder = *state;
    struct tel__sink sink;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/none/log", folder->path);
    assert_int_equal(tel__sink_open(&sink, path, &fields, &report), -ENOENT);
    assert_int_equal(sink.fd, -1);
    assert_int_equal(tel__sink_open(&sink, folder->path, &fields, &report), -EISDIR);
    assert_int_equal(mkfifo(folder->log, 0600), 0);
    assert_int_equal(tel__sink_open(&sink, folder->log, &fields, &report), -ENXIO);
    assert_int_equal(open_as_stdout(&sink, -1), -EBADF);
    tel__sink_close(&sink); /* closing what is not open is fine */
}

static void test_cut(void **state)
{
    const struct folder *folder = *state;
    struct tel__sink sink;
    write_file(folder->log, "#Fields: date time\n");
    assert_int_equal(tel__sink_open(&sink, folder->log, &fields, &report), 0);
    assert_int_equal(tel__sink_write(&sink, "whole\ntorn", 10), 10);
    assert_int_equal(tel__sink_cut(&sink, 4), 0);
    assert_string_equal(read_file(folder->log), "#Fields: date time\nwhole\n");
    assert_int_equal(tel__sink_write(&sink, "next\n", 5), 5);
    assert_string_equal(read_file(folder->log), "#Fields: date time\nwhole\nnext\n");

    /* Somebody else wrote behind us: it is not ours to cut. */
    int other = open(folder->log, O_WRONLY | O_APPEND);
    assert_int_equal(write(other, "other\n", 6), 6);
    close(other);
    assert_int_equal(tel__sink_cut(&sink, 5), -EBUSY);
    assert_string_equal(read_file(folder->log), "#Fields: date time\nwhole\nnext\nother\n");
    tel__sink_close(&sink);
}

/* stdout as a file that was opened without O_APPEND: no hole stays where something was cut. */
static void test_cut_of_stdout(void **state)
{
    const struct folder *folder = *state;
    struct tel__sink sink;
    int fd = open(folder->log, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(open_as_stdout(&sink, fd), 0);
    assert_int_equal(sink.kind, TEL__SINK_FILE);
    assert_int_equal(tel__sink_write(&sink, "whole\ntorn", 10), 10);
    assert_int_equal(tel__sink_cut(&sink, 4), 0);
    assert_int_equal(tel__sink_write(&sink, "next\n", 5), 5);
    assert_string_equal(read_file(folder->log), "whole\nnext\n");
    tel__sink_close(&sink);
    close(fd);
}

/* A full pipe says so at once, and our O_NONBLOCK is not the other processes'. */
static void test_pipe(void **state)
{
    (void)state;
    struct tel__sink sink;
    int ends[2];
    ssize_t last;
    static char bytes[1024 * 1024];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(open_as_stdout(&sink, ends[1]), 0);
    assert_int_equal(sink.kind, TEL__SINK_STREAM);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    size_t taken = fill(&sink, &last);
    assert_int_equal(last, -EAGAIN);
    assert_int_equal(read(ends[0], bytes, sizeof(bytes)), taken);
    assert_true(tel__sink_write(&sink, "x", 1) == 1);
    close(ends[0]);
    assert_int_equal(tel__sink_write(&sink, "x", 1), -EPIPE);
    tel__sink_close(&sink);
    close(ends[1]);
}

/* The same where a description of our own could not be had: by poll and PIPE_BUF. */
static void test_shared_pipe(void **state)
{
    (void)state;
    int ends[2];
    ssize_t last;
    static char bytes[1024 * 1024];
    assert_int_equal(pipe(ends), 0);
    struct tel__sink sink = {.fd = ends[1], .kind = TEL__SINK_STREAM};
    assert_int_equal(tel__sink_write(&sink, bytes, sizeof(bytes)), PIPE_BUF);
    size_t taken = PIPE_BUF + fill(&sink, &last);
    assert_int_equal(last, -EAGAIN);
    assert_int_equal(read(ends[0], bytes, sizeof(bytes)), taken);
    close(ends[0]);
    assert_int_equal(tel__sink_write(&sink, "x", 1), -EPIPE);
    tel__sink_close(&sink);
    assert_int_equal(close(ends[1]), 0); /* it was not the sink's to close */
}

static void test_socket(void **state)
{
    (void)state;
    struct tel__sink sink;
    int ends[2];
    ssize_t last;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(open_as_stdout(&sink, ends[1]), 0);
    assert_int_equal(sink.kind, TEL__SINK_SOCKET);
    assert_true(fill(&sink, &last) > 0);
    assert_int_equal(last, -EAGAIN);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    last = tel__sink_write(&sink, "x", 1);
    assert_true(last == -EPIPE || last == -ECONNRESET);
    tel__sink_close(&sink);
    close(ends[1]);
}

static void test_devices(void **state)
{
    (void)state;
    struct tel__sink sink;
    assert_int_equal(tel__sink_open(&sink, "/dev/full", &fields, &report), 0);
    assert_int_equal(sink.kind, TEL__SINK_STREAM);
    assert_int_equal(tel__sink_write(&sink, "x", 1), -ENOSPC);
    tel__sink_close(&sink);
    assert_int_equal(tel__sink_open(&sink, "/dev/null", &fields, &report), 0);
    assert_int_equal(tel__sink_write(&sink, "x", 1), 1);
    tel__sink_close(&sink);
}

static void test_same(void **state)
{
    const struct folder *folder = *state;
    struct tel__sink one;
    struct tel__sink two;
    struct tel__sink closed = TEL__SINK_CLOSED;
    assert_int_equal(tel__sink_open(&one, folder->log, &fields, &report), 0);
    assert_int_equal(tel__sink_open(&two, folder->log, &fields, &report), 0);
    assert_true(tel__sink_is_same(&one, &two));
    assert_false(tel__sink_is_same(&one, &closed));
    assert_false(tel__sink_is_same(&closed, &closed));
    tel__sink_close(&two);
    assert_int_equal(tel__sink_open(&two, "/dev/null", &fields, &report), 0);
    assert_false(tel__sink_is_same(&one, &two));
    tel__sink_close(&one);
    tel__sink_close(&two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_file),    TEST(test_existing_files), TEST(test_open_errors),
        TEST(test_cut),         TEST(test_cut_of_stdout),  TEST(test_pipe),
        TEST(test_shared_pipe), TEST(test_socket),         TEST(test_devices),
        TEST(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
