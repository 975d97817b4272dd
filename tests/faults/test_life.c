/*
 * The whole program's life in this process, from main() to its exit line, with each thing it asks
 * the system for refused in turn: it cannot start and says which part of it could not, or it serves,
 * ends in order, and its books balance. Nothing is left behind.
 *
 * main.c is compiled with main() under another name. Its stderr is a pipe; a thread that is spared
 * from refusals reads it, plays the client as soon as everything listens, and then the operator who
 * sends SIGTERM.
 *
 * A life takes some hundred calls, so a run takes a sample of them. FAULTS_STRIDE=1 takes all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "diagnostics.h"
#include "faults.h"

#define COUNT(array)       (sizeof(array) / sizeof((array)[0]))
#define REQUESTS           8
#define STRIDE_DEFAULT     13
#define PATIENCE_MS        5000 /* for an answer */
#define LITTLE_PATIENCE_MS 100  /* for one that hardly comes: nothing is given any more */

int glassbox_main(int argc, char *argv[]);

struct life {
    int stderr_fd; /* the pipe's end that is read */
    size_t listeners;
    bool starved; /* all is refused from some call on */
    pthread_t reader;
    char text[65536]; /* what was said, whole lines */
    size_t length;
    uint16_t ports[2];
    size_t ready; /* listeners that were told */
    unsigned answers;
    bool ended; /* SIGTERM was sent */
};

/* ---- the client ---------------------------------------------------------------------------- */

enum answer { NOTHING, REFUSED, ANSWERED };

/* One request; of a stream only what comes first. A connection that was refused gets an answer too, but
 * was no request: it has no id. */
static enum answer ask(uint16_t port, const char *request, long patience_ms)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval patience = {.tv_sec = patience_ms / 1000,
                                     .tv_usec = patience_ms % 1000 * 1000};
    char answer[4096];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    bool sent = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                send(fd, request, strlen(request), MSG_NOSIGNAL) > 0;
    ssize_t got = sent ? recv(fd, answer, sizeof(answer) - 1, 0) : 0;
    answer[got > 0 ? got : 0] = '\0';
    bool whole = strncmp(answer, "HTTP/1.1 ", 9) == 0 && strstr(answer, "\r\n\r\n") != NULL;
    bool is_stream = strstr(answer, "text/event-stream") != NULL;
    bool has_id = strstr(answer, "\r\ntraceresponse: ") != NULL;
    while (got > 0 && !is_stream) {
        got = recv(fd, answer, sizeof(answer), 0);
    }
    close(fd);
    return !whole ? NOTHING : has_id ? ANSWERED : REFUSED;
}

#define REQUEST(line) line " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

static void play_client(struct life *life)
{
    static const char *const requests[] = {
        REQUEST("GET /demo/hello") "\r\n",
        REQUEST("GET /demo/hello?delay=1") "\r\n",
        REQUEST("POST /demo/work?cpu_ms=1") "Content-Length: 3\r\n\r\nabc",
        "GET /\r\n\r\n",
        REQUEST("GET /metrics") "Accept-Encoding: gzip\r\n\r\n",
        REQUEST("GET /readyz") "\r\n",
        REQUEST("GET /") "Accept: text/html\r\nAccept-Encoding: gzip\r\n\r\n",
        REQUEST("GET /page/events") "\r\n",
    };
    /* Who got no answer in time has waited long enough: that is one refusal, or for good. */
    enum answer answer = ANSWERED;
    _Static_assert(COUNT(requests) == REQUESTS, "each is to be answered");
    for (size_t i = 0; i < COUNT(requests) && answer != NOTHING; i++) {
        answer = ask(life->ports[i % life->listeners], requests[i],
                     life->starved ? LITTLE_PATIENCE_MS : PATIENCE_MS);
        life->answers += answer == ANSWERED;
    }
}

/* ---- what is said -------------------------------------------------------------------------- */

/* Calls `each` for every line, as JSON; fails the test at one that is not. */
static void each_line(const struct life *life, void (*each)(const json_t *line, void *argument),
                      void *argument)
{
    const char *at = life->text;
    while (at < life->text + life->length) {
        const char *end = memchr(at, '\n', life->length - (size_t)(at - life->text));
        assert_non_null(end);
        json_error_t error;
        json_t *line = json_loadb(at, (size_t)(end - at), 0, &error);
        if (line == NULL) {
            fail_msg("not JSON: %.*s", (int)(end - at), at);
        }
        each(line, argument);
        json_decref(line);
        at = end + 1;
    }
}

static const char *text_of(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    return text != NULL ? text : "";
}

struct summary {
    unsigned errors;
    bool balanced;
    bool unbalanced;
    json_int_t finished;
};

static void sum_up(const json_t *line, void *argument)
{
    struct summary *summary = argument;
    summary->errors += strcmp(text_of(line, "level"), "error") == 0;
    if (strcmp(text_of(line, "component"), "reconciliation") == 0) {
        summary->balanced = json_is_true(json_object_get(line, "balanced"));
        summary->unbalanced = !summary->balanced;
        summary->finished = json_integer_value(json_object_get(line, "finished"));
    }
}

/* Looks at the lines from `start` on for a port that is listened on. */
static void look_for_ports(struct life *life, size_t start)
{
    char *at = life->text + start;
    life->text[life->length] = '\0';
    while (life->ready < life->listeners &&
           (at = strstr(at, "\"message\":\"listening\",\"address\":\"127.0.0.1:")) != NULL) {
        at = strchr(strstr(at, "127.0.0.1:"), ':') + 1;
        life->ports[life->ready++] = (uint16_t)strtoul(at, NULL, 10);
    }
}

