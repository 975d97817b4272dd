"""What the scripts say of single requests as they end: the slowest, and those that failed (k6/lib/notes.js)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .accesslog import Line
from .tail import Tail

FAILURES = 50  # that are kept


@dataclass(frozen=True)
class Note:
    """A request as k6 saw it; status 0: no answer."""

    route: str
    ms: float
    status: int
    trace: str
    error: str
    at: float  # milliseconds since the epoch, when it had ended


@dataclass
class Notes:
    """Of one run, read while it goes on; `most` of the slowest are kept, with their lines of the log as they come."""

    console: Path
    most: int
    slow: list[Note] = field(default_factory=list)      # the slowest first
    failed: list[Note] = field(default_factory=list)    # the earliest first
    lines: dict[str, Line] = field(default_factory=dict)  # by trace

    def __post_init__(self) -> None:
        self.tail = Tail(self.console, from_end=False)

    def close(self) -> None:
        self.tail.close()

    def read(self, recent: Iterable[Line]) -> None:
        """What was said since, and whether a line has come for it."""
        for text in self.tail.lines():
            self._take(text)
        self.slow = sorted(set(self.slow), key=lambda one: -one.ms)[:self.most]
        wanted = {one.trace for one in (*self.slow, *self.failed)}
        self.lines = {trace: line for trace, line in self.lines.items() if trace in wanted}
        self.lines |= {line.trace: line for line in recent if line.trace in wanted}

    def _take(self, text: str) -> None:
        try:
            row = json.loads(text)
            kind, note = row.pop("note"), Note(**row)
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # what somebody's own script says
        if kind == "slow":
            self.slow.append(note)
        elif kind == "failed" and len(self.failed) < FAILURES:
            self.failed.append(note)
