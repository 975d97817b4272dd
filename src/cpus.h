/*
 * CPUs: how many this process may use, as opposed to how many the machine has.
 *
 * How it works: the lesser of the affinity mask (sched_getaffinity) and the CPU bandwidth of every
 * cgroup from the process's own up to the top that it can see, version 1 (cpu.cfs_quota_us over
 * cpu.cfs_period_us) or version 2 (cpu.max), both where a machine runs both. A quota is rounded up:
 * 1.5 CPUs keep two threads busy at times. A container's limit is such a quota, and threads beyond
 * it only take turns being throttled.
 *
 *     /proc/self/cgroup      which group        1:cpu,cpuacct:/kubepods/pod1/abc
 *     /proc/self/mountinfo   where it is seen   … /kubepods/pod1 /sys/fs/cgroup/cpu … cgroup rw,cpu
 *                                                 \__ root of the mount, taken off the group's path
 *
 * Threads: any. Memory: none kept.
 * Failure: what cannot be read does not limit; the answer is at least 1.
 * Source: cgroups(7), proc_pid_mountinfo(5), Linux admin-guide cgroup-v2 and sched-bwc.
 */
#ifndef GLASSBOX_CPUS_H
#define GLASSBOX_CPUS_H

#define CPUS_WORKERS_MAX 4 /* of the automatic choice: beyond it the collector's side is slower */

/* CPUs the quotas below `root` allow, or 0 when none limits. `root` is put before every path read:
 * "" for this system, a folder with a made-up tree in tests. */
unsigned cpus_quota(const char *root);

/* CPUs the process may use now, at least 1. */
unsigned cpus_available(void);

/* How many workers to start when nobody says: as many as CPUs, at most CPUS_WORKERS_MAX. */
unsigned cpus_default_workers(void);

#endif
