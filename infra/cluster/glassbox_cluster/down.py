"""`cluster down`: nothing of a node is left. It is safe to call again, and when there is no node."""

import contextlib
import os
import select
import shutil
import signal
from pathlib import Path

from . import files, keeper, lock
from .cgroups import Hierarchies
from .places import Place
from .refused import Refused

PATIENCE_S = 20.0


def down(place: Place) -> bool:
    """Returns whether there was anything."""
    if not place.state.exists() and not Hierarchies(place.cgroup).existing():
        return False
    if os.geteuid() != 0:
        raise Refused("only root may end a node")
    handle = _lock(place)
    try:
        keeper.clean(place, keep_logs=False)
        shutil.rmtree(place.failed, ignore_errors=True)
        lock.remove_folder(place)
    finally:
        os.close(handle)
    return True


def _lock(place: Place) -> int:
    """Asks the keeper, who holds it, to end; kills one that does not, and with it the node."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(lock.Busy):
            return lock.take(place)
        if holder := _keeper(place):
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(holder)
                signal.pidfd_send_signal(handle, number)
                select.select([handle], [], [], PATIENCE_S)
                os.close(handle)
    with contextlib.suppress(lock.Busy):
        return lock.take(place, PATIENCE_S)
    raise Refused(f"somebody else holds {place.state}: is `cluster up` or `cluster down` at work there?")


def _keeper(place: Place) -> int | None:
    """Its process, if that is what it is."""
    node = files.read(place)
    if node is None or not node.keeper:
        return None
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{node.keeper}/cmdline").read_bytes().split(b"\0")
        if b"keep" in words and place.name.encode() in words:
            return node.keeper
    return None
