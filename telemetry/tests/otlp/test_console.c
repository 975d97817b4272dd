/*
 * The console: a line a span on stderr, and a stderr that nobody reads. cmocka reports on stdout,
 * and while a test runs stderr is a pipe of ours.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "support.h"

struct bench {
    int saved;  /* the real stderr */
    int reader; /* the other end of stderr */
    struct tel_tracer *tracer;
    struct tel_resource *resource;
    struct tel_exporter *exporter;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    int fds[2];
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    bench->saved = dup(STDERR_FILENO);
    bench->reader = fds[0];
    assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    close(fds[1]);
    bench->tracer = make_tracer(10000);
    bench->resource = make_resource();
    bench->exporter = tel_exporter_create(
        &(struct tel_exporter_options){.kind = TEL_EXPORTER_CONSOLE, .max_batch = 1}, bench->tracer,
        bench->resource);
    dup2(bench->saved, STDERR_FILENO); /* the exporter has its own way to the pipe */
    assert_non_null(bench->exporter);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stuck, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resumed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_reads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
