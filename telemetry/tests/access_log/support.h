/*
 * What the access log's tests share: a folder that goes away, files as strings, an example request,
 * a log whose diagnostics are kept, and waiting for a condition, bounded but without a stopwatch.
 */
#ifndef TEL_TESTS_ACCESS_LOG_SUPPORT_H
#define TEL_TESTS_ACCESS_LOG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "telemetry/access_log.h"

#define UNUSED __attribute__((unused))

/* Waits until the condition holds; a test that waits half a minute has failed. */
#define WAIT_UNTIL(condition)                                         \
    do {                                                              \
        int tries_left = 3000;                                        \
        while (!(condition) && tries_left-- > 0) {                    \
            nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL); \
        }                                                             \
        if (tries_left < 0) {                                         \
            fail_msg("never came true: %s", #condition);              \
        }                                                             \
    } while (0)

static inline struct tel_text text(const char *string)
{
    return (struct tel_text){string, string == NULL ? 0 : strlen(string)};
}

/* Appends to a string in memory of `size` bytes, which must be enough. */
__attribute__((format(printf, 3, 4))) UNUSED static void add(char *string, size_t size,
                                                             const char *format, ...)
{
    size_t used = strlen(string);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(string + used, size - used, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < size - used);
}

/* ---- files --------------------------------------------------------------------------------- */

struct folder {
    char path[64];
    char log[96]; /* `path`/log */
};

UNUSED static void folder_make(struct folder *folder)
{
    *folder = (struct folder){.path = "/tmp/access-log-XXXXXX"};
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->log, sizeof(folder->log), "%s/log", folder->path);
}

/* Calls `each` for every entry but the dots; returns how many there were. */
static inline int folder_each(const struct folder *folder, void each(const char *path, void *),
                              void *argument)
{
    int count = 0;
    DIR *directory = opendir(folder->path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", folder->path, entry->d_name);
        count++;
        if (each != NULL) {
            each(path, argument);
        }
    }
    closedir(directory);
    return count;
}

static inline int remove_entry(const char *path, const struct stat *status, int type,
                               struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

UNUSED static void folder_remove(struct folder *folder)
{
    nftw(folder->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The whole file as a string of static memory, good until the next call. */
UNUSED static const char *read_file(const char *path)
{
    static char content[8 * 1024 * 1024];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return "";
    }
    size_t length = fread(content, 1, sizeof(content) - 1, file);
    content[length] = '\0';
    fclose(file);
    return content;
}

UNUSED static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
    assert_int_equal(fclose(file), 0);
}

/* Lines of a text that are requests (`directives` false) or directives. */
UNUSED static unsigned long count_lines(const char *content, bool directives)
{
    unsigned long count = 0;
    for (const char *at = content; *at != '\0';) {
        const char *end = strchr(at, '\n');
        if (end == NULL) {
            fail_msg("the last line is broken: %s", at);
            break;
        }
        count += end > at && (*at == '#') == directives;
        at = end + 1;
    }
    return count;
}

/* How often `needle` is in a text. */
UNUSED static unsigned long count_of(const char *content, const char *needle)
{
    unsigned long count = 0;
    for (const char *at = content; (at = strstr(at, needle)) != NULL; at++) {
        count++;
    }
    return count;
}

/* ---- requests ------------------------------------------------------------------------------ */

/* 2026-11-21 10:20:30.456789 UTC */
#define EXAMPLE_WALL_NS 1795256430456789012ull

UNUSED static struct tel_access_record example_record(void)
{
    static _Thread_local struct sockaddr_in client = {.sin_family = AF_INET};
    static _Thread_local struct sockaddr_in6 server = {.sin6_family = AF_INET6};
    client.sin_port = htons(50123);
    server.sin6_port = htons(8080);
    inet_pton(AF_INET, "192.0.2.7", &client.sin_addr);
    inet_pton(AF_INET6, "2001:db8::1", &server.sin6_addr);
    return (struct tel_access_record){
        .end_wall_ns = EXAMPLE_WALL_NS,
        .duration_ns = 1234567,
        .client = (const struct sockaddr *)&client,
        .server = (const struct sockaddr *)&server,
        .method = text("GET"),
        .uri_stem = text("/demo/hello"),
        .uri_query = text("delay=5"),
        .version = text("HTTP/1.1"),
        .host = text("localhost:8080"),
        .status = 200,
        .bytes_received = 120,
        .bytes_sent = 345,
        .traced = true,
        .trace_id = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c,
                     0x80, 0x31, 0x9c},
        .span_id = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31},
        .route = text("/demo/hello"),
        .request_headers = {text("curl/8.1"), text("https://example.org/")},
    };
}

/* ---- logs ---------------------------------------------------------------------------------- */

/* What diagnostics said, a line each. */
struct said {
    pthread_mutex_t lock;
    char text[8192];
};

#define SAID_NOTHING                      \
    {                                     \
        .lock = PTHREAD_MUTEX_INITIALIZER \
    }

static inline void hear(enum tel_severity severity, const char *component, const char *message,
                        void *argument)
{
    (void)severity;
    assert_string_equal(component, "access_log");
    struct said *said = argument;
    pthread_mutex_lock(&said->lock);
    size_t used = strlen(said->text);
    snprintf(said->text + used, sizeof(said->text) - used, "%s\n", message);
    pthread_mutex_unlock(&said->lock);
}

UNUSED static unsigned long heard(struct said *said, const char *what)
{
    pthread_mutex_lock(&said->lock);
    unsigned long count = count_of(said->text, what);
    pthread_mutex_unlock(&said->lock);
    return count;
}

UNUSED static struct tel_access_log *open_log(const char *path, const char *fields,
                                              struct said *said)
{
    return tel_access_log_create(&(struct tel_access_log_options){
        .path = path,
        .fields = fields,
        .software = "test/1.0",
        .shard_count = 1,
        .queue_bytes = 64 * 1024,
        .diagnostic = said == NULL ? NULL : hear,
        .diagnostic_argument = said,
    });
}

/* Appends `count` requests whose queries are their numbers, from `first` on. */
UNUSED static void append_numbered(struct tel_access_log *log, unsigned first, unsigned count)
{
    struct tel_access_record record = example_record();
    for (unsigned i = first; i < first + count; i++) {
        char query[16];
        snprintf(query, sizeof(query), "n=%u", i);
        record.uri_query = text(query);
        tel_access_log_append(log, 0, &record);
    }
}

UNUSED static struct tel_access_log_stats stats_of(const struct tel_access_log *log)
{
    struct tel_access_log_stats stats;
    tel_access_log_get_stats(log, &stats);
    return stats;
}

/* Shuts down without haste: everything must have been written or refused. */
UNUSED static void finish(struct tel_access_log *log)
{
    assert_int_equal(tel_access_log_shutdown(log, 30000), 0);
    assert_int_equal(stats_of(log).waiting, 0);
    assert_int_equal(stats_of(log).dropped[TEL_ACCESS_SHUTDOWN], 0);
    tel_access_log_destroy(log);
}

/* The equation. */
UNUSED static void assert_accounts(const struct tel_access_log_stats *stats)
{
    uint64_t dropped = 0;
    for (int i = 0; i < TEL_ACCESS_DROPS; i++) {
        dropped += stats->dropped[i];
    }
    assert_int_equal(stats->appended, stats->written + stats->waiting + dropped);
    assert_true(stats->waiting <= stats->appended); /* it did not wrap */
}

#endif
