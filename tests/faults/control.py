"""The test's end of the shim: orders go in, counts come out, while the program runs.

`Control` is the struct of shim/control.h in a file that both sides have mapped. `env()` is what a
program needs to come under it.
"""

import ctypes
import mmap
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
U64 = ctypes.c_uint64


def shim():
    """Path of the shared object: $FAULTS_SHIM, else where .ci/faults.sh leaves it."""
    return os.environ.get("FAULTS_SHIM") or str(ROOT / "build/faults/libfaults.so")


class Refusals(ctypes.Structure):
    """One kind of call: which of them are refused, and how many were."""

    _fields_ = [(name, U64) for name in ("calls", "refused", "at", "lasting", "every", "where")]

    def order(self, at=0, every=0, lasting=False):
        """Refuses call number `at` from the program's start (and all after it), or each n-th; with
        nothing: none any more."""
        self.lasting = int(lasting)
        self.every = every
        self.at = at

    def from_now_on(self):
        self.order(at=1, lasting=True)


class Orders(ctypes.Structure):
    _fields_ = ([("size", U64)]
                + [(name, Refusals) for name in ("memory", "descriptors", "accepts", "threads")]
                + [(name, U64) for name in (
                    "ours_only", "short_percent", "interrupted_percent", "again_percent", "seed",
                    "transfers", "cut", "interrupted", "told_again")]
                + [("wall_offset_ns", ctypes.c_int64), ("frozen_ns", U64), ("close_fd", U64)])


class Control:
    """A control file of its own; `orders` are live."""

    def __init__(self):
        handle, self.path = tempfile.mkstemp(prefix="faults-")
        os.ftruncate(handle, ctypes.sizeof(Orders))
        self.map = mmap.mmap(handle, ctypes.sizeof(Orders))
        os.close(handle)
        self.orders = Orders.from_buffer(self.map)
        self.orders.size = ctypes.sizeof(Orders)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.unlink(self.path)

    def env(self, *more):
        result = {"LD_PRELOAD": shim(), "FAULTS_CONTROL": self.path}
        for part in more:
            result.update(part)
        return result
