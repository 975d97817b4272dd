"""Ctrl-C, SIGTERM and a closed terminal, as something that happens between two steps.

A signal does not break into what is being done: `pause` raises Interrupted when one has come, at
once also in the middle of its wait. Another one is somebody who has lost patience: `at_once` is
called, from the handler.
"""

import os
import select
import signal
from collections.abc import Callable


class Interrupted(Exception):
    """By which signal."""


class Interruption:
    """Within a `with`. Whoever ignores SIGHUP (nohup) is left to it."""

    def __init__(self, at_once: Callable[[], None] = lambda: None):
        self.at_once = at_once
        self.number: int | None = None
        self._heard, self._hear = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> "Interruption":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._caught)
        return self

    def __exit__(self, *_) -> None:
        """The handlers stay: what is left to do is to end."""

    def _caught(self, number: int, _) -> None:
        if self.number is not None:
            self.at_once()
        self.number = number
        os.write(self._hear, b"!")

    def pause(self, seconds: float) -> None:
        """Raises Interrupted if there was a signal, ever."""
        if self.number is None:
            select.select([self._heard], [], [], seconds)
        if self.number is not None:
            raise Interrupted(signal.Signals(self.number).name)
