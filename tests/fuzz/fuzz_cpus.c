/*
 * What the kernel says of cgroups, from arbitrary bytes: mountinfo, cgroup and two quota files,
 * separated by NULs. Whatever they hold an answer comes, the same each time and within its ceiling;
 * and a mount that limits to one CPU does so whatever stands before it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_BYTES 4000 /* fewer lines than are looked at */

enum { MOUNTINFO, CGROUP, MAX, QUOTA, PERIOD, KNOWN, FILES };

static const char *const names[FILES] = {"proc/self/mountinfo", "proc/self/cgroup",
                                         "c/a/cpu.max",         "c/a/cpu.cfs_quota_us",
                                         "c/cpu.cfs_period_us", "known/cpu.max"};
static char root[64];

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void write_file(const char *name, const void *bytes, size_t size, const char *more)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0);
    check(write(fd, bytes, size) == (ssize_t)size);
    check(write(fd, more, strlen(more)) == (ssize_t)strlen(more));
    close(fd);
}

static void remove_tree(void)
{
    static const char *const folders[] = {"proc/self", "proc", "c/a", "c", "known", ""};
    char path[128];
    for (size_t i = 0; i < FILES; i++) {
        snprintf(path, sizeof(path), "%s/%s", root, names[i]);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        rmdir(path);
    }
}

static void make_tree(void)
{
    static const char *const folders[] = {"proc", "proc/self", "c", "c/a", "known"};
    char path[128];
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(root, sizeof(root), "%s/fuzz_cpus-XXXXXX", memory);
    check(mkdtemp(root) != NULL);
    atexit(remove_tree);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        check(mkdir(path, 0700) == 0);
    }
    write_file(names[KNOWN], "50000 100000\n", 13, "");
    write_file(names[PERIOD], "100000\n", 7, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const more[] = {"\n1 1 0:1 / /known rw - cgroup2 none rw\n", "\n0::/\n"};
    const uint8_t *parts[4] = {data, data, data, data};
    size_t lengths[4] = {0, 0, 0, 0};
    if (root[0] == '\0') {
        make_tree();
    }
    if (size > SIZE_MAX_BYTES) {
        return 0;
    }
    for (size_t i = 0; i < 4 && size > 0; i++) {
        const uint8_t *stop = i < 3 ? memchr(data, '\0', size) : NULL;
        parts[i] = data;
        lengths[i] = stop != NULL ? (size_t)(stop - data) : size;
        data += lengths[i] + (stop != NULL);
        size -= lengths[i] + (stop != NULL);
    }
    for (size_t i = 0; i < 4; i++) {
        write_file(names[i], parts[i], lengths[i], "");
    }
    const unsigned cpus = cpus_quota(root);
    check(cpus <= 65536 && cpus == cpus_quota(root));
    for (size_t i = MOUNTINFO; i <= CGROUP; i++) {
        write_file(names[i], parts[i], lengths[i], more[i]);
    }
    check(cpus_quota(root) == 1);
    return 0;
}
