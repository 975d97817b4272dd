"""Folders whose path is fixed in other people's programs, and which few machines have.

A node mounts a tmpfs of its own over each, so that nothing is written there; but something must be
there to mount over. What we have to make is marked by a file, and removed by the last node that leaves:
removing a folder would take the mount away from another that still stands on it (Linux detaches such
mounts in other namespaces), so all mounts of all processes are looked through first. Makers and
removers take turns by a lock on the parent folder, which leaves no trace.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

# The kubelet's device plugins; the CNI library's results; the kubelet's links to logs.
FOLDERS = (Path("/var/lib/kubelet"), Path("/var/lib/cni"), Path("/var/log/containers"))
MARK = ".made-by-glassbox-cluster"


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    handle = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def borrowed(folder: Path) -> Iterator[None]:
    """It is there as long as it takes to mount over it."""
    with _turn(folder):
        if not folder.is_dir():
            folder.mkdir()
            (folder / MARK).touch()
        yield


def give_back() -> None:
    """Removes those that we made, unless another node stands on them."""
    for folder in FOLDERS:
        if not (folder / MARK).exists():
            continue
        with _turn(folder):
            if (folder / MARK).exists() and not _mounted(folder):
                (folder / MARK).unlink()
                folder.rmdir()


def _mounted(folder: Path) -> bool:
    """Whether any process of the machine sees a mount there; each mount namespace is looked at once."""
    seen = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            namespace = os.readlink(process / "ns/mnt")
            if namespace not in seen:
                seen.add(namespace)
                if f" {folder} " in (process / "mountinfo").read_text():
                    return True
    return False
