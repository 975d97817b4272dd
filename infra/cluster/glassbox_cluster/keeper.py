"""Outside of the node: makes what it needs, starts it, and undoes it all when it ends, however it ends.

`cluster keep` is started by `up` with the lock's descriptor and two lines on its standard input: what
the node is, and, when it is ready, that it is. Until then the end of `up` is the end of the node.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from json import dumps, loads
from pathlib import Path

from . import borrowed, files, lock
from .cgroups import Hierarchies
from .files import Node
from .places import HERE, Place

PR_SET_PDEATHSIG = 1
PATIENCE_S = 5.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ended(Exception):
    """Asked to, by `down`, or because `up` was."""


def launch(place: Place, node: Node, handle: int) -> subprocess.Popen[bytes]:
    """For `up`: the keeper as a process of its own, which lives on; its log is in the state folder until
    there is a run folder."""
    with open(place.state / "keeper.log", "wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, str(HERE / "cluster"), "keep", place.name, str(handle)], stdin=subprocess.PIPE,
            stdout=log, stderr=log, cwd="/", start_new_session=True, pass_fds=(handle,))
    assert keeper.stdin
    keeper.stdin.write(dumps(asdict(node)).encode() + b"\n")
    keeper.stdin.flush()
    return keeper


def main(place: Place, handle: int) -> int:
    """`cluster keep`."""
    os.set_inheritable(handle, False)
    for number in SIGNALS:
        signal.signal(number, _end)
    node = Node(**loads(sys.stdin.buffer.readline()))
    asked = False
    child = None
    try:
        place.run.mkdir()
        node.keeper = os.getpid()
        files.write(place, node)
        files.make(place, node)
        groups = Hierarchies(place.cgroup)
        node.switched = tuple(groups.create())
        files.write(place, node)
        child = _unshare(place, groups)
        node.init = _process_1(child)
        files.write(place, node)
        _watch(child)
        print(f"process 1 ended with status {child.wait()}", flush=True)
    except Ended as why:
        asked = True
        print(f"asked to end: {why}", flush=True)
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if child:
            _kill(node.init, child)
        clean(place, keep_logs=not asked)
        lock.remove_folder(place)
    return 0


def _end(number: int, _frame: object) -> None:
    raise Ended(signal.Signals(number).name)


def _unshare(place: Place, groups: Hierarchies) -> subprocess.Popen[bytes]:
    """The parent of process 1. Each dies with its parent, so the node with us."""
    libc = ctypes.CDLL(None)  # looked up here: between fork and exec is no place for it
    me = os.getpid()

    def before_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != me:  # gone before we asked to be told
            os._exit(1)
        groups.join()

    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with open(place.log / "node.log", "wb") as log:
        return subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
             sys.executable, str(HERE / "cluster"), "inside", str(place.run)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
            env=environment, preexec_fn=before_exec)  # pylint: disable=subprocess-popen-preexec-fn


def _process_1(child: subprocess.Popen[bytes], patience: float = 10) -> int:
    """What process 1 is called outside: the only child of unshare."""
    deadline = time.monotonic() + patience
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if found := Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split():
                return int(found[0])
        time.sleep(0.01)
    raise RuntimeError(f"no process 1: unshare has status {child.poll()}")


def _watch(child: subprocess.Popen[bytes]) -> None:
    """Returns when process 1 has ended; raises Ended when `up` goes before it has said that all is well."""
    handle = os.pidfd_open(child.pid)
    inputs = [handle, sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select(inputs, [], [])
        if handle in ready:
            return
        line = os.read(sys.stdin.fileno(), 64)
        if line == b"":
            raise Ended("`up` ended before the node was ready")
        if line != b"ready\n":
            raise RuntimeError("`up` gave up")
        inputs.remove(sys.stdin.fileno())


def _kill(init: int, child: subprocess.Popen[bytes]) -> None:
    """All of the node: with process 1 the kernel kills everything in its namespace, and lets process 1 go
    when all of it has been waited for. A command that was entered from outside may belong to somebody who
    never waits (many a container's process 1): then it is enough that all are dead, which the cgroups show."""
    if child.poll() is not None:
        return
    if init:
        with contextlib.suppress(ProcessLookupError):
            os.kill(init, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE_S)
    child.kill()
    child.wait()


def clean(place: Place, keep_logs: bool) -> None:
    """Removes what a node leaves; by who holds the lock, when no process of the node is left. Safe to
    call again after an interruption."""
    node = files.read(place)
    Hierarchies(place.cgroup).remove(list(node.switched) if node else [])
    borrowed.give_back()
    if not place.run.exists():
        return
    shutil.rmtree(place.failed, ignore_errors=True)
    if keep_logs and place.log.exists():
        place.log.rename(place.failed)
        with contextlib.suppress(FileNotFoundError):
            (place.state / "keeper.log").rename(place.failed / "keeper.log")
    # Nothing may be mounted there any more, in no namespace that is ours: rmtree must not go into a mount.
    if f" {place.run}/" in Path("/proc/self/mountinfo").read_text():
        raise RuntimeError(f"something is mounted below {place.run}")
    shutil.rmtree(place.run)
