/*
 * Diagnostics, read back from a pipe as a log collector would: whole lines, valid JSON, counted
 * losses, and a caller that is never made to wait.
 */
#include "diagnostics.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define SECOND 1000000000ull

struct reader {
    int ends[2];
    char bytes[256 * 1024];
    size_t length;
};

static uint64_t monotonic_ns;
static uint64_t get_monotonic_ns(void)
{
    return monotonic_ns;
}

/* 2026-11-21T10:20:30.007Z */
static uint64_t get_wall_ns(void)
{
    return 1795256430ull * SECOND + 7999999;
}

static void configure(const struct reader *reader, enum tel_severity level, unsigned burst)
{
    const struct diagnostics_options options = {
        .level = level,
        .fd = reader->ends[1],
        .burst = burst,
        .per_second = 2,
        .monotonic_ns = get_monotonic_ns,
        .wall_ns = get_wall_ns,
    };
    diagnostics_configure(&options);
}

static int set_up(void **state)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    *state = reader;
    return reader == NULL ? -1 : pipe2(reader->ends, O_CLOEXEC);
}

static int tear_down(void **state)
{
    struct reader *reader = *state;
    close(reader->ends[0]);
    if (reader->ends[1] >= 0) {
        close(reader->ends[1]);
    }
    free(reader);
    return 0;
}

/* What the pipe holds now, NUL-terminated. */
static const char *take(struct reader *reader)
{
    fcntl(reader->ends[0], F_SETFL, O_NONBLOCK);
    reader->length = 0;
    ssize_t got;
    while ((got = read(reader->ends[0], reader->bytes + reader->length,
                       sizeof(reader->bytes) - 1 - reader->length)) > 0) {
        reader->length += (size_t)got;
    }
    reader->bytes[reader->length] = '\0';
    return reader->bytes;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void test_a_line(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_INFO_LEVEL, 10);
    DIAGNOSTICS(TEL_INFO_LEVEL, "server", "listening", DIAGNOSTICS_TEXT("address", "[::1]:80"),
                DIAGNOSTICS_NUMBER("workers", 4), DIAGNOSTICS_NUMBER("least", INT64_MIN));
    assert_string_equal(take(reader), "{\"time\":\"2026-11-21T10:20:30.007Z\",\"level\":\"info\","
                                      "\"component\":\"server\",\"message\":\"listening\","
                                      "\"address\":\"[::1]:80\",\"workers\":4,"
                                      "\"least\":-9223372036854775808}\n");
    DIAGNOSTICS(TEL_INFO_LEVEL, "server", "truth", DIAGNOSTICS_TRUTH("yes", 7 > 1),
                DIAGNOSTICS_TRUTH("no", false));
    assert_non_null(strstr(take(reader), "\"yes\":true,\"no\":false}\n"));
    DIAGNOSTICS(TEL_ERROR, "server", "no fields");
    assert_non_null(strstr(take(reader), "\"message\":\"no fields\"}\n"));
}

static void test_the_last_line_passes_level_and_limit(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_ERROR, 1);
    DIAGNOSTICS(TEL_ERROR, "main", "one");
    DIAGNOSTICS(TEL_ERROR, "main", "suppressed");
    diagnostics_write_last(TEL_INFO_LEVEL, "main", "the end", NULL);
    const char *text = take(reader);
    assert_int_equal(count_lines(text), 2);
    assert_non_null(strstr(text, "\"message\":\"the end\",\"suppressed\":1}\n"));
}

static void test_levels(void **state)
{
    struct reader *reader = *state;
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int least = TEL_DEBUG; least <= TEL_ERROR; least++) {
        configure(reader, (enum tel_severity)least, 10);
        for (int level = TEL_DEBUG; level <= TEL_ERROR; level++) {
            diagnostics_from_library((enum tel_severity)level, "test", "x", NULL);
            char part[32];
            snprintf(part, sizeof(part), "\"level\":\"%s\"", names[level]);
            const char *text = take(reader);
            assert_int_equal(strstr(text, part) != NULL, level >= least);
            assert_int_equal(count_lines(text), level >= least);
        }
    }
}

