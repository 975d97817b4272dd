"""A collector that can be killed: a process of its own, whose counts outlive it.

`Sink` starts and ends it, at the same port each time. Mode and counts lie in a small file that both
map: what was acknowledged up to a SIGKILL is known. Acknowledged is counted before it is answered, so
the count may be ahead of what the service was told, by what a kill cut off.
"""

import mmap
import os
import random
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "wire"))

from collector import MODES, Collector, records_of  # noqa: E402
from wire import eventually  # noqa: E402

FIELDS = ("mode", "spans", "logs", "rejected", "faults", "requests")
LAYOUT = struct.Struct(f"={len(FIELDS)}Q")


def free_port():
    """One below those that the kernel gives to clients: nobody takes it while the sink is dead."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("no port is free")


class Board:
    """The mapped file."""

    def __init__(self, path):
        if not path.exists():
            path.write_bytes(bytes(LAYOUT.size))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), LAYOUT.size)

    def __getitem__(self, name):
        return LAYOUT.unpack(self.memory[:])[FIELDS.index(name)]

    def __setitem__(self, name, value):
        at = 8 * FIELDS.index(name)
        self.memory[at:at + 8] = struct.pack("=Q", value)

    def add(self, name, count):
        self[name] = self[name] + count


class Sink:
    """The process, from outside."""

    def __init__(self, folder):
        self.path = folder / "sink.counts"
        self.path.unlink(missing_ok=True)
        self.board = Board(self.path)
        self.kills = 0
        self.process = None
        self.port = free_port()
        self.start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen([sys.executable, __file__, str(self.path), str(self.port)])
        assert eventually(self._listens, timeout=20, pause=0.05), "the collector does not start"

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.kills += 1
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def set_mode(self, mode):
        self.board["mode"] = MODES.index(mode)

    def __getitem__(self, name):
        return self.board[name]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Counting(Collector):
    """Keeps nothing: it runs for hours."""

    def __init__(self, board, port):
        self.board = board
        super().__init__(port=port)

    @property
    def mode(self):
        return MODES[self.board["mode"]]

    @mode.setter
    def mode(self, _):
        """The board has it."""

    def receive(self, path, headers, raw):
        try:
            received = super().receive(path, headers, raw)
        except Exception:
            with self.changed:
                self.board.add("faults", 1)
            raise
        self.requests.clear()
        self.logs_requests.clear()
        with self.changed:
            self.board.add("requests", 1)
        return received

    def acknowledge(self, received, rejected=0):
        signal_ = "logs" if received.path.endswith("/v1/logs") else "spans"
        with self.changed:  # one handler at a time
            self.board.add(signal_, len(records_of(received.message)) - rejected)
            self.board.add("rejected", rejected)


if __name__ == "__main__":
    os.setpgid(0, 0)  # a Ctrl-C is for the driver, who ends us when the service has flushed
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    driver = os.getppid()
    running = Counting(Board(Path(sys.argv[1])), int(sys.argv[2]))
    while os.getppid() == driver and not signal.sigtimedwait([signal.SIGTERM], 1):
        pass
    os._exit(0)
