"""The local stack: the service, all that watches it, and steady load, on loopback, as processes.

    python infra/local/stack.py [--profile real|fast] [--rate 40] [--incident NAME] …
    python infra/local/stack.py profile fast|real        # of the stack that runs

    with Stack(folder, profile="fast", ports=FREE) as stack:     # for tests
        stack.service, stack.prometheus, stack.pids["load"], …

The parts are rows of parts.py; what they read and write is in one folder (files.py). None outlives
this process (process.py), whichever way it ends. While the stack is up, <folder>/stack.json says
where everything is.
"""

import argparse
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import files
import ports as addresses
from parts import PARTS, Part, Setup, find_grafana
from ports import DEFAULT, FREE
from process import Process

START_WITHIN = 60.0  # seconds for a part to become ready
PATIENCE_AT_END = 10.0


class Failed(Exception):
    """What did not come up, and its last words."""


def quietly(_: str) -> None:
    """Says nothing."""


class Stack:
    """Up within a `with`. `say` gets a line at a time; `pause` waits, and may raise to end it."""

    def __init__(self, folder: Path | str, profile: str = "real", rate: float = 40,
                 collector: str | None = None, load: bool = True, ports: dict[str, int] | str = FREE,
                 say: Callable[[str], None] = quietly, pause: Callable[[float], None] = time.sleep):
        self.folder = Path(folder).resolve()
        table = addresses.free() if ports == FREE else dict(DEFAULT, **ports)
        self.setup = Setup(self.folder, profile, rate if load else 0, table,
                           collector or os.environ.get("OTELCOL_BIN"), find_grafana())
        self.say, self.pause = say, pause
        self.running: dict[str, Process] = {}
        self._lock: int | None = None
        for name in ("service", "operators", "prometheus", "alertmanager", "webhook"):
            setattr(self, name, self.setup.url(name))
        self.token_file = self.folder / "fault-token"
        self.plan_file = self.folder / "faults.json"
        self.webhook_token_file = self.folder / "webhook-token"

    @property
    def profile(self) -> str:
        return files.read_state(self.folder)["profile"]

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.running.items()}

    # ---- its life -------------------------------------------------------------------------------

    def __enter__(self) -> "Stack":
        self._lock = files.take_folder(self.folder)
        try:
            wanted = [part for part in PARTS if part.wanted(self.setup)]
            used = {part.name for part in wanted} | {"operators"}
            addresses.check({name: port for name, port in self.setup.ports.items() if name in used})
            hosts = {name: self.setup.address(name) for name in DEFAULT}
            urls = {name: self.setup.url(name) for name in DEFAULT}
            files.write_all(self.folder, self.setup.profile, hosts, urls)
            for part in wanted:
                self._start(part)
            files.write_state(self.folder, self._state())
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def _start(self, part: Part) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment.update(LC_ALL="C.UTF-8", **part.environment(self.setup))
        began = time.monotonic()
        self.say(f"{part.name:<14} starting")
        process = Process(part.name, part.command(self.setup), environment,
                          self.folder / "log" / f"{part.name}.log", files.ROOT)
        self.running[part.name] = process
        while not self._is_ready(part):
            if process.status is not None or time.monotonic() - began > START_WITHIN:
                raise Failed(self._words(process, "did not come up: "))
            self.pause(0.05)
        self.say(f"{part.name:<14} ready after {time.monotonic() - began:.1f} s")

    def _is_ready(self, part: Part) -> bool:
        try:
            return part.ready(self.setup)
        except (OSError, ValueError):
            return False

    @staticmethod
    def _words(process: Process, before: str = "") -> str:
        return "\n    ".join([f"{process.name} {before}{process.epitaph()}; its last words:",
                              *process.last_lines()])

    def stop(self) -> None:
        """All down, the last first: the load before what it asks."""
        for process in reversed(self.running.values()):
            process.ask_to_end()
        for process in reversed(self.running.values()):
            process.finish(PATIENCE_AT_END)
        self.running.clear()
        (self.folder / "stack.json").unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _state(self) -> dict:
        setup = self.setup
        return {"service": self.service, "operators": self.operators,
                "prometheus": self.prometheus, "alertmanager": self.alertmanager,
                "webhook": self.webhook, "grafana": setup.url("grafana") if setup.grafana else None,
                "token_file": str(self.token_file), "plan_file": str(self.plan_file),
                "webhook_token_file": str(self.webhook_token_file), "profile": setup.profile,
                "folder": str(self.folder), "pid": os.getpid(), "pids": self.pids,
                "addresses": {name: setup.address(name) for name in DEFAULT}}


# ---- the profile of a stack that runs -----------------------------------------------------------

def set_profile(folder: Path, profile: str) -> None:
    """Swaps rules and Alertmanager's file, and has both reload. When one refuses, both are as they
    were, and the reason is raised."""
    state = files.read_state(folder)
    _apply(state, profile)
    try:
        _reload(state)
    except Failed:
        _apply(state, state["profile"])
        _reload(state)
        raise
    files.write_state(folder, {**state, "profile": profile})


def _apply(state: dict, profile: str) -> None:
    hosts = state["addresses"]
    files.write_profile(Path(state["folder"]), profile, hosts,
                        {name: f"http://{address}" for name, address in hosts.items()})


def _reload(state: dict) -> None:
    for name in ("prometheus", "alertmanager"):
        try:
            urllib.request.urlopen(urllib.request.Request(f"{state[name]}/-/reload", method="POST"),
                                   timeout=30).close()
        except urllib.error.HTTPError as error:
            raise Failed(f"{name} refuses: {error.read().decode()}") from error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("action", nargs="*")
    parser.add_argument("--folder", type=Path, default=files.ROOT / "build/demo")
    parser.add_argument("--profile", choices=files.PROFILES, default="real")
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--free-ports", action="store_true")
    arguments = parser.parse_args()
    if arguments.action[:1] == ["profile"]:
        set_profile(arguments.folder, arguments.action[1])
        return 0
    with Stack(arguments.folder, arguments.profile, arguments.rate,
               ports=FREE if arguments.free_ports else DEFAULT, say=lambda line: print(line, flush=True)):
        print("up")
        while True:
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
