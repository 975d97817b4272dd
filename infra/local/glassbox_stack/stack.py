"""The stack as an object: up within a `with`.

The parts are rows of parts.py; what they read and write is in one folder (files.py). None outlives
this process (process.py), whichever way it ends. While the stack is up, <folder>/stack.json says
where everything is.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import files, tools
from . import ports as addresses
from .parts import PARTS, Part, Setup
from .ports import DEFAULT, FREE
from .process import Process

START_WITHIN = 120.0  # seconds for a part to become ready: Grafana, the first time, on a slow disk
END_WITHIN = 6.0     # seconds between SIGTERM and SIGKILL


class Failed(Exception):
    """What did not come up, and its last words."""


def quietly(_: str, end: str = "\n") -> None:
    """Says nothing."""


class Stack:
    """Up within a `with`. `ports` are FREE, or those that are not the DEFAULT. `say` is called as print
    is; `pause` waits, and may raise to end it."""

    def __init__(self, folder: Path | str, profile: str = "real", rate: float = 40,
                 collector: bool = True, load: bool = True, ports: dict[str, int] | str = FREE,
                 say: Callable[..., None] = quietly, pause: Callable[[float], None] = time.sleep):
        self.folder = Path(folder).resolve()
        self.say, self.pause = say, pause
        binary, self.no_collector = tools.collector() if collector else (None, "not wanted")
        self.setup = Setup(self.folder, profile, rate, load, binary, tools.grafana(),
                           addresses.free() if ports == FREE else {**DEFAULT, **ports})
        self.running: dict[str, Process] = {}
        self._lock: int | None = None
        url = self.setup.url
        self.service, self.operators = url("service"), url("operators")
        self.prometheus, self.alertmanager = url("prometheus"), url("alertmanager")
        self.webhook = url("webhook")
        self.grafana = url("grafana") if self.setup.grafana else None
        self.traces = url("traces") if binary else None
        self.token_file = self.folder / "fault-token"
        self.plan_file = self.folder / "faults.json"
        self.webhook_token_file = self.folder / "webhook-token"

    @property
    def profile(self) -> str:
        """It can be swapped."""
        return files.read_state(self.folder)["profile"]

    @property
    def pids(self) -> dict[str, int]:
        """By the names of the parts."""
        return {name: process.pid for name, process in self.running.items()}

    # ---- its life -------------------------------------------------------------------------------

    def __enter__(self) -> "Stack":
        wanted = [part for part in PARTS if part.wanted(self.setup)]
        names = {part.name for part in wanted} | {"operators"}
        self._lock = files.lock(self.folder)
        try:
            addresses.check({name: port for name, port in self.setup.ports.items() if name in names})
            files.write_all(self.folder, self.setup.profile, *self._addresses())
            for part in wanted:
                program = part.command(self.setup)[0]
                if not shutil.which(program):
                    raise Failed(f"{part.name} cannot be started: there is no program {program}")
            if self.setup.collector is None:
                self.say(f"\n  NO COLLECTOR, SO NO TRACES: {self.no_collector}\n")
            for part in wanted:
                self._start(part)
            files.write_state(self.folder, self._state())
        except OSError as error:  # of our own files: what the parts do is told by Failed
            self.stop()
            raise Failed(f"{self.folder} cannot be written: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _start(self, part: Part) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
        # What Python compiles would be left in the tree.
        environment.update(LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1", **part.environment(self.setup))
        began = time.monotonic()
        self.say(f"  {part.name:<14} starting", end="")
        try:
            process = Process(part.name, part.command(self.setup), environment,
                              self.folder / "log" / f"{part.name}.log", files.ROOT)
        except OSError as error:
            raise Failed(f"{part.name} cannot be started: {error}") from error
        self.running[part.name] = process
        while not self._is_ready(part):
            for _, words in self.deaths():
                raise Failed(words)
            if time.monotonic() - began > START_WITHIN:
                raise Failed(self._words(process, f"is not ready after {START_WITHIN:.0f} s"))
            self.pause(0.05)
        self.say(f", ready after {time.monotonic() - began:.1f} s")

    def _is_ready(self, part: Part) -> bool:
        try:
            return part.ready(self.setup)
        except (OSError, ValueError):
            return False

    @staticmethod
    def _words(process: Process, what: str) -> str:
        return "\n      ".join([f"{process.name} {what}; its last words:",
                                *(process.last_lines() or ["(none)"])])

    def deaths(self) -> Iterator[tuple[str, str]]:
        """Name and last words of each part that has ended by itself."""
        for name, process in self.running.items():
            if process.status is not None:
                yield name, self._words(process, process.epitaph())

    def reopen_access_log(self) -> None:
        """After it was renamed."""
        self.running["service"].send(signal.SIGHUP)

    def kill(self) -> None:
        """No more patience; `stop` is still to come, or under way."""
        for process in self.running.values():
            process.send(signal.SIGKILL)

    def stop(self) -> None:
        """All down, the last first: the load before what it asks, what is watched before what
        watches it would notice."""
        for process in reversed(self.running.values()):
            process.ask_to_end()
            process.finish(END_WITHIN)
        self.running.clear()
        if self._lock is not None:
            (self.folder / "stack.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    # ---- what others are told -------------------------------------------------------------------

    def _addresses(self) -> tuple[dict[str, str], dict[str, str]]:
        """As host:port, and as URLs."""
        return ({name: self.setup.address(name) for name in DEFAULT},
                {name: self.setup.url(name) for name in DEFAULT})

    def _state(self) -> dict:
        urls = ("service", "operators", "prometheus", "alertmanager", "webhook", "grafana", "traces")
        paths = ("token_file", "plan_file", "webhook_token_file", "folder")
        return {**{name: getattr(self, name) for name in urls},
                **{name: str(getattr(self, name)) for name in paths},
                "profile": self.setup.profile, "rate": self.setup.rate, "pid": os.getpid(),
                "pids": self.pids, "addresses": self._addresses()[0]}