static void *read_all(void *argument)
{
    struct life *life = argument;
    size_t line = 0;
    ssize_t got;
    faults_spare_thread(true);
    while ((got = read(life->stderr_fd, life->text + life->length,
                       sizeof(life->text) - 1 - life->length)) > 0) {
        life->length += (size_t)got;
        const char *newline = memrchr(life->text, '\n', life->length);
        if (newline != NULL && !life->ended) {
            look_for_ports(life, line);
            line = (size_t)(newline + 1 - life->text);
        }
        if (life->ready == life->listeners && !life->ended) {
            life->ended = true;
            play_client(life);
            kill(getpid(), SIGTERM);
        }
    }
    return NULL;
}

/* ---- a life -------------------------------------------------------------------------------- */

static int live(struct life *life, char *const arguments[], int count)
{
    int pipe_fds[2];
    int kept = dup(STDERR_FILENO);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    life->stderr_fd = pipe_fds[0];
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[1]);
    assert_int_equal(pthread_create(&life->reader, NULL, read_all, life), 0);

    faults_spare_thread(false);
    int status = glassbox_main(count, (char **)arguments);
    faults_spare_thread(true);

    dup2(kept, STDERR_FILENO); /* the pipe's last writer goes */
    close(kept);
    pthread_join(life->reader, NULL);
    close(life->stderr_fd);
    return status;
}

static unsigned stride(void)
{
    const char *text = getenv("FAULTS_STRIDE");
    unsigned given = text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
    return given > 0 ? given : STRIDE_DEFAULT;
}

struct row {
    const char *what;
    char *arguments[16];
    size_t listeners;
};

static const struct row rows[] = {
    {"one listener, log on a file",
     {"glassbox", "--listen", "127.0.0.1:0", "--workers", "1", "--access-log", "life.log", "--page",
      "--drain-delay", "0", "--flush-timeout", "20ms", NULL},
     1},
    {"two listeners, two workers, no log",
     {"glassbox", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--workers", "2",
      "--access-log", "none", "--page", "--drain-delay", "0", "--flush-timeout", "20ms", NULL},
     2},
    {"faults of the process and of requests",
     {"glassbox", "--listen", "127.0.0.1:0", "--workers", "1", "--access-log", "none",
      "--drain-delay", "0", "--flush-timeout", "20ms", "--faults", "plan.json", NULL},
     1},
};

static void check(const struct row *row, const struct faults *faults, const struct life *life,
                  int status)
{
    struct summary summary = {0};
    each_line(life, sum_up, &summary);
    bool started = status == 0 && summary.balanced && summary.finished >= life->answers;
    bool refused = (status == 1 || status == 2) && summary.errors > 0 && faults_struck();
    bool answered = life->answers == REQUESTS || faults_struck() || life->starved;
    if (summary.unbalanced || (!started && !refused) || !answered) {
        fail_msg("%s, call %lu at %p: status %d, %u answers, said: %s", row->what, faults->turns,
                 faults_where(), status, life->answers,
                 life->text + (life->length > 800 ? life->length - 800 : 0));
    }
}

static void run_row(const struct row *row, unsigned kinds, bool lasting)
{
    static struct life life;
    struct faults faults = {.kinds = kinds, .lasting = lasting, .stride = stride()};
    int count = 0;
    while (row->arguments[count] != NULL) {
        count++;
    }
    while (faults_next(&faults)) {
        memset(&life, 0, sizeof(life));
        life.listeners = row->listeners;
        life.starved = lasting;
        int status = live(&life, row->arguments, count);
        faults_stop();
        check(row, &faults, &life, status);
    }
    assert_true(faults.turns > 100);
}

static void test_one_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i], 0, false);
    }
}

static void test_nothing_more_from_there_on(void **state)
{
    (void)state;
    run_row(&rows[0], 0, true);
}

/* A plan that is in force for the next hour: by its memory and CPU threads come and go. */
static bool write_plan(void)
{
    char begin[40];
    struct tm parts;
    const time_t now = time(NULL) - 1;
    strftime(begin, sizeof(begin), "%FT%TZ", gmtime_r(&now, &parts));
    FILE *file = fopen("plan.json", "w");
    return file != NULL &&
           fprintf(file,
                   "{\"begin\":\"%s\",\"faults\":[{\"duration\":\"1h\",\"not_ready\":true,"
                   "\"memory\":{\"bytes\":\"1MiB\"},\"background_cpu\":{\"cpus\":0.01}},"
                   "{\"route\":\"*\",\"duration\":\"1h\",\"cpu\":{\"per_request\":\"1ms\"},"
                   "\"latency\":{\"p50\":\"1ms\",\"p90\":\"1ms\",\"p99\":\"1ms\"},"
                   "\"error\":{\"ratio\":0.5}}]}",
                   begin) > 0 &&
           fclose(file) == 0;
}

static int prepare(void **state)
{
    static char folder[] = "/tmp/test_life.XXXXXX";
    static char endpoint[] = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9";
    static char delay[] = "OTEL_BSP_SCHEDULE_DELAY=10";
    static char records[] = "OTEL_LOGS_EXPORTER=otlp";
    (void)state;
    faults_spare_thread(true);
    putenv(endpoint);
    putenv(delay);
    putenv(records);
    return mkdtemp(folder) != NULL && chdir(folder) == 0 && write_plan() ? 0 : -1;
}

static int clean_up(void **state)
{
    char folder[256];
    (void)state;
    unlink("life.log");
    unlink("plan.json");
    return getcwd(folder, sizeof(folder)) != NULL ? rmdir(folder) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_refusal),
        cmocka_unit_test(test_nothing_more_from_there_on),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