/* Three at once, then two a second; what was held back is said by the next line. */
static void test_rate_limit(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_INFO_LEVEL, 3);
    for (int i = 0; i < 10; i++) {
        DIAGNOSTICS(TEL_WARN, "noisy", "again");
    }
    assert_int_equal(count_lines(take(reader)), 3);
    DIAGNOSTICS(TEL_WARN, "quiet", "has a bucket of its own");
    assert_null(strstr(take(reader), "suppressed"));

    monotonic_ns += SECOND / 2 - 1;
    DIAGNOSTICS(TEL_WARN, "noisy", "too early");
    assert_string_equal(take(reader), "");
    monotonic_ns += 1;
    DIAGNOSTICS(TEL_WARN, "noisy", "in time");
    assert_non_null(strstr(take(reader), "\"in time\",\"suppressed\":8}\n"));
    monotonic_ns += 3600 * SECOND; /* a full bucket does not grow further */
    for (int i = 0; i < 10; i++) {
        DIAGNOSTICS(TEL_WARN, "noisy", "again");
    }
    assert_int_equal(count_lines(take(reader)), 3);

    diagnostics_flush();
    assert_non_null(strstr(take(reader), "\"component\":\"noisy\",\"message\":\"lines were "
                                         "suppressed\",\"suppressed\":7}\n"));
    diagnostics_flush();
    assert_string_equal(take(reader), "");

    struct diagnostics_stats stats;
    diagnostics_get_stats(&stats);
    assert_int_equal(stats.written, 3 + 1 + 1 + 3 + 1);
    assert_int_equal(stats.suppressed, 8 + 7);
    assert_int_equal(stats.lost, 0);
}

/* Components come from a closed set; should one not be, the table does not grow. */
static void test_too_many_components(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_INFO_LEVEL, 1);
    for (int i = 0; i < DIAGNOSTICS_COMPONENTS_MAX * 2; i++) {
        char component[16];
        snprintf(component, sizeof(component), "c%d", i);
        DIAGNOSTICS(TEL_INFO_LEVEL, component, "hello");
    }
    assert_int_equal(count_lines(take(reader)), DIAGNOSTICS_COMPONENTS_MAX);
}

/* A reader that does not read costs lines, not time: the test would hang, not fail. */
static void test_stuck_reader(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_INFO_LEVEL, 100000);
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 1000; i++) {
        DIAGNOSTICS(TEL_INFO_LEVEL, "test", text);
    }
    struct diagnostics_stats stats;
    diagnostics_get_stats(&stats);
    assert_int_equal(stats.written + stats.lost, 1000);
    assert_true(stats.written > 0 && stats.lost > 0);
    assert_int_equal(count_lines(take(reader)), stats.written);
    assert_int_equal(reader->bytes[reader->length - 1], '\n');

    char part[64];
    snprintf(part, sizeof(part), "\"again\",\"lost\":%llu}\n", (unsigned long long)stats.lost);
    DIAGNOSTICS(TEL_INFO_LEVEL, "other", "again");
    assert_non_null(strstr(take(reader), part));
    DIAGNOSTICS(TEL_INFO_LEVEL, "other", "and again");
    assert_null(strstr(take(reader), "lost"));
}

/* No SIGPIPE, no error: counted, and said by flush when there is somebody to hear it. */
static void test_reader_gone(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_INFO_LEVEL, 10);
    close(reader->ends[0]);
    signal(SIGPIPE, SIG_DFL);
    DIAGNOSTICS(TEL_ERROR, "test", "nobody reads this");
    diagnostics_flush();
    struct diagnostics_stats stats;
    diagnostics_get_stats(&stats);
    assert_int_equal(stats.written, 0);
    assert_int_equal(stats.lost, 2);
}

/* A disk that fills up within a line: what follows begins on a line of its own. */
static void test_torn_line(void **state)
{
    (void)state;
    struct reader file = {.ends = {-1, -1}};
    FILE *temporary = tmpfile();
    assert_non_null(temporary);
    file.ends[1] = fileno(temporary);
    configure(&file, TEL_INFO_LEVEL, 10);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit small = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    DIAGNOSTICS(TEL_INFO_LEVEL, "test", "torn");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    DIAGNOSTICS(TEL_INFO_LEVEL, "test", "whole");
    rewind(temporary);
    char line[512];
    assert_non_null(fgets(line, sizeof(line), temporary));
    assert_int_equal(strlen(line), 41);
    assert_non_null(fgets(line, sizeof(line), temporary));
    assert_non_null(strstr(line, "\"message\":\"whole\",\"lost\":1}\n"));
    fclose(temporary);
}

