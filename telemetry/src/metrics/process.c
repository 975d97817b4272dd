/*
 * process_*: what the kernel knows of this process, read at each scrape.
 *
 * Each family is a row: name, help, unit, and a function that reads its value or says that it
 * cannot; then the family is left out. The cheapest source wins, because all of them are read
 * within the budget of a scrape:
 *
 *     CPU              CLOCK_PROCESS_CPUTIME_ID: all threads, in nanoseconds, no file
 *     open descriptors st_size of /proc/self/fd, their number since Linux 6.2; 0 before: counted
 *     memory           /proc/self/statm
 *     threads          links of /proc/self/task, less the two every directory has
 *     limits           getrlimit(2)
 *     start            /proc/self/stat, once: it does not change, while what wall clock and boot
 *                      clock have between them does
 *
 * Counting 10,000 descriptors one by one takes about 8 ms, so on old kernels a count that was dear
 * is kept for COUNT_KEEP_NS: that long the number may be late.
 */
#include "metrics/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "telemetry/clock.h"
#include "telemetry/metrics.h"

#define STAT_START_FIELD 22 /* proc(5), counted from 1 */
#define FILE_BYTES_MAX   1024
#define COUNT_DEAR_NS    (250 * TEL_NS_PER_US)
#define COUNT_KEEP_NS    (60 * TEL_NS_PER_SECOND)

/* Reads a value; false: it cannot be had here. */
typedef bool read_fn(double *value);

/* The beginning of a small file, NUL-terminated. */
static int read_file(const char *path, char text[FILE_BYTES_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t got = read(fd, text, FILE_BYTES_MAX - 1);
    close(fd);
    if (got <= 0) {
        return -1;
    }
    text[got] = '\0';
    return 0;
}

static bool read_cpu(double *value)
{
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) {
        return false;
    }
    *value = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    return true;
}

long tel__process_count_entries(const char *directory)
{
    DIR *entries = opendir(directory);
    if (entries == NULL) {
        return -1;
    }
    long count = 0;
    while (readdir(entries) != NULL) {
        count++;
    }
    closedir(entries);
    return count - 3; /* `.`, `..`, and the descriptor that reads them */
}

long tel__process_count_kept(struct tel__kept_count *kept, const char *directory, uint64_t dear_ns)
{
    uint64_t start_ns = tel_clock_monotonic_ns();
    if (start_ns < atomic_load(&kept->until_ns)) {
        return atomic_load(&kept->count);
    }
    long count = tel__process_count_entries(directory);
    uint64_t end_ns = tel_clock_monotonic_ns();
    if (count >= 0 && end_ns - start_ns > dear_ns) {
        atomic_store(&kept->count, count);
        atomic_store(&kept->until_ns, end_ns + COUNT_KEEP_NS);
    }
    return count;
}

static bool read_open_fds(double *value)
{
    struct stat status;
    if (stat("/proc/self/fd", &status) != 0) {
        return false;
    }
    static struct tel__kept_count kept;
    long count = status.st_size > 0
                     ? (long)status.st_size
                     : tel__process_count_kept(&kept, "/proc/self/fd", COUNT_DEAR_NS);
    *value = (double)count;
    return count >= 0;
}

/* No limit is told as 2^64-1, as other Prometheus clients do. */
static bool read_limit(__rlimit_resource_t resource, double *value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) {
        return false;
    }
    *value = limit.rlim_cur == RLIM_INFINITY ? (double)UINT64_MAX : (double)limit.rlim_cur;
    return true;
}

static bool read_max_fds(double *value)
{
    return read_limit(RLIMIT_NOFILE, value);
}

static bool read_virtual_max(double *value)
{
    return read_limit(RLIMIT_AS, value);
}

int tel__process_read_statm(const char *path, uint64_t pages[2])
{
    char text[FILE_BYTES_MAX];
    if (read_file(path, text) != 0) {
        return -1;
    }
    return sscanf(text, "%" SCNu64 " %" SCNu64, &pages[0], &pages[1]) == 2 ? 0 : -1;
}

static bool read_memory(int which, double *value)
{
    uint64_t pages[2];
    if (tel__process_read_statm("/proc/self/statm", pages) != 0) {
        return false;
    }
    *value = (double)pages[which] * (double)sysconf(_SC_PAGESIZE);
    return true;
}

static bool read_virtual(double *value)
{
    return read_memory(0, value);
}

static bool read_resident(double *value)
{
    return read_memory(1, value);
}

static bool read_threads(double *value)
{
    struct stat status;
    if (stat("/proc/self/task", &status) != 0 || status.st_nlink <= 2) {
        return false;
    }
    *value = (double)status.st_nlink - 2;
    return true;
}

int tel__process_read_start(const char *path, uint64_t *ticks)
{
    char text[FILE_BYTES_MAX];
    if (read_file(path, text) != 0) {
        return -1;
    }
    /* Field 2 is the command in parentheses and may hold anything, parentheses and spaces too. */
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < STAT_START_FIELD; field++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL && sscanf(at, "%" SCNu64, ticks) == 1 ? 0 : -1;
}

static double seconds_of(clockid_t clock)
{
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Start since boot is in ticks of the boot clock; what that clock lacks of the wall clock now turns
 * it into wall time. */
static bool read_start(double *value)
{
    static _Atomic double start;
    double known = atomic_load(&start);
    if (known == 0) {
        uint64_t ticks;
        if (tel__process_read_start("/proc/self/stat", &ticks) != 0) {
            return false;
        }
        known = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) +
                (double)ticks / (double)sysconf(_SC_CLK_TCK);
        atomic_store(&start, known);
    }
    *value = known;
    return true;
}

static const struct row {
    const char *name;
    const char *help;
    const char *unit;
    enum tel_metric_type type;
    read_fn *read;
} rows[] = {
    {"process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "seconds",
     TEL_COUNTER, read_cpu},
    {"process_open_fds", "Number of open file descriptors.", NULL, TEL_GAUGE, read_open_fds},
    {"process_max_fds", "Maximum number of open file descriptors.", NULL, TEL_GAUGE, read_max_fds},
    {"process_virtual_memory_bytes", "Virtual memory size in bytes.", "bytes", TEL_GAUGE,
     read_virtual},
    {"process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.",
     "bytes", TEL_GAUGE, read_virtual_max},
    {"process_resident_memory_bytes", "Resident memory size in bytes.", "bytes", TEL_GAUGE,
     read_resident},
    {"process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
     "seconds", TEL_GAUGE, read_start},
    {"process_threads", "Number of OS threads in the process.", NULL, TEL_GAUGE, read_threads},
};

static void collect(struct tel_scrape *scrape, void *argument)
{
    const struct row *row = argument;
    double value;
    if (row->read(&value)) {
        tel_scrape_emit(scrape, NULL, value);
    }
}

int tel_process_register(struct tel_registry *registry)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tel_family_options options = {
            .name = rows[i].name,
            .help = rows[i].help,
            .unit = rows[i].unit,
            .type = rows[i].type,
            .collect = collect,
            .collect_argument = (void *)&rows[i],
        };
        if (tel_family_create(registry, &options) == NULL) {
            return -errno;
        }
    }
    return 0;
}
