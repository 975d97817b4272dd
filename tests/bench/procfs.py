"""What the kernel knows of a process: CPU time, resident memory, children.

CPU is user and system time of all threads, so it holds the kernel's work on the process's behalf:
on loopback the whole of sending, up to the peer's receive queue. All files are of proc(5).
"""

import os
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: list[int]) -> float:
    """CPU the processes have used, in seconds, to a clock tick (10 ms) each."""
    ticks = 0
    for pid in pids:
        # The second field is a name in parentheses that may hold anything: split after it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK_SECONDS


def thread_cpu_ns(pid: int, tid: int) -> int:
    """Nanoseconds thread `tid` has run; brought up to date whenever it stops running."""
    return int(Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()[0])


def rss_bytes(pid: int) -> int:
    """Resident bytes, exact: `status` and `statm` lag behind by per-CPU counters."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no Rss of process {pid}")


def children(pid: int) -> list[int]:
    """Children of the process's main thread."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def machine() -> dict[str, str]:
    """CPU model, CPUs and kernel."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "CPU": f"{model}, {len(os.sched_getaffinity(0))} cores",
        "kernel": f"{os.uname().sysname} {os.uname().release} {os.uname().machine}",
    }
