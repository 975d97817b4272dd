"""Ends a container's process from outside, without a word to it: by SIGKILL, or by having the kernel run out of its
memory.

That needs the process: on a node of ours, as on kind's, it is one of this machine's, and is found by its container's id
in its cgroup. A cluster elsewhere has no such thing, and the tests say so.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hog
from ledger import Moment
from wire import eventually

CGROUPS = Path("/sys/fs/cgroup")
# A container whose memory is guaranteed has a low score, and the kernel would choose the hog.
SCORE = 500


@dataclass(frozen=True)
class Victim:
    """One run of a pod's container."""

    pod: str
    restart: int
    pid: int

    def is_gone(self) -> bool:
        """As the hog tells it."""
        return hog.is_gone(self.pid)

    def score(self) -> int:
        """What the kernel adds when it looks for one to kill."""
        return int(Path(f"/proc/{self.pid}/oom_score_adj").read_text())


def status_of(pod: dict[str, Any], container: str) -> dict[str, Any]:
    """Of a container of a pod."""
    return next(one for one in pod["status"]["containerStatuses"] if one["name"] == container)


def find(pod: dict[str, Any], container: str) -> Victim | None:
    """The container's first process, if it is one of this machine's that we may kill."""
    status = status_of(pod, container)
    identity = status["containerID"].rpartition("/")[2]
    if os.geteuid() != 0:
        return None
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if identity in (folder / "cgroup").read_text() and (folder / "exe").readlink().name == container:
                return Victim(pod["metadata"]["name"], status["restartCount"], int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return None


def by_signal(victim: Victim) -> Moment:
    """SIGKILL; when it was done."""
    after = time.time()
    os.kill(victim.pid, signal.SIGKILL)
    assert eventually(victim.is_gone, 10, 0.001), f"{victim} lives on"
    return Moment(after, time.time())


def memory_cgroup(victim: Victim) -> Path | None:
    """The folder that bounds its memory, of either version; None where it cannot be entered from here."""
    for line in Path(f"/proc/{victim.pid}/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" or "memory" in controllers.split(","):
            folder = CGROUPS / ("" if number == "0" else "memory") / path.lstrip("/")
            if os.access(folder / "cgroup.procs", os.W_OK):
                return folder
    return None


def by_memory(victim: Victim) -> Moment:
    """A process of ours joins its cgroup and takes memory until the kernel has killed: the victim, whose score is the
    higher. When that was, to a step of the hog's."""
    folder = memory_cgroup(victim)
    assert folder
    said = subprocess.run([sys.executable, hog.__file__, folder / "cgroup.procs", str(victim.pid)], capture_output=True,
                          text=True, timeout=60, check=False)
    assert victim.is_gone(), f"the kernel has killed another, or none: {said}"
    if said.returncode == -signal.SIGKILL:
        # All of the cgroup is killed at once where the kubelet says so (cgroup v2).
        return Moment(float(said.stdout.split()[-1]), time.time())
    told = json.loads(said.stdout.splitlines()[-1])
    return Moment(told["after"], told["before"])
