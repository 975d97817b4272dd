/*
 * CPUs. Each line of mountinfo that shows a cgroup hierarchy is matched with the line of
 * /proc/self/cgroup that says where in it this process is; then every folder from there up to the
 * mount point is asked for its quota, because a parent's limit binds its children.
 *
 *     mount point   /sys/fs/cgroup/cpu,cpuacct      root of the mount   /kubepods/pod1
 *     group         /kubepods/pod1/abc         =>   folder   /sys/fs/cgroup/cpu,cpuacct/abc
 *
 * Inside a container without a cgroup namespace the group may lie outside the mount's root; then
 * the mount point itself is the container's group.
 */
#include "cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (2 * PATH_MAX + 512)
#define LINES_MAX  4096 /* of either file; more are not looked at */
#define CPUS_MAX   65536

/* A mounted hierarchy, pointing into its line. */
struct mount {
    const char *root;
    const char *point;
    const char *type;
    const char *super_options;
};

/* How a version of cgroups is recognised and asked. */
struct version {
    const char *type;
    unsigned (*quota)(const char *folder);
};

/* Whether `list`, of `separator`ed words, has `word`. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at != '\0'; at += strspn(at, ",")) {
        size_t width = strcspn(at, ",");
        if (width == length && memcmp(at, word, width) == 0) {
            return true;
        }
        at += width;
    }
    return false;
}

/* Opens `root` + `path`, or `folder` + "/" + `file`. */
static FILE *open_joined(const char *first, const char *second)
{
    char path[LINE_BYTES];
    int length = snprintf(path, sizeof(path), "%s%s", first, second);
    return length > 0 && (size_t)length < sizeof(path) ? fopen(path, "re") : NULL;
}

/* Reads up to two numbers of a small file; "max" and -1 read as -1. Returns how many there were. */
static int read_numbers(const char *folder, const char *file, long long numbers[2])
{
    FILE *in = open_joined(folder, file);
    if (in == NULL) {
        return 0;
    }
    int count = 0;
    char word[32];
    while (count < 2 && fscanf(in, "%31s", word) == 1) {
        numbers[count++] = strcmp(word, "max") == 0 ? -1 : strtoll(word, NULL, 10);
    }
    fclose(in);
    return count;
}

/* quota / period, rounded up; 0: no limit. */
static unsigned cpus_of(long long quota_us, long long period_us)
{
    if (quota_us <= 0 || period_us <= 0) {
        return 0;
    }
    long long cpus = quota_us / period_us + (quota_us % period_us != 0);
    return cpus < CPUS_MAX ? (unsigned)cpus : CPUS_MAX;
}

static unsigned quota_v1(const char *folder)
{
    long long quota[2];
    long long period[2];
    if (read_numbers(folder, "/cpu.cfs_quota_us", quota) < 1 ||
        read_numbers(folder, "/cpu.cfs_period_us", period) < 1) {
        return 0;
    }
    return cpus_of(quota[0], period[0]);
}

static unsigned quota_v2(const char *folder)
{
    long long max[2];
    return read_numbers(folder, "/cpu.max", max) == 2 ? cpus_of(max[0], max[1]) : 0;
}

static const struct version versions[] = {{"cgroup", quota_v1}, {"cgroup2", quota_v2}};

/* mountinfo writes blank, tab, newline and backslash as three octal digits. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        bool escape = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                      from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
        *to = escape ? (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0')) : *from;
        from += escape ? 4 : 1;
    }
    *to = '\0';
}

/* Cuts a line of mountinfo into what matters:
 * `36 35 98:0 ROOT POINT rw,noatime [optional]... - TYPE SOURCE SUPER_OPTIONS`. */
static bool parse_mount(char *line, struct mount *mount)
{
    char *tail = strstr(line, " - ");
    if (tail == NULL) {
        return false;
    }
    *tail = '\0';
    char *saved;
    strtok_r(line, " ", &saved);
    strtok_r(NULL, " ", &saved);
    strtok_r(NULL, " ", &saved);
    char *root = strtok_r(NULL, " ", &saved);
    char *point = strtok_r(NULL, " ", &saved);
    mount->type = strtok_r(tail + 3, " \n", &saved);
    char *source = strtok_r(NULL, " \n", &saved);
    mount->super_options = strtok_r(NULL, " \n", &saved);
    if (root == NULL || point == NULL || source == NULL || mount->super_options == NULL) {
        return false;
    }
    unescape(root);
    unescape(point);
    mount->root = root;
    mount->point = point;
    return true;
}

