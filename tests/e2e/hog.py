"""Takes memory in the cgroup of another process until that one is gone: `hog.py CGROUP.PROCS PID`.

When the memory is used up the kernel kills who has the most, and the other has a high oom_score_adj: so the memory is
held by many small processes. Before each step it says when the one before began, so that whoever started it knows that
even if it is killed, too; at the end, {"after": …, "before": …}: when the last step but one began (the other may take a
step to die), and when the other was seen to be gone.
"""

import json
import os
import sys
import time
from pathlib import Path

STEP = 4 << 20
MOST = 512  # steps: 2 GiB, more than the container of these tests may have


def is_gone(pid: int) -> bool:
    """Ended with all its threads, whether or not its parent has taken note: as long as one of them is ending, the
    sockets are open, and the kernel takes connections for it."""
    try:
        ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        return ended and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return True


def hold(said: int, over: int) -> None:
    """A process that takes a step, says so, and holds it until the other end of `over` is closed: until we end."""
    held = b"\xa5" * STEP  # written to, so that it counts
    os.write(said, held[:1])
    os.read(over, 1)


def step(over: tuple[int, int], pid: int) -> None:
    """Until it is taken, or the other is gone."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(over[1])
        hold(writer, over[0])
        os._exit(0)
    os.close(writer)
    os.set_blocking(reader, False)
    while not is_gone(pid):
        try:
            os.read(reader, 1)  # also its end: who took it was killed
            break
        except BlockingIOError:
            time.sleep(0.001)
    os.close(reader)


def main(procs: str, pid: int) -> int:
    """Exit status 0 when the other is gone."""
    Path(procs).write_text("0", encoding="ascii")  # ourselves, and whoever we fork
    over, began = os.pipe(), [time.time()]
    for _ in range(MOST):
        began = [began[-1], time.time()]
        print(began[0], flush=True)
        step(over, pid)
        if is_gone(pid):
            print(json.dumps({"after": began[0], "before": time.time()}), flush=True)
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
