"""A drill that is interrupted restores what it changed.

SIGINT, SIGTERM and SIGHUP are noted, and become an exception where the drill waits (`check`, which its clock calls
each fifth of a second): so none comes between a change and the note of how to undo it, or into an undo. Whatever was
promised with `later` is done on the way out, newest first, whatever else happens. An output that nobody reads any more
(`| head`) counts as a SIGPIPE. SIGKILL cannot be noted: a fault's own end is for that.
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Optional

from .web import Refused

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SLICE = 0.2  # seconds that a signal may go unnoticed while waiting


class Interrupted(BaseException):
    """By a signal. Not an Exception, so that nobody takes it for a failure that can be tried again."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def to_stderr(line: str) -> None:
    """Nothing that cannot be said may keep anything from being restored: a terminal that hung up, `tee` that Ctrl-C
    ended, or a handler that cuts into another print."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, RuntimeError, ValueError):
        pass


def alone(*folders: Path) -> list[int]:
    """One drill at a time: a second would take the fast profile, or what a first one wrote into the plan's file, for
    what was there before. A lock on the folder itself leaves no file, and ends with the process however that ends."""
    held: list[int] = []
    for folder in sorted({folder.resolve() for folder in folders if folder.is_dir()}):
        held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        try:
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            for descriptor in held:
                os.close(descriptor)
            raise Refused(f"another drill is going on in {folder}: wait for its end") from None
    return held


class Guard:
    """`with Guard() as guard`: guard.later(what, undo) before the change that it undoes."""

    def __init__(self, say: Callable[[str], None] = to_stderr) -> None:
        self.say = say
        self.noted: Optional[int] = None
        self.undoing = False
        self.undos: list[tuple[str, Callable[[], None]]] = []
        self.failed: list[str] = []
        self.former: dict[int, Any] = {}

    def __enter__(self) -> "Guard":
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self.former[number] = signal.signal(number, self.note)
        return self

    def note(self, number: int, _: Optional[FrameType] = None) -> None:
        """The handler."""
        if self.noted is None:
            self.noted = number
        name = signal.Signals(number).name
        self.say(f"{name}: " + ("restoring already" if self.undoing else "restoring what was changed"))

    def print(self, line: str) -> None:
        """To stdout. When nobody reads it any more that is an interruption like a signal, and none of an undo."""
        try:
            print(line, flush=True)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered has to go somewhere
            if self.noted is None:
                self.noted = signal.SIGPIPE

    def check(self) -> None:
        """Raises what was noted, but not while undoing."""
        if self.noted is not None and not self.undoing:
            raise Interrupted(self.noted)

    def later(self, what: str, undo: Callable[[], None]) -> int:
        """Promises to undo something; it must do no harm where nothing was changed yet. Gives `undo` its mark."""
        self.undos.append((what, undo))
        return len(self.undos) - 1

    def undo(self, mark: int = 0) -> None:
        """Keeps the promises made since the mark, the newest first. One that fails is told; the others are kept."""
        already, self.undoing = self.undoing, True
        while len(self.undos) > mark:
            what, act = self.undos.pop()
            try:
                act()
            except Exception as error:  # whatever it was, the others must be kept
                self.failed.append(f"{what}: {error}")
                self.say(f"NOT RESTORED: {what}: {error}")
        self.undoing = already

    def __exit__(self, *_: object) -> None:
        self.undoing = True
        try:
            self.undo()
        finally:
            for number, handler in self.former.items():
                signal.signal(number, handler)


class Clock:
    """The wall clock, as webhook and Prometheus stamp with it. It looks after signals while it waits."""

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        self.check = check

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))
            self.check()
