"""Threads of another process, and how to stop a single one of them.

A signal stops a whole process; only ptrace(2) stops one thread of it, as a bug that never returns
to the loop would. The kernel wants all calls for a thread from the thread that seized it.
"""

import ctypes
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from wire import eventually

PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
WALL = 0x40000000  # __WALL of waitpid(2): threads, too

# The service's threads that serve no requests have names of their own.
HELPERS = {"access-log", "otel-export"}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


def workers(pid, count):
    """Thread ids of a service's workers, in the order of their start, once there are `count`: a
    thread gives itself its name a moment after its start."""
    eventually(lambda: len(_workers(pid)) == count)
    return _workers(pid)


def _workers(pid):
    tasks = [task for task in Path(f"/proc/{pid}/task").iterdir()
             if int(task.name) != pid and (task / "comm").read_text().strip() not in HELPERS]

    def started(task):
        ticks = (task / "stat").read_text().rpartition(")")[2].split()[19]
        return int(ticks), int(task.name)
    return [int(task.name) for task in sorted(tasks, key=started)]


def ptrace(operation, tid):
    if libc.ptrace(operation, tid, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextmanager
def frozen(tid):
    """The thread `tid` stands still inside the block; the test is skipped where that is not
    permitted."""
    try:
        ptrace(PTRACE_SEIZE, tid)
    except OSError as error:
        pytest.skip(f"may not trace a thread (root, CAP_SYS_PTRACE or ptrace_scope 0): {error}")
    stopped = False
    try:
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
        stopped = True
        yield
    finally:
        if stopped:
            ptrace(PTRACE_DETACH, tid)
