/*
 * CPUs: quotas read from made-up trees of /proc and /sys, one for each way a process can be put
 * into a cgroup.
 */
#include "cpus.h"

#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES_MAX 8

/* A file of the tree: its path below the tree's root, and its content. */
struct file {
    const char *path;
    const char *content;
};

struct tree {
    const char *what;
    struct file files[FILES_MAX];
    unsigned cpus;
};

#define V1_MOUNT                                                                           \
    "30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"                           \
    "32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n" \
    "34 30 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
#define V2_MOUNT "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1       "sys/fs/cgroup/cpu,cpuacct/"
#define V2       "sys/fs/cgroup/"

static const struct tree trees[] = {
    {"nothing can be read", {{NULL, NULL}}, 0},
    {"version 2, no limit",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/user.slice\n"},
      {V2 "user.slice/cpu.max", "max 100000\n"}},
     0},
    {"version 2, two CPUs",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/pod/app\n"},
      {V2 "pod/app/cpu.max", "200000 100000\n"}},
     2},
    {"a part of a CPU counts as one",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/app\n"},
      {V2 "app/cpu.max", "1000 100000\n"}},
     1},
    {"one and a half are two",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/app\n"},
      {V2 "app/cpu.max", "150000 100000\n"}},
     2},
    {"a parent's limit binds, and a group without the file does not end the walk",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/a/b/c\n"},
      {V2 "a/cpu.max", "300000 100000\n"},
      {V2 "a/b/c/cpu.max", "800000 100000\n"}},
     3},
    {"in a namespace of its own the group is the mount point",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/\n"},
      {V2 "cpu.max", "400000 100000\n"}},
     4},
    {"version 1, two and a half",
     {{"proc/self/mountinfo", V1_MOUNT},
      {"proc/self/cgroup", "3:cpuset:/other\n2:cpu,cpuacct:/app\n1:name=systemd:/\n"},
      {V1 "app/cpu.cfs_quota_us", "250000\n"},
      {V1 "app/cpu.cfs_period_us", "100000\n"}},
     3},
    {"version 1, no limit is -1",
     {{"proc/self/mountinfo", V1_MOUNT},
      {"proc/self/cgroup", "2:cpu,cpuacct:/app\n"},
      {V1 "app/cpu.cfs_quota_us", "-1\n"},
      {V1 "app/cpu.cfs_period_us", "100000\n"}},
     0},
    {"version 1 in a container: the mount shows only the group's own part",
     {{"proc/self/mountinfo",
       "32 30 0:29 /kubepods/pod1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n"},
      {"proc/self/cgroup", "2:cpu,cpuacct:/kubepods/pod1/app\n"},
      {V1 "cpu.cfs_quota_us", "600000\n"},
      {V1 "cpu.cfs_period_us", "100000\n"},
      {V1 "app/cpu.cfs_quota_us", "500000\n"},
      {V1 "app/cpu.cfs_period_us", "100000\n"}},
     5},
    {"a group outside the mount's root is the mount point; pod10 is not within pod1",
     {{"proc/self/mountinfo",
       "32 30 0:29 /kubepods/pod1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu\n"},
      {"proc/self/cgroup", "2:cpu:/kubepods/pod10\n"},
      {V1 "cpu.cfs_quota_us", "600000\n"},
      {V1 "cpu.cfs_period_us", "100000\n"},
      {V1 "0/cpu.cfs_quota_us", "100000\n"},
      {V1 "0/cpu.cfs_period_us", "100000\n"}},
     6},
    {"both versions: the lesser",
     {{"proc/self/mountinfo",
       V1_MOUNT "41 30 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"},
      {"proc/self/cgroup", "2:cpu,cpuacct:/a\n0::/b\n"},
      {V1 "a/cpu.cfs_quota_us", "700000\n"},
      {V1 "a/cpu.cfs_period_us", "100000\n"},
      {V2 "unified/b/cpu.max", "300000 100000\n"}},
     3},
    {"a mount point with a blank in it",
     {{"proc/self/mountinfo", "31 23 0:28 / /my\\040groups rw - cgroup2 none rw\n"},
      {"proc/self/cgroup", "0::/app\n"},
      {"my groups/app/cpu.max", "200000 100000\n"}},
     2},
    {"rubbish limits nothing",
     {{"proc/self/mountinfo", "\n - \n1 2 3 - cgroup2\nx - cgroup2 y z\n" V2_MOUNT},
      {"proc/self/cgroup", "\n:\n0:\n0::/app\n"},
      {V2 "app/cpu.max", "lots of it\n"},
      {V2 "cpu.max", "100000 0\n"}},
     0},
    {"a period alone is no limit, and an absurd quota has a bound",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/app\n"},
      {V2 "app/cpu.max", "9223372036854775807 1\n"},
      {V2 "cpu.max", "100000\n"}},
     65536},
};

static void write_file(const char *root, const struct file *file)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", root, file->path);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
        *at = '/';
    }
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(file->content, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

static void test_quotas(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        char root[] = "/tmp/test_cpus.XXXXXX";
        assert_non_null(mkdtemp(root));
        for (size_t f = 0; f < FILES_MAX && trees[i].files[f].path != NULL; f++) {
            write_file(root, &trees[i].files[f]);
        }
        unsigned cpus = cpus_quota(root);
        assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
        if (cpus != trees[i].cpus) {
            fail_msg("%s: %u, not %u", trees[i].what, cpus, trees[i].cpus);
        }
    }
}

/* Whatever machine this is: no more than the mask allows, at least one, and fewer after the mask
 * has been narrowed. */
static void test_affinity(void **state)
{
    (void)state;
    cpu_set_t all;
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    unsigned available = cpus_available();
    assert_true(available >= 1 && available <= (unsigned)CPU_COUNT(&all));

    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all)) {
            CPU_SET(cpu, &one);
        }
    }
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(cpus_available(), 1);
    assert_int_equal(cpus_default_workers(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
    assert_true(cpus_default_workers() <= CPUS_WORKERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotas),
        cmocka_unit_test(test_affinity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
