"""The node's cgroups: one folder, in each hierarchy of version 1 or in the single one of version 2.

    cluster-NAME/            what the kubelet is told is the root
        system/              all processes that are not in pods
        kubepods/…           made by the kubelet

Version 2 gives a folder's children a controller only if the folder's subtree_control names it, and then
the folder itself may hold no process: hence `system`. What has to be switched on in the machine's own
root is noted, and switched off again unless somebody else has come to need it.
"""

import contextlib
import os
import time
from pathlib import Path

from .refused import CANNOT, Refused

MOUNT = Path("/sys/fs/cgroup")
NEEDED = ("cpu", "cpuset", "memory", "pids")  # the kubelet does not start without
WELCOME = ("io",)


class Hierarchies:
    """All of the machine's, or of a test's look-alike."""

    def __init__(self, name: str, mount: Path = MOUNT):
        self.name = name
        self.mount = mount
        self.unified = (mount / "cgroup.controllers").exists()
        if self.unified:
            self.roots = [mount]
        else:
            # cpu and cpuacct are often two names of one hierarchy.
            self.roots = sorted({path.parent.resolve() for path in mount.glob("*/cgroup.procs")})

    @property
    def version(self) -> int:
        return 2 if self.unified else 1

    def tops(self) -> list[Path]:
        return [root / self.name for root in self.roots]

    def existing(self) -> list[Path]:
        return [top for top in self.tops() if top.is_dir()]

    def check(self) -> None:
        """Refuses, by name, what the machine lacks."""
        if not self.roots:
            raise Refused(f"no cgroups are mounted at {self.mount}", CANNOT)
        if self.unified:
            there = set((self.mount / "cgroup.controllers").read_text().split())
        else:
            there = {name for name in NEEDED if (self.mount / name / "cgroup.procs").exists()}
        if missing := [name for name in NEEDED if name not in there]:
            raise Refused(f"cgroup v{self.version}: no controller {', '.join(missing)} at {self.mount}", CANNOT)
        for root in self.roots:
            if not os.access(root, os.W_OK):
                raise Refused(f"{root} is read-only: the node needs cgroups of its own", CANNOT)

    def create(self) -> list[str]:
        """Makes the folders; returns the controllers that it had to switch on for the whole machine."""
        switched = self._enable(self.mount) if self.unified else []
        for top in self.tops():
            (top / "system").mkdir(parents=True)
            # A new cpuset of version 1 is empty and takes no process.
            for folder in (top, top / "system"):
                for name in ("cpuset.cpus", "cpuset.mems"):
                    if not self.unified and (folder / name).exists():
                        (folder / name).write_text((top.parent / name).read_text())
        if self.unified:
            self._enable(self.mount / self.name)
        return switched

    def _enable(self, folder: Path) -> list[str]:
        control = folder / "cgroup.subtree_control"
        there = set((folder / "cgroup.controllers").read_text().split())
        missing = [name for name in NEEDED + WELCOME
                   if name in there and name not in control.read_text().split()]
        for name in missing:
            try:
                control.write_text(f"+{name}")
            except OSError as error:
                if name in NEEDED:
                    raise Refused(f"cgroup v2: {control} does not take +{name}: {error.strerror}. In a container "
                                  "whose root cgroup holds processes, move them to a child first") from error
        return missing

    def join(self) -> None:
        """Moves the calling process, and all it will start, into `system`."""
        for top in self.tops():
            (top / "system" / "cgroup.procs").write_text("0")

    def processes(self) -> set[str]:
        """All of the node that are not zombies."""
        found: set[str] = set()
        for top in self.existing():
            for path in top.rglob("cgroup.procs"):
                with contextlib.suppress(OSError):  # its folder has gone meanwhile
                    found.update(path.read_text().split())
        return found

    def memory(self) -> int | None:
        """Bytes in use by all of the node that cannot be had back (without the cache of files)."""
        for name, field in (("memory/" + self.name, "total_rss"), (self.name, "anon")):
            with contextlib.suppress(OSError):
                fields = dict(line.split() for line in (self.mount / name / "memory.stat").read_text().splitlines())
                return int(fields[field])
        return None

    def cpu_seconds(self) -> float | None:
        """Of processors, used by all of the node since it began."""
        with contextlib.suppress(OSError):
            return int((self.mount / "cpuacct" / self.name / "cpuacct.usage").read_text()) / 1e9
        with contextlib.suppress(OSError):
            return int((self.mount / self.name / "cpu.stat").read_text().split()[1]) / 1e6
        return None

    def remove(self, switched: list[str], patience: float = 10) -> None:
        """A cgroup can go once its last process has been reaped, and children before parents."""
        for top in self.tops():
            deadline = time.monotonic() + patience
            while top.is_dir():
                for folder, _, _ in os.walk(top, topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(folder)
                if top.is_dir() and time.monotonic() > deadline:
                    raise Refused(f"{top} cannot be removed: {len(self.processes())} processes are in it")
                if top.is_dir():
                    time.sleep(0.05)
        for name in switched:
            with contextlib.suppress(OSError):  # in use by somebody else by now
                (self.mount / "cgroup.subtree_control").write_text(f"-{name}")
