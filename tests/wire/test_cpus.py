"""How many workers: the CPUs that the process may use, by affinity and by its cgroup's quota, four
at most; or as many as it is told."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from freeze import workers
from service import Service
from wire import ask, eventually

PERIOD_US = 100_000
MOST = 4
JOIN = ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"')  # then a group, then a command

USABLE = min(len(os.sched_getaffinity(0)), MOST)


def quota_v1(group, quota_us):
    (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
    (group / "cpu.cfs_quota_us").write_text(str(quota_us))


def quota_v2(group, quota_us):
    (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")


def own_group():
    """(folder of the cgroup with the CPU controller that we are in, how to set a quota there).
    Version 1 has a line `ID:cpu,…:PATH`, version 2 `0::PATH`."""
    groups = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path.lstrip("/")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(point) / groups.get("cpu", ""), quota_v1
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(point) / groups.get("", ""), quota_v2
    return None, None


def is_limited():
    """Whether a quota binds ourselves already, as in a container."""
    folder, _ = own_group()
    for group in (folder, *folder.parents) if folder else ():
        for name in ("cpu.cfs_quota_us", "cpu.max"):
            if (group / name).exists() and (group / name).read_text().split()[0] not in (
                    "-1", "max"):
                return True
    return False


@contextmanager
def quota(*quotas_us):
    """A cgroup with this quota; of several, each within the one before, None being no limit."""
    folder, limit = own_group()
    made = []
    try:
        try:
            for number, quota_us in enumerate(quotas_us):
                folder = folder / f"glassbox-test-{os.getpid()}-{number}"
                folder.mkdir()
                made.append(folder)
                if quota_us:
                    limit(folder, quota_us)
        except (OSError, TypeError) as error:
            pytest.skip(f"may not make a cgroup with a CPU quota: {error}")
        yield folder
    finally:
        for folder in reversed(made):
            assert eventually(lambda: removed(folder)), f"left behind: {folder}"


def removed(folder):
    """Tries to remove a cgroup: busy while the kernel still buries its last process."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def count(*arguments, wrapper=()):
    """Workers of a service so started: what it says, once that is what it has."""
    with Service(*arguments, wrapper=wrapper) as service:
        said = service.value("glassbox_workers")
        assert len(workers(service.pid, said)) == said
        busy = service.samples("glassbox_worker_busy_seconds_total")
        assert sum(1 for labels in busy if dict(labels)["worker"].isdigit()) == said
        assert ask(service.public).status == 200
        return said


def test_as_many_as_there_are_cpus():
    said = count()
    assert said == USABLE or is_limited() and 1 <= said < USABLE


@pytest.mark.parametrize("quotas, wanted", [
    ((PERIOD_US // 2,), 1),
    ((PERIOD_US,), 1),
    ((PERIOD_US * 3 // 2,), min(2, USABLE)),
    ((PERIOD_US // 2, None), 1),
    ((None, PERIOD_US // 2), 1),
    ((PERIOD_US * 3, PERIOD_US // 2), 1),
], ids=["half a CPU", "one", "one and a half is two", "the parent's binds", "its own",
        "the lower of both"])
def test_quota_of_the_cgroup(quotas, wanted):
    with quota(*quotas) as group:
        assert count(wrapper=(*JOIN, str(group))) == wanted


def test_quota_without_a_limit_is_none():
    with quota(None) as group:
        assert count(wrapper=(*JOIN, str(group))) == count()


def one_cpu():
    return "taskset", "-c", str(min(os.sched_getaffinity(0)))


def test_affinity():
    assert count(wrapper=one_cpu()) == 1


@pytest.mark.parametrize("wanted", [1, 3, 8])
def test_told_is_told(wanted):
    """--workers is obeyed, whatever there is."""
    assert count("--workers", wanted, wrapper=one_cpu()) == wanted


def test_told_is_told_whatever_the_quota():
    with quota(PERIOD_US // 2) as group:
        assert count("--workers", 3, wrapper=(*JOIN, str(group))) == 3
