"""The lock of a node's state folder: who holds it may change the node. The folder goes with the node,
so whoever gets the lock looks whether it still is the folder's."""

import fcntl
import os
import shutil
import time

from .places import Place


class Busy(Exception):
    """Somebody else holds it."""


def take(place: Place, patience: float = 0) -> int:
    """Returns the descriptor that holds it; the folder is there. Raises Busy."""
    deadline = time.monotonic() + patience
    while True:
        place.state.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(place.state, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # removed just now
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if place.state.exists() and os.path.samestat(os.fstat(handle), os.stat(place.state)):
                return handle
            os.close(handle)
        except BlockingIOError:
            os.close(handle)
            if time.monotonic() > deadline:
                raise Busy from None
            time.sleep(0.05)


def held(place: Place) -> bool:
    """Whether somebody holds it, without making the folder."""
    if not place.state.is_dir():
        return False
    try:
        os.close(take(place))
    except Busy:
        return True
    return False


def remove_folder(place: Place) -> None:
    """By who holds the lock: the folder, unless it keeps logs of a failure, and what is empty above it."""
    if not place.failed.exists():
        shutil.rmtree(place.state, ignore_errors=True)
        try:
            place.state.parent.rmdir()
        except OSError:
            pass  # other nodes' folders are in it