/* Finds this process's group in the hierarchy of `version`: a line `ID:CONTROLLERS:PATH`, version 2
 * having no controllers. */
static bool find_group(const char *root, const struct version *version, char group[PATH_MAX])
{
    FILE *in = open_joined(root, "/proc/self/cgroup");
    if (in == NULL) {
        return false;
    }
    bool unified = version->quota == quota_v2;
    bool found = false;
    char line[LINE_BYTES];
    for (int i = 0; i < LINES_MAX && !found && fgets(line, sizeof(line), in) != NULL; i++) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (path == NULL) {
            continue;
        }
        *path++ = '\0';
        controllers++;
        found = unified ? strncmp(line, "0:", 2) == 0 && *controllers == '\0'
                        : has_word(controllers, "cpu");
        found = found && snprintf(group, PATH_MAX, "%s", path) < PATH_MAX;
    }
    fclose(in);
    return found;
}

/* The part of `group` below the mount's root, or "" when it is not below it. */
static const char *below(const char *group, const char *mount_root)
{
    size_t length = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    bool inside =
        strncmp(group, mount_root, length) == 0 && (group[length] == '/' || group[length] == '\0');
    return inside && strcmp(group + length, "/") != 0 ? group + length : "";
}

/* The least of two limits, 0 being none. */
static unsigned lesser(unsigned a, unsigned b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The least quota from the process's group up to the mount point. */
static unsigned walk_up(const char *root, const struct mount *mount, const struct version *version)
{
    char group[PATH_MAX];
    char folder[LINE_BYTES];
    if (!find_group(root, version, group)) {
        return 0;
    }
    size_t top = strlen(root) + strlen(mount->point);
    int length =
        snprintf(folder, sizeof(folder), "%s%s%s", root, mount->point, below(group, mount->root));
    if (length < 0 || (size_t)length >= sizeof(folder)) {
        return 0;
    }
    unsigned cpus = version->quota(folder);
    while (strlen(folder) > top) {
        *strrchr(folder, '/') = '\0';
        cpus = lesser(cpus, version->quota(folder));
    }
    return cpus;
}

unsigned cpus_quota(const char *root)
{
    FILE *in = open_joined(root, "/proc/self/mountinfo");
    if (in == NULL) {
        return 0;
    }
    unsigned cpus = 0;
    char line[LINE_BYTES];
    for (int i = 0; i < LINES_MAX && fgets(line, sizeof(line), in) != NULL; i++) {
        struct mount mount;
        if (!parse_mount(line, &mount)) {
            continue;
        }
        for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
            bool ours = strcmp(mount.type, versions[v].type) == 0 &&
                        (versions[v].quota == quota_v2 || has_word(mount.super_options, "cpu"));
            cpus = ours ? lesser(cpus, walk_up(root, &mount, &versions[v])) : cpus;
        }
    }
    fclose(in);
    return cpus;
}

/* CPUs of the affinity mask; the kernel's may be wider than cpu_set_t, so the set grows. */
static unsigned affinity(void)
{
    for (int cpus = 1024; cpus <= CPUS_MAX; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (set == NULL) {
            break;
        }
        size_t size = CPU_ALLOC_SIZE(cpus);
        bool known = sched_getaffinity(0, size, set) == 0;
        unsigned count = known ? (unsigned)CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (known) {
            return count;
        }
    }
    return 0;
}

unsigned cpus_available(void)
{
    unsigned cpus = lesser(affinity(), cpus_quota(""));
    return cpus > 0 ? cpus : 1;
}

unsigned cpus_default_workers(void)
{
    unsigned cpus = cpus_available();
    return cpus < CPUS_WORKERS_MAX ? cpus : CPUS_WORKERS_MAX;
}
