"""What a process takes of the machine, as the kernel counts it."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

KIB = re.compile(r"^(\w+): +(\d+) kB$", re.M)


@dataclass
class Taken:
    rss: int          # bytes, all of them
    pss: int
    dirty: int        # private
    descriptors: int
    threads: int


def taken(pid):
    """The figures of now. smaps_rollup walks the page tables, so it is exact where the counters of
    `status` are batched per thread."""
    process = Path(f"/proc/{pid}")
    sizes = {name: int(size) * 1024 for name, size in
             KIB.findall((process / "smaps_rollup").read_text())}
    return Taken(sizes["Rss"], sizes["Pss"], sizes["Private_Dirty"],
                 len(os.listdir(process / "fd")), len(os.listdir(process / "task")))


def at_rest(pid, patience=30.0, pause=0.5):
    """The figures once resident memory has not come down any more for three pauses; the last ones when
    that takes longer. Of the descriptors the fewest meanwhile: a probe or a scrape comes and goes."""
    deadline = time.monotonic() + patience
    last, same = taken(pid), 0
    fewest = last.descriptors
    while same < 3 and time.monotonic() < deadline:
        time.sleep(pause)
        now = taken(pid)
        same = 0 if now.rss < last.rss else same + 1
        fewest = min(fewest, now.descriptors)
        last = now
    last.descriptors = fewest
    return last


def has_sanitizer(pid):
    """Whether its memory is AddressSanitizer's, which gives nothing back."""
    return "libasan" in Path(f"/proc/{pid}/maps").read_text()


def mib(size):
    return f"{size / (1 << 20):.1f} MiB"
