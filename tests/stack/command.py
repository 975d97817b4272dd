"""`stack.py` as a person starts it: a process with a terminal or a pipe, and what it leaves behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import wire
from stack import DEFAULT

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "infra/local/stack.py"
UP = "Ctrl-C takes everything down"


def eventually(condition: Callable, timeout: float = 60.0):
    """The first true answer, or the last one; of a whole stack, so it may take longer."""
    return wire.eventually(condition, timeout, pause=0.05)


def get(url: str, timeout: float = 10) -> dict:
    """A JSON document."""
    with urllib.request.urlopen(url, timeout=timeout) as response:
        return json.load(response)


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def naming(folder: Path) -> list[int]:
    """Processes whose command line or environment names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if str(folder).encode() in words and alive(int(process.name)):
            found.append(int(process.name))
    return found


def refuses(address: str) -> bool:
    """Whether nobody listens there."""
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


class Command:
    """Runs from its creation on; `killed` at the end of a `with` whatever happened."""

    def __init__(self, folder: Path, *arguments: str, free: bool = True, **popen):
        self.folder = folder
        self.lines: list[str] = []
        popen.setdefault("stdout", subprocess.PIPE)
        popen["env"] = {**os.environ, "PYTHONUNBUFFERED": "1", **popen.pop("env", {})}
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, "--folder", str(folder), *(["--free-ports"] if free else []),
             *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, text=True, **popen)
        self.reader = threading.Thread(target=self._read, daemon=True)
        if self.process.stdout:
            self.reader.start()

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait(20)

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def said(self) -> str:
        """All of it so far."""
        return "".join(self.lines)

    def hears(self, words: str, timeout: float = 120.0) -> bool:
        """Waits for words on stdout or stderr."""
        eventually(lambda: words in self.said or self.process.poll() is not None, timeout)
        return words in self.said or bool(eventually(lambda: words in self.said))

    def comes_up(self) -> dict:
        """stack.json, when it is up."""
        assert self.hears(UP), self.said
        return json.loads((self.folder / "stack.json").read_text())

    def ends(self, number: signal.Signals | None = None) -> int:
        """Its exit status, after a signal or without."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(120)
        if self.process.stdout:
            self.reader.join(10)
        return status

    def left_nothing(self, state: dict | None = None) -> None:
        """No process, no port, no state; the folder's files are all that stays."""
        pids = [*state["pids"].values(), state["pid"]] if state else []
        assert eventually(lambda: not any(map(alive, pids)) and not naming(self.folder)), \
            f"left: {[pid for pid in pids if alive(pid)]} {naming(self.folder)}"
        if state:
            assert set(state["addresses"]) == set(DEFAULT)
            assert eventually(lambda: all(map(refuses, state["addresses"].values())))
