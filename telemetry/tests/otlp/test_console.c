/*
 * The console: a line a span on stderr, and a stderr that nobody reads. cmocka reports on stdout,
 * and while a test runs stderr is a pipe, a socket or a file of ours.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

struct bench {
    int saved;  /* the real stderr */
    int reader; /* the other end of stderr */
    struct tel_tracer *tracer;
    struct tel_resource *resource;
    struct tel_exporter *exporter;
};

static struct tel_exporter *make_exporter(const struct bench *bench)
{
    return tel_exporter_create(
        &(struct tel_exporter_options){.kind = TEL_EXPORTER_CONSOLE, .max_batch = 1}, bench->tracer,
        bench->resource);
}

/* What is written to stderr can be read from `reader`. */
static int setup(void **state, int reader, int writer)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    signal(SIGPIPE, SIG_IGN);
    bench->saved = dup(STDERR_FILENO);
    bench->reader = reader;
    bench->tracer = make_tracer(10000);
    bench->resource = make_resource();
    assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
    bench->exporter = make_exporter(bench);
    assert_non_null(bench->exporter);
    close(writer);
    *state = bench;
    return 0;
}

static int setup_pipe(void **state)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    setup(state, fds[0], fds[1]);
    dup2(((struct bench *)*state)->saved, STDERR_FILENO); /* the exporter has its own way there */
    return 0;
}

/* As a journal gives it. */
static int setup_socket(void **state)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    return setup(state, fds[0], fds[1]);
}

static int setup_file(void **state)
{
    int fd = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return setup(state, dup(fd), fd);
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    dup2(bench->saved, STDERR_FILENO);
    tel_exporter_destroy(bench->exporter);
    tel_tracer_destroy(bench->tracer);
    tel_resource_destroy(bench->resource);
    if (bench->reader >= 0) {
        close(bench->reader);
    }
    close(bench->saved);
    free(bench);
    return 0;
}

static struct tel_exporter_stats stats_of(const struct bench *bench)
{
    struct tel_exporter_stats stats;
    tel_exporter_get_stats(bench->exporter, &stats);
    return stats;
}

/* Reads until the lines are there or nobody can write any more; returns how many there were. */
static size_t read_lines(struct bench *bench, size_t wanted)
{
    char text[4096];
    size_t lines = 0;
    ssize_t got;
    while (lines < wanted && (got = read(bench->reader, text, sizeof(text))) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            lines += text[i] == '\n';
        }
    }
    return lines;
}

static void test_lines(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
    end_spans(bench->tracer, 3); /* they come by themselves */
    assert_int_equal(read_lines(bench, 3), 3);
    end_spans(bench->tracer, 2);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    assert_int_equal(read_lines(bench, 2), 2);
    assert_int_equal(stats_of(bench).acknowledged, 5);
    assert_int_equal(stats_of(bench).inflight, 0);
}

/* A pipe that is full stops the exporter, not its shutdown. */
static void test_stuck(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
    end_spans(bench->tracer, 5000);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 300), -ETIMEDOUT);
    struct tel_exporter_stats stats = stats_of(bench);
    assert_true(stats.acknowledged > 0 && stats.acknowledged < 5000);
    assert_int_equal(stats.acknowledged + stats.failed[TEL_EXPORT_SHUTDOWN], 5000);
    assert_int_equal(stats.inflight, 0);
}

/* When it is read again, the line that was cut goes on where it stopped. */
static void test_resumed(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
    end_spans(bench->tracer, 2000);
    uint64_t before;
    do {
        before = stats_of(bench).acknowledged;
        pause_ms(150);
    } while (before == 0 || before != stats_of(bench).acknowledged);
    assert_true(before < 2000);
    assert_int_equal(read_lines(bench, 2000), 2000);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    assert_int_equal(stats_of(bench).acknowledged, 2000);
}

static void test_nobody_reads(void **state)
{
    struct bench *bench = *state;
    close(bench->reader);
    bench->reader = -1;
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
    end_spans(bench->tracer, 10);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    assert_int_equal(stats_of(bench).failed[TEL_EXPORT_CONNECTION], 10);
}

/* Lines that are longer than what a pipe takes at once: six bytes for each of the text's. */
static void test_long_lines(void **state)
{
    char text[TEL_ATTRIBUTE_VALUE_MAX];
    struct bench *bench = *state;
    memset(text, '\x01', sizeof(text));
    for (int i = 0; i < 3; i++) {
        struct tel_span span;
        tel_span_begin(&span, bench->tracer, 0, &(struct tel_span_start){.name = "n"});
        tel_span_set_string(&span, "text", text, sizeof(text));
        tel_span_end(&span, 0);
    }
    assert_int_equal(tel_exporter_start(bench->exporter), 0);
    assert_int_equal(tel_exporter_shutdown(bench->exporter, 5000), 0);
    assert_int_equal(stats_of(bench).acknowledged, 3);
    assert_true(lseek(bench->reader, 0, SEEK_END) > 3 * PIPE_BUF);
    lseek(bench->reader, 0, SEEK_SET);
    assert_int_equal(read_lines(bench, 4), 3);
}

#define TEST(test, stream) cmocka_unit_test_setup_teardown(test, setup_##stream, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines, pipe),        TEST(test_lines, socket),        TEST(test_stuck, pipe),
        TEST(test_stuck, socket),      TEST(test_resumed, pipe),        TEST(test_resumed, socket),
        TEST(test_nobody_reads, pipe), TEST(test_nobody_reads, socket), TEST(test_long_lines, file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
