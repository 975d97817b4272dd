"""Cgroups of both versions, on look-alikes of what the kernel shows: folders and files with the same names.
Version 1 is also lived for real by test_leaves_nothing.py, on machines that have it; version 2 only here."""

import os
from pathlib import Path

import pytest
from glassbox_cluster.cgroups import Hierarchies
from glassbox_cluster.refused import CANNOT, Refused

ALL = "cpuset cpu io memory pids hugetlb"


def unified(mount: Path, there: str = ALL, on: str = "") -> Hierarchies:
    (mount / "cgroup.controllers").write_text(there + "\n")
    (mount / "cgroup.subtree_control").write_text(on + "\n")
    (mount / "cgroup.procs").write_text("")
    return Hierarchies("node", mount)


def separate(mount: Path, *names: str) -> Hierarchies:
    for name in names:
        (mount / name).mkdir()
        (mount / name / "cgroup.procs").write_text("")
    return Hierarchies("node", mount)


def test_which_version(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert separate(tmp_path / "one", "cpu", "memory").version == 1
    assert unified(tmp_path / "two").version == 2


def test_one_hierarchy_by_two_names(tmp_path: Path) -> None:
    groups = separate(tmp_path, "cpu,cpuacct", "memory")
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    assert [top.name for top in groups.roots] == ["cpu,cpuacct", "memory"]
    assert Hierarchies("node", tmp_path).roots == groups.roots


@pytest.mark.parametrize("version", [1, 2])
def test_missing_controllers_are_named(version: int, tmp_path: Path) -> None:
    groups = unified(tmp_path, "cpu io pids") if version == 2 else separate(tmp_path, "cpu", "pids")
    with pytest.raises(Refused, match=f"cgroup v{version}: no controller cpuset, memory at") as refused:
        groups.check()
    assert refused.value.status == CANNOT


def test_nothing_mounted(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no cgroups are mounted"):
        Hierarchies("node", tmp_path).check()


def test_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = unified(tmp_path)
    groups.check()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(Refused, match="is read-only"):
        groups.check()


def test_a_new_cpuset_gets_processors(tmp_path: Path) -> None:
    groups = separate(tmp_path, "cpuset", "memory")
    for name, text in (("cpuset.cpus", "0-3"), ("cpuset.mems", "0")):
        (tmp_path / "cpuset" / name).write_text(text)
    made = os.mkdir

    def mkdir(path: str | Path, mode: int = 0o777, **more: int) -> None:
        """As the kernel does, which fills a new folder of a cpuset with empty files."""
        made(path, mode, **more)
        if "cpuset" in Path(path).parts:
            for name in ("cpuset.cpus", "cpuset.mems"):
                Path(path, name).write_text("")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "mkdir", mkdir)
        assert groups.create() == []
    assert (tmp_path / "cpuset/node/system/cpuset.cpus").read_text() == "0-3"
    assert (tmp_path / "cpuset/node/cpuset.mems").read_text() == "0"
    assert (tmp_path / "memory/node/system").is_dir()


class Kernel:
    """What writing to a version 2 hierarchy does: switching a controller on shows it in the folder's
    children; a folder with processes of its own refuses, as does the removal of one that is in use."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, busy: tuple[str, ...] = ()):
        self.written: list[tuple[str, str]] = []
        self.busy = busy
        self.real = Path.write_text
        monkeypatch.setattr(Path, "write_text", lambda path, text: self.write(path, text))
        made = os.mkdir

        def mkdir(path: str | Path, mode: int = 0o777, **more: int) -> None:
            made(path, mode, **more)
            control = Path(path).parent / "cgroup.subtree_control"
            self.real(Path(path, "cgroup.controllers"), control.read_text() if control.exists() else "")
            self.real(Path(path, "cgroup.subtree_control"), "")

        monkeypatch.setattr(os, "mkdir", mkdir)

    def write(self, path: Path, text: str) -> int:
        self.written.append((f"{path.parent.name}/{path.name}", text))
        if path.name != "cgroup.subtree_control":
            return self.real(path, text)
        if text[1:] in self.busy:
            raise OSError(16, "Device or resource busy")
        on = set(path.read_text().split())
        on = on | {text[1:]} if text[0] == "+" else on - {text[1:]}
        return self.real(path, " ".join(sorted(on)))


def test_version_2_switches_on_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    groups = unified(mount, on="memory pids")
    kernel = Kernel(monkeypatch)
    assert groups.create() == ["cpu", "cpuset", "io"]
    assert (mount / "cgroup.subtree_control").read_text().split() == ["cpu", "cpuset", "io", "memory", "pids"]
    # For the kubelet's cgroups beside `system`; the node's own folder holds no process.
    assert (mount / "node/cgroup.subtree_control").read_text().split() == ["cpu", "cpuset", "io", "memory", "pids"]
    groups.join()
    assert kernel.written[-1] == ("system/cgroup.procs", "0")


def test_version_2_switches_off_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what somebody else has come to need."""
    mount = tmp_path / "mount"
    mount.mkdir()
    groups = unified(mount, on="memory pids cpu cpuset io")
    Kernel(monkeypatch, busy=("io",))
    groups.remove(["cpu", "io"])
    assert (mount / "cgroup.subtree_control").read_text().split() == ["cpuset", "io", "memory", "pids"]


def test_version_2_in_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = unified(tmp_path)
    Kernel(monkeypatch, busy=("memory",))
    with pytest.raises(Refused, match=r"does not take \+memory: Device or resource busy. In a container"):
        groups.create()


def test_memory_of_either(tmp_path: Path) -> None:
    (tmp_path / "memory/node").mkdir(parents=True)
    (tmp_path / "memory/node/memory.stat").write_text("cache 5\nrss 7\ntotal_cache 50\ntotal_rss 70\n")
    assert Hierarchies("node", tmp_path).memory() == 70
    (tmp_path / "two/node").mkdir(parents=True)
    (tmp_path / "two/node/memory.stat").write_text("anon 30\nfile 40\n")
    assert unified(tmp_path / "two").memory() == 30
    assert Hierarchies("other", tmp_path).memory() is None
