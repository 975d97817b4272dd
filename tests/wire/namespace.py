"""A network and a file system view of one's own, for tests of names: a thread that has left ours.

`@in_namespace` runs a test in such a thread: loopback is up, IPv6 too where the kernel has it, mounts
are private, and whatever it starts or listens on is in there with it. Needs root; where the kernel
does not allow it the test is skipped, with the reason.
"""

import ctypes
import functools
import os
import subprocess
import threading
from pathlib import Path

import pytest

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000


def run(*arguments) -> None:
    """A command, in the calling thread's namespaces."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, arguments))}: {done.stderr.strip()}")


def enter() -> None:
    """Takes the calling thread into namespaces of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise OSError(f"unshare: {os.strerror(ctypes.get_errno())}")
    run("mount", "--make-rprivate", "/")
    run("ip", "link", "set", "lo", "up")


def show(path: str, content: Path) -> None:
    """Lets `path` of the machine be the file `content`, for this thread and what it starts."""
    run("mount", "--bind", content, path)


def in_namespace(test):
    """Decorates a test."""
    @functools.wraps(test)
    def wrapper(*arguments, **named):
        outcome: list = []

        def body():
            try:
                try:
                    enter()
                except OSError as error:
                    pytest.skip(f"no namespaces here: {error}")
                test(*arguments, **named)
            except BaseException as error:  # noqa: BLE001: whatever it is, pytest shall have it
                outcome.append(error)
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if outcome:
            raise outcome[0]
    return pytest.mark.root(wrapper)