/* A clock that looks at the counts, as a scrape may while a line is being written. */
static uint64_t look_at_stats(void)
{
    struct diagnostics_stats stats;
    diagnostics_get_stats(&stats);
    return stats.written * SECOND;
}

/* Reading the counts takes no lock: here it would wait for itself, and the test would hang. */
static void test_stats_never_wait(void **state)
{
    struct reader *reader = *state;
    const struct diagnostics_options options = {.level = TEL_INFO_LEVEL,
                                                .fd = reader->ends[1],
                                                .monotonic_ns = look_at_stats,
                                                .wall_ns = look_at_stats};
    diagnostics_configure(&options);
    DIAGNOSTICS(TEL_INFO_LEVEL, "test", "first");
    DIAGNOSTICS(TEL_INFO_LEVEL, "test", "second");
    assert_non_null(strstr(take(reader), "{\"time\":\"1970-01-01T00:00:01.000Z\""));
}

/* Whatever comes in, a line is valid JSON of at most DIAGNOSTICS_LINE_MAX bytes. */
static void test_hostile_text(void **state)
{
    struct reader *reader = *state;
    static char controls[3000];
    static char plain[3000];
    memset(controls, 1, sizeof(controls) - 1);
    memset(plain, 'x', sizeof(plain) - 1);
    static const struct {
        const char *message;
        const char *field;
        bool cut;
    } rows[] = {
        {"quote \" backslash \\ newline \n", "\xff\xfe not UTF-8", false},
        {plain, "small", true},
        {"small", plain, true},
        {controls, "small", true},
        {controls, controls, true},
        {"small", controls, true},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        configure(reader, TEL_INFO_LEVEL, 10);
        DIAGNOSTICS(TEL_INFO_LEVEL, "test", rows[i].message,
                    DIAGNOSTICS_TEXT("first", rows[i].field), DIAGNOSTICS_NUMBER("last", 7));
        const char *line = take(reader);
        assert_int_equal(count_lines(line), 1);
        assert_true(reader->length <= DIAGNOSTICS_LINE_MAX);
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        assert_true(json_is_string(json_object_get(object, "message")));
        assert_int_equal(json_integer_value(json_object_get(object, "last")), 7);
        assert_int_equal(json_is_true(json_object_get(object, "cut")), rows[i].cut);
        json_decref(object);
    }
}

static void *write_many(void *argument)
{
    for (int i = 0; i < 200; i++) {
        DIAGNOSTICS(TEL_INFO_LEVEL, argument, "from a thread", DIAGNOSTICS_NUMBER("i", i));
    }
    return NULL;
}

/* Lines of several threads come out whole, and each call is in exactly one count. */
static void test_threads(void **state)
{
    struct reader *reader = *state;
    configure(reader, TEL_INFO_LEVEL, 150);
    pthread_t threads[4];
    static char *names[] = {"a", "b", "a", "b"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    struct diagnostics_stats stats;
    diagnostics_get_stats(&stats);
    assert_int_equal(stats.written + stats.suppressed + stats.lost, 800);
    assert_int_equal(stats.suppressed, 500);
    take(reader);
    assert_int_equal(count_lines(reader->bytes), stats.written);
    char *saved;
    for (char *line = strtok_r(reader->bytes, "\n", &saved); line != NULL;
         line = strtok_r(NULL, "\n", &saved)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(object);
        json_decref(object);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_line),
        TEST(test_the_last_line_passes_level_and_limit),
        TEST(test_rate_limit),
        TEST(test_a_line),
        TEST(test_levels),
        TEST(test_rate_limit),
        TEST(test_stuck_reader),
        TEST(test_reader_gone),
        TEST(test_too_many_components),
        TEST(test_torn_line),
        TEST(test_hostile_text),
        TEST(test_threads),
        TEST(test_stats_never_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
